"""Clips of which the source of a model consists."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ..files.fields import FieldError, Fields
from ..motion.clip_file import MAX_FRAMES

MAX_CLIPS = 1_000
"""Clips of one model at most."""


@dataclass(frozen=True)
class LearnedClip:
    """Clip called `name` that has the rows [start, stop) at 30 fps of a model's source."""

    name: str
    start: int
    stop: int

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "start": self.start, "stop": self.stop}


def read_learned_clips(fields: Fields, frames: int) -> tuple[LearnedClip, ...]:
    """Return the clips of a description, none where it names none.

    Raises FieldError for names that repeat, and for clips outside a source of `frames` rows or out of order.
    """
    clips = tuple(
        LearnedClip(part.text("name"), part.whole("start", 0, MAX_FRAMES), part.whole("stop", 0, MAX_FRAMES))
        for part in fields.parts("clips", MAX_CLIPS, ())
    )
    check_learned_clips(clips, frames)
    return clips


def check_learned_clips(clips: Sequence[LearnedClip], frames: int) -> None:
    """Raise FieldError for clips that do not lie one after the other in `frames` rows, or share a name."""
    if any(clip.stop - clip.start < 2 or clip.stop > frames for clip in clips):
        raise FieldError("its clips do not lie within its source")
    if any(other.start < one.stop for one, other in itertools.pairwise(clips)):
        raise FieldError("its clips do not follow one another")
    if len({clip.name for clip in clips}) < len(clips):
        raise FieldError("two of its clips have one name")
