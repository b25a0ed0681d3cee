"""Parameters of a model's matched stages, as stored in its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..files.fields import FieldError, Fields
from ..motion.clip_file import MAX_FRAMES
from .recipe import MAX_STAGES

MAX_SWAY = 2.0
"""Greatest amount of variation from step to step."""

MAX_CUTS = 10_000
"""Cuts in the source of one model at most."""


@dataclass(frozen=True)
class Matched:
    """Matched stages of a model: all stages from `first` on, counted from 0, average patches of the clip.

    `coupling`, from 0 to 1, is the weight of the distances of other body parts in the search for one: 0 ignores them, 1
    weighs all parts alike. `cuts` are the frames of the source at which another clip begins; no patch crosses a cut.
    `sway`, from 0 to MAX_SWAY, is the amount of variation from step to step in clips too uniform to be recombined.
    """

    first: int = 0
    coupling: float = 0.3
    cuts: tuple[int, ...] = ()
    sway: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {"first": self.first, "coupling": self.coupling, "cuts": list(self.cuts), "sway": self.sway}

    @staticmethod
    def from_json(fields: Fields, stages: int, frames: int) -> Matched:
        """Return the matched stages of a model of `stages` stages and `frames` frames. Raises FieldError."""
        first = fields.whole("first", 0, min(stages, MAX_STAGES))
        cuts = fields.wholes("cuts", 1, MAX_FRAMES, MAX_CUTS, ())
        check_cuts(cuts, frames)
        return Matched(first, fields.number("coupling", 0.0, 1.0), cuts, fields.number("sway", 0.0, MAX_SWAY, 0.0))


def check_cuts(cuts: Sequence[int], frames: int) -> None:
    """Raise FieldError for cuts that are out of order or outside a clip of `frames` frames."""
    if list(cuts) != sorted(set(cuts)) or (cuts and not 0 < cuts[0] <= cuts[-1] < frames):
        raise FieldError("its cuts do not lie within its clip, one after the other")
