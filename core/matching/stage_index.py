"""Rows of patches and rounds of a matched stage, by its place among the stages."""

from __future__ import annotations

from dataclasses import dataclass

PATCH_ROWS = 11
"""Rows of a patch at the coarse lengths."""

FINE_PATCH_ROWS = (21, 15)
"""Rows of a patch at the last length and at the one below it: longer patches join more smoothly."""

USUAL_PACE_FRAMES = 5.5
"""Frames in which a pose becomes another in clips for which FINE_PATCH_ROWS are long enough."""

PACE_FACTORS = (1.0, 4.0)
"""Least and largest factor of FINE_PATCH_ROWS, for slower clips: a join between short patches, unnoticed in a dance,
looks hurried in an idle."""

MAX_CLIP_SHARE = 0.4
"""Share of the clip's rows that a fine patch covers at most."""

MIN_ROUNDS = 2
"""Rounds of matching and averaging at the last length; every second length below has one more, up to MAX_ROUNDS."""

MAX_ROUNDS = 4
"""Rounds of matching and averaging at most."""


@dataclass(frozen=True)
class StageIndex:
    """Index of a matched stage, counted from 0, among the `count` stages of its model."""

    index: int
    count: int

    @property
    def rounds(self) -> int:
        return min(MAX_ROUNDS, MIN_ROUNDS + (self.count - 1 - self.index) // 2)

    def patch_rows(self, pace_frames: float, length: int) -> int:
        """Return the rows of a patch in a clip of `length` rows at this stage; slower clips have longer patches."""
        above = self.count - 1 - self.index
        if above >= len(FINE_PATCH_ROWS):
            return PATCH_ROWS
        low, high = PACE_FACTORS
        factor = min(max(pace_frames / USUAL_PACE_FRAMES, low), high)
        return max(PATCH_ROWS, min(round(factor * FINE_PATCH_ROWS[above]), int(MAX_CLIP_SHARE * length)))

    @property
    def last(self) -> bool:
        return self.index == self.count - 1
