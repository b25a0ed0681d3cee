"""A stage that is matched: rows become what patches of the clip make of them, part by part."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..evaluation.copying import same_time
from ..model.pyramid import Around, Rows
from .clip_rows import ClipRows
from .components import Numbers
from .patches import Found, PatchIndex, average_patches, clip_starts, sample_starts
from .sway import Sway

PATCH = 11
"""Rows of a patch at the coarse lengths."""

FINE_PATCHES = (21, 15)
"""Rows of a patch at the last length and the one below it: longer ones join more smoothly."""

USUAL_PACE, SLOWER = 5.5, (1.0, 2.0)
"""Frames in which a pose becomes another in clips for which these patches are long enough, and how much longer they are
at least and at most in slower ones: what breathes would be hurried by a join that a dancer makes unnoticed."""

MAX_OF_CLIP = 0.4
"""Share of the clip that a patch is at most."""

STRIDE, LONG_STRIDE = 2, 3
"""Rows from one patch of a sample to the next, short or long ones; they overlap by far more."""

STRONG = 20.0
"""Standard deviations of the clip that noise of strength 1 has at the first length: with little of it the clip comes
out in its own order."""

STEEP = 2.0
"""Power of the strength that strong noise goes by: all that it changes it changes below five deviations."""

SLIGHT = 0.2
"""Standard deviations of the clip that noise of strength 1 has above the first length."""

SEAM = 0.05
"""Usual distances of two patches that a break between patches costs, where they are laid down for good."""

ROUNDS = (2, 4)
"""Rounds of finding and averaging at the last length, and at most below it, where there is one more every second
length."""


def never_cancelled() -> None:
    """Stands where nobody asks to stop."""


@dataclass(frozen=True)
class Place:
    """Place of a matched stage among all: its number of `count`, the first or last of which work otherwise."""

    stage: int
    count: int

    @property
    def rounds(self) -> int:
        fewest, most = ROUNDS
        return min(most, fewest + (self.count - 1 - self.stage) // 2)

    def patch(self, pace: float, length: int) -> int:
        """Rows of a patch in a clip of this pace that has `length` rows here: more of them in slow clips."""
        above = self.count - 1 - self.stage
        if above >= len(FINE_PATCHES):
            return PATCH
        low, high = SLOWER
        slow = min(max(pace / USUAL_PACE, low), high)
        return max(PATCH, min(round(slow * FINE_PATCHES[above]), int(MAX_OF_CLIP * length)))

    @property
    def last(self) -> bool:
        return self.stage == self.count - 1


@dataclass(frozen=True, eq=False)
class _Held:
    """Rows of a sample that are kept: target (T, C) as told and as seen, and how far (T, C), from 0 to 1."""

    told: Numbers
    seen: Numbers
    weights: Numbers

    def in_seen(self, rows: Numbers) -> Numbers:
        return np.asarray(rows + self.weights * (self.seen - rows))

    def in_told(self, rows: Numbers) -> Numbers:
        return np.where(self.weights >= 1.0, self.told, rows + self.weights * (self.told - rows))


class Matcher:
    """A stage of a clip that has `length` rows there; takes the place of a generator.

    `weights` (P, P) are the weights with which each part sees the others; `sway` varies the result. `check_cancelled`
    is called often and may raise.
    """

    def __init__(
        self,
        clip: ClipRows,
        length: int,
        place: Place,
        weights: Numbers,
        *,
        sway: Sway | None = None,
        check_cancelled: Callable[[], None] = never_cancelled,
    ) -> None:
        self._clip, self._place, self._weights, self._sway = clip, place, weights, sway
        self._check_cancelled = check_cancelled
        self._rows, self.clip_lengths = clip.at_length(length)
        self._reduced = clip.reduced(self._rows)
        self._spread = self._reduced.std(0)
        self._indices: dict[int, PatchIndex] = {}
        self.patch = place.patch(clip.pace, length)
        self.index(self.patch)

    @property
    def parts(self) -> int:
        """Parts of the body that are searched for one by one."""
        return len(self._clip.parts)

    def novelty(self, made: Rows) -> float:
        """Mean distance of the patches of rows (C, T) to the nearest of the clip, over that of two patches of it."""
        sample = self._seen(made)
        index = self.index(min(self.patch, len(sample)))
        return index.novelty(sample, sample_starts(len(sample), index.size, LONG_STRIDE, False), self._check_cancelled)

    def same_time(self, made: Rows, tolerance: int) -> float:
        """Share of rows (C, T) whose nearest row of the clip lies within `tolerance` rows of the same time."""
        return same_time(self._reduced.astype(np.float64), self._seen(made).astype(np.float64), tolerance=tolerance)

    def _seen(self, made: Rows) -> Numbers:
        """Reduced rows (T, D) of rows (C, T)."""
        return self._clip.reduced(self._clip.boundaries.seen(np.ascontiguousarray(made.T)))

    def refine(self, base: Rows, noise: Rows) -> Rows:
        """Rows (B, C, T) made of the clip's patches nearest to base + noise, `noise` (B, 1, T) or (B, C, T).

        Nothing but zeros at the first stage stands for the clip itself. Noise counts in deviations of the clip.
        """
        return self.refine_around(base, noise, Around())

    def refine_around(self, base: Rows, noise: Rows, around: Around) -> Rows:
        """Return the stage's output for rows of a circle, or of which some are kept."""
        held = None
        if around.target is not None and around.weights is not None:
            target = np.ascontiguousarray(around.target.T, dtype=np.float32)
            weights = np.ascontiguousarray(around.weights.T, dtype=np.float32)
            held = _Held(target, self._clip.boundaries.seen(target), weights)
        made = [self._one(x, z, around.circle, held) for x, z in zip(base, noise, strict=True)]
        return np.ascontiguousarray(np.stack(made).transpose(0, 2, 1))

    def coupled(self, weights: Numbers) -> Matcher:
        """Return this stage with other weights (P, P)."""
        other = copy.copy(self)
        other._weights = weights
        other._indices = {size: index.coupled(weights) for size, index in self._indices.items()}
        return other

    def _one(self, base: Rows, noise: Rows, circle: bool, held: _Held | None) -> Numbers:
        """Rows (T, C) from those of one sample (C, T)."""
        clip, length = self._clip, base.shape[1]
        if self._place.stage == 0 and not base.any():
            sample = self._reduced[np.arange(length) % len(self._reduced)]
        else:
            sample = self._seen(base)
        strength = float(np.sqrt(np.mean(np.square(noise, dtype=np.float64))))
        sample = sample + self._noise(noise, strength)
        index = self.index(min(self.patch, length)).coupled(self._weights_at(strength))
        starts = sample_starts(length, index.size, LONG_STRIDE if index.size > PATCH else STRIDE, circle)
        for _ in range(self._place.rounds - 1):
            found = index.nearest(
                _lapped(sample, index.size, circle), starts, not self._place.last, self._check_cancelled
            )
            if held is None:
                sample = self._laid(self._reduced, clip.columns, found, starts, index.size, length)
            else:
                sample = clip.reduced(held.in_seen(self._laid_whole(found, starts, index.size, length)))
        found = self._found_last(index, _lapped(sample, index.size, circle), starts, circle)
        made = self._laid_whole(found, starts, index.size, length)
        if held is not None:
            made = held.in_seen(made)
        elif self._sway is not None and len(noise) == 1:
            made = self._sway.changed(made, noise[0], circle)
        made = clip.boundaries.told(made)
        return made if held is None else held.in_told(made)

    def _found_last(self, index: PatchIndex, sample: Numbers, starts: NDArray[np.int64], circle: bool) -> Found:
        if self._place.last:
            return index.runs(sample, starts, SEAM, self._check_cancelled, laps=1 + circle)
        return index.nearest(sample, starts, True, self._check_cancelled)

    def _laid_whole(self, found: Found, starts: NDArray[np.int64], size: int, length: int) -> Numbers:
        """All rows (T, C) of patches that are found."""
        made = np.empty((length, self._rows.shape[1]), dtype=np.float32)
        for own, places in zip(self._clip.parts, found, strict=True):
            made[:, own] = average_patches(self._rows[:, own], places, starts, size, length)
        return made

    @staticmethod
    def _laid(
        rows: Numbers, columns: list[slice], found: Found, starts: NDArray[np.int64], size: int, length: int
    ) -> Numbers:
        pairs = zip(columns, found, strict=True)
        return np.concatenate(
            [average_patches(rows[:, own], places, starts, size, length) for own, places in pairs], axis=1
        )

    def index(self, size: int) -> PatchIndex:
        """The clip's patches of about so many rows, as many as its longest part has at most."""
        size = min(size, max(self.clip_lengths))
        if size not in self._indices:
            starts = clip_starts(self.clip_lengths, size)
            self._indices[size] = PatchIndex(self._reduced, self._clip.columns, starts, size, self._weights)
        return self._indices[size]

    def _weights_at(self, strength: float) -> Numbers:
        """Weights of the parts for each other (P, P): less, the stronger the noise.

        Above the first length weak noise ties them together until whole bodies are found; at the first one it does not,
        since there it is the order of the clip that it leaves as it is.
        """
        if self._place.stage == 0:
            strength = max(strength, 1.0)
        loosened = self._weights / np.float32(max(strength, 1e-3) ** 2)
        np.fill_diagonal(loosened, 1.0)
        return np.minimum(loosened, np.float32(1.0))

    def _noise(self, noise: Rows, strength: float) -> Numbers:
        """Noise of a sample's reduced rows (T, D): each component hears the noise from another place on."""
        if strength == 0.0:
            return np.zeros((1, 1), dtype=np.float32)
        if noise.shape[0] > 1:
            return self._clip.reduced(np.ascontiguousarray(noise.T)) - self._clip.reduced(np.zeros_like(noise.T[:1]))
        length, width = noise.shape[1], len(self._spread)
        random = np.random.default_rng(0)
        shifts = (random.random(width) * length).astype(int)
        signs = random.choice(np.array([-1.0, 1.0], dtype=np.float32), width)
        deviations = STRONG * strength**STEEP if self._place.stage == 0 else SLIGHT * strength
        heard = noise[0][(np.arange(length)[:, None] + shifts) % length]
        return heard * (signs * self._spread * np.float32(deviations / strength))


def _lapped(sample: Numbers, size: int, circle: bool) -> Numbers:
    """Rows that go on with the first ones after the last where they are a circle."""
    if not circle:
        return sample
    return np.concatenate([sample, sample[np.arange(size) % len(sample)]])
