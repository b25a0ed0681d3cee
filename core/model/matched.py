"""Matching of the stages of a model that are not trained, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..files.fields import FieldError, Fields
from ..motion.clip_file import MAX_FRAMES
from .recipe import MAX_STAGES

MAX_CUTS = 10_000
"""Clips in one model at most."""


@dataclass(frozen=True)
class Matched:
    """Stages from `first`, counted from 0, on are matched: patches of the clip are found for each part of the body.

    `coupling` is how far the search for one part minds the others: 0 not at all, 1 as its own. `cuts` are the frames
    of the source at which another clip begins, so that no patch is taken across. `sway`, from 0 to 1, is how far a clip
    that holds nothing to be recombined varies from step to step.
    """

    first: int = 0
    coupling: float = 0.3
    cuts: tuple[int, ...] = ()
    sway: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {"first": self.first, "coupling": self.coupling, "cuts": list(self.cuts), "sway": self.sway}

    @staticmethod
    def from_json(fields: Fields, stages: int, frames: int) -> Matched:
        """The matched stages of a model of so many stages and frames. Raises FieldError."""
        first = fields.whole("first", 0, min(stages, MAX_STAGES))
        cuts = fields.wholes("cuts", 1, MAX_FRAMES, MAX_CUTS, ())
        check_cuts(cuts, frames)
        return Matched(first, fields.number("coupling", 0.0, 1.0), cuts, fields.number("sway", 0.0, 1.0, 0.0))


def check_cuts(cuts: Sequence[int], frames: int) -> None:
    """Raise FieldError for cuts that do not lie in order within a clip of so many frames."""
    if list(cuts) != sorted(set(cuts)) or (cuts and not 0 < cuts[0] <= cuts[-1] < frames):
        raise FieldError("its cuts do not lie within its clip, one after the other")
