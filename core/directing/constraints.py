"""Constraints of a composition at each stage of the pyramid: target rows, weights, and blending towards them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..model.channels import Channels
from ..model.model import Model
from ..model.pyramid import Around, Rows, resize
from ..motion.motion import RATE
from ..motion.resampling import stretch_rows
from ..motion.skeleton import GROUP
from ..numeric.blending import DECAY_FRAMES, FIXED, least_jerk_offsets, patterns_of
from ..numeric.rotation import Array
from ..numeric.smoothing import runs_of
from .composition import Composition
from .infill import Constraints
from .row_headings import RowHeadings

MIN_DECAY_ROWS = 1.6
"""Smallest decay of an offset in rows of a stage; less would be a step."""


class PyramidConstraints:
    """Target (frames, channels) of a composition at 30 fps, resampled to the length of any stage.

    A row with kept and free frames is kept by the share of kept frames, with their mean as its target.
    """

    def __init__(self, model: Model, composition: Composition, features: Array, lengths: list[int]) -> None:
        channels = model.channels
        self.lengths, self.loop = lengths, composition.loop
        self.frames = len(features)
        self.rows: Rows = channels.encode(features)[None]
        self.keeping = _group_weights(channels, self._resample_weights(composition.keep))
        self.entering = self.keeping
        if composition.enter is not None:
            self.entering = _group_weights(channels, self._resample_weights(composition.enter))
        self.compass = RowHeadings(channels, model.source)
        self._anchored, self._placed = composition.anchored, not composition.travels
        self._seen: dict[int, tuple[Array, Array]] = {}

    def _resample_weights(self, weights: Array) -> Array:
        """Resample weights (T, groups) to 30 fps, (frames, groups)."""
        stretched = stretch_rows(weights[: len(weights) - self.loop], self.frames)
        # A single key between two rows would be lost: each row gets at least the weight of its nearest frames.
        if len(weights) > self.frames + 1:
            share = len(weights) / self.frames
            at = np.minimum(((np.arange(len(weights)) + 0.5) / share).astype(int), self.frames - 1)
            nearest = np.zeros_like(stretched)
            np.maximum.at(nearest, at, weights)
            stretched = np.where(stretched >= FIXED, stretched, np.maximum(stretched, np.minimum(nearest, 0.999)))
        return stretched

    @property
    def longest_run(self) -> int:
        """Frames of the longest run with a free group; 0 if every frame has one."""
        free = (self.keeping < 0.5).any(1)
        return max((stop - start for start, stop in runs_of(free)), default=0) if not free.all() else 0

    def kept(self, stage: int) -> Constraints:
        """Return the rows that enter a stage, for choosing gap fillers."""
        rate = RATE * self.lengths[stage] / self.frames
        target, weights = self._rows(stage, self.entering)
        return Constraints(target, weights, self.loop, self.compass, rate, self._anchored, self._placed)

    def enter(self, x: Rows, stage: int) -> Rows:
        """Blend rows (B, C, T) of a stage towards the entering content."""
        return self._blend_towards(x, *self._rows(stage, self.entering), stage)

    def keep(self, x: Rows, stage: int) -> Rows:
        """Blend rows (B, C, T) of a stage towards the kept content."""
        return self._blend_towards(x, *self._rows(stage, self.keeping), stage)

    def around(self, stage: int) -> Around:
        """Target and weights of what is kept, for a stage that minds it itself."""
        target, weights = self._rows(stage, self.keeping)
        held = np.repeat(np.where(weights >= FIXED, 1.0, weights), GROUP, axis=1)
        if not held.any():
            return Around(self.loop)
        return Around(self.loop, target.astype(np.float32), held.T.astype(np.float32))

    def _rows(self, stage: int, weights: Array) -> tuple[Array, Array]:
        key = 2 * stage + (weights is self.keeping)
        if key not in self._seen:
            self._seen[key] = self._resampled(self.lengths[stage], weights)
        return self._seen[key]

    def _resampled(self, length: int, weights: Array) -> tuple[Array, Array]:
        target = resize(self.rows, length)[0].astype(np.float64)
        tents, at = _tents(self.frames, length)
        mixed = np.zeros((length, weights.shape[1]))
        for groups, pattern in patterns_of(weights):
            kept = tents * pattern[at]
            share = kept.sum(1)
            mixed[:, groups] = share[:, None]
            in_part = np.flatnonzero((share > 1e-6) & (share < FIXED))
            if len(in_part):
                columns = (groups[:, None] * GROUP + np.arange(GROUP)).reshape(-1)
                near = kept[in_part] / share[in_part, None]
                around = self.rows[0][columns[:, None, None], at[in_part]]
                target[np.ix_(columns, in_part)] = np.einsum("crf,rf->cr", around, near)
        return target, mixed

    def _blend_towards(self, x: Rows, target: Array, weights: Array, stage: int) -> Rows:
        """Set kept rows to the target and blend free rows (B, C, T) towards it."""
        decay = max(MIN_DECAY_ROWS, DECAY_FRAMES * self.lengths[stage] / self.frames)
        values = x.astype(np.float64)
        offsets = target - values
        for groups, pattern in patterns_of(weights):
            columns = (groups[:, None] * GROUP + np.arange(GROUP)).reshape(-1)
            known = offsets[:, columns]
            flat = known.transpose(2, 0, 1).reshape(len(pattern), -1)
            moved = flat if (pattern >= FIXED).all() else least_jerk_offsets(flat, pattern, decay, loop=self.loop)
            values[:, columns] += moved.reshape(len(pattern), *known.shape[:2]).transpose(1, 2, 0)
        return values.astype(np.float32)


def _group_weights(channels: Channels, weights: Array) -> Array:
    """Convert weights (T, groups of the skeleton) to (T, learned groups); a joint PCA gets the mean of its members."""
    first = channels.skeleton.groups
    columns = [
        weights[:, g] if g < first else weights[:, list(channels.joint_pcas[g - first].members)].mean(1)
        for g in channels.groups
    ]
    return np.stack(columns, axis=1)


def _tents(frames: int, length: int) -> tuple[Array, NDArray[np.int64]]:
    """Return the weights (length, K) of the frames around each row, falling to 0 at the next row, and their indices."""
    span = max(frames / length, 1.0)
    centres = (np.arange(length) + 0.5) * (frames / length) - 0.5
    at = np.floor(centres - span).astype(np.int64)[:, None] + np.arange(int(2.0 * span) + 3)
    tents = np.maximum(1.0 - np.abs(at - centres[:, None]) / span, 0.0) * ((at >= 0) & (at < frames))
    return tents / tents.sum(1, keepdims=True), at.clip(0, frames - 1)
