"""A matched stage: its output is averaged from the clip's nearest patches, for each body part."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..evaluation.copying import SAME_TIME_FRAMES, same_time
from ..model.pyramid import Around, Rows
from ..numeric.rotation import Array
from .clip_rows import ClipRows
from .components import Numbers
from .orders import ClipOrder
from .patches import Matches, PatchIndex, average_patches, clip_starts, sample_starts
from .stage_index import PATCH_ROWS, StageIndex
from .sway import Sway

STRIDE_ROWS = 2
"""Rows from one patch of a sample to the next; the patches overlap by far more."""

LONG_STRIDE_ROWS = 3
"""Rows from one patch to the next for patches longer than PATCH_ROWS."""

COARSEST_NOISE_DEVIATIONS = 20.0
"""Amplitude of noise of strength 1 at the first length, in standard deviations of the clip: with little noise the clip
keeps its own order."""

COARSEST_NOISE_POWER = 2.0
"""Exponent of the strength at the first length: amplitudes differ in effect only below five deviations, so that most of
the range of strengths lies there."""

FINE_NOISE_DEVIATIONS = 0.2
"""Amplitude of noise of strength 1 above the first length, in standard deviations of the clip."""

MAX_KNOWN_ORDERS = 256
"""Best orders that are remembered: a live variation asks for two again and again, a farm for thousands once."""

SEAM_COST = 0.05
"""Cost of a break between patches at the last length, in mean squared distances of two patches."""

KEPT_COUPLING = 0.5
"""Factor of the coupling of free parts with parts that are kept."""

BATCH_COSTS = 1 << 23
"""Distances of samples that are searched together, about: so many that little of the time goes into Python itself."""


def never_cancelled() -> None:
    """Do nothing: the check for callers that never cancel."""


@dataclass(frozen=True, eq=False)
class _Target:
    """Rows (T, C) that a sample keeps, parent-relative and heading-relative, and their weights (T, C) from 0 to 1."""

    parent_relative: Numbers
    heading_relative: Numbers
    weights: Numbers

    def blend_heading_relative(self, rows: Numbers) -> Numbers:
        return np.asarray(rows + self.weights * (self.heading_relative - rows))

    def blend_parent_relative(self, rows: Numbers) -> Numbers:
        blended = rows + self.weights * (self.parent_relative - rows)
        return np.where(self.weights >= 1.0, self.parent_relative, blended)


class Matcher:
    """A matched stage, in place of a generator: its output consists of averaged patches of the clip.

    The clip has `length` rows at this stage. `weights` (P, P) are the weights of each part's squared distance in the
    search for another; `sway` varies the result. `check_cancelled` is called often and may raise.
    """

    def __init__(
        self,
        clip: ClipRows,
        length: int,
        stage: StageIndex,
        weights: Numbers,
        *,
        sway: Sway | None = None,
        check_cancelled: Callable[[], None] = never_cancelled,
    ) -> None:
        self._clip, self._stage, self._weights, self._sway = clip, stage, weights, sway
        self._check_cancelled = check_cancelled
        self._rows, self.clip_lengths = clip.at_length(length)
        self._reduced = clip.reduce(self._rows)
        self._deviations = self._reduced.std(0)
        self._share = length / sum(clip.clip_frames)
        self._best_orders: dict[bytes, list[int]] = {}
        self._indices: dict[int, PatchIndex] = {}
        self.patch_rows = stage.patch_rows(clip.pace_frames, length)
        self.index(self.patch_rows)

    @property
    def parts(self) -> int:
        """Number of body parts, each of which is searched for separately."""
        return len(self._clip.parts)

    def same_time(self, rows: Rows, tolerance: int) -> float:
        """Return the share of rows (C, T) whose nearest clip row lies within `tolerance` rows of the same time."""
        return same_time(self._reduced.astype(np.float64), self._reduce(rows).astype(np.float64), tolerance=tolerance)

    def best_orders(self, candidates: Rows, zeros: Rows, count: int = 1) -> NDArray[np.int64]:
        """Return which `count` of K noises make the best first outputs from zeros (1, C, T), the best one first, for
        each of some samples' `candidates` (B, K, 1, T): (B, count), see `ClipOrder.costs`.
        """
        keys = [codes.tobytes() for codes in candidates]
        found = {key: self._best_orders[key] for key in keys if key in self._best_orders}
        new = [number for number, key in enumerate(keys) if key not in found]
        if new:
            costs = self._order_costs(candidates[new].reshape(-1, *candidates.shape[2:]), zeros)
            best = costs.reshape(len(new), -1).argsort(1, kind="stable").tolist()
            found.update(zip([keys[number] for number in new], best, strict=True))
            if len(self._best_orders) > MAX_KNOWN_ORDERS:
                self._best_orders.clear()
            self._best_orders.update(found)
        return np.array([found[key][:count] for key in keys])

    def _order_costs(self, codes: Rows, zeros: Rows) -> Array:
        """Return the costs (N,) of first outputs for noises (N, 1, T)."""
        base = np.broadcast_to(zeros, (len(codes), *zeros.shape[1:]))
        outputs = (self._search(base[part], codes[part], False, None) for part in self._batches(codes))
        return np.concatenate([self._order.costs(self._clip.reduce(rows)) for rows in outputs])

    @cached_property
    def _order(self) -> ClipOrder:
        near = max(1, round(SAME_TIME_FRAMES * self._share))
        return ClipOrder(self._reduced, self._clip.columns, self.clip_lengths, near)

    def _reduce(self, rows: Rows, circle: bool = False) -> Numbers:
        """Return the reduced rows (..., T, D) of parent-relative rows (..., C, T)."""
        return self._clip.reduce(self._to_heading_relative(np.ascontiguousarray(rows.swapaxes(-1, -2)), circle))

    def _to_heading_relative(self, rows: Numbers, circle: bool) -> Numbers:
        return self._clip.boundaries.to_heading_relative(rows, self._share, circle)

    def refine(self, base: Rows, noise: Rows) -> Rows:
        """Return rows (B, C, T) of the clip patches nearest to base + noise; `noise` is (B, 1, T) or (B, C, T).

        At the first stage, a base of zeros stands for the clip itself. The unit of noise is the clip's deviation.
        """
        return self.refine_around(base, noise, Around())

    def refine_around(self, base: Rows, noise: Rows, around: Around) -> Rows:
        """Return the stage's output for rows of a circle, or of which some are kept."""
        target = None
        if around.target is not None and around.weights is not None:
            rows = np.ascontiguousarray(around.target.T, dtype=np.float32)
            weights = np.ascontiguousarray(around.weights.T, dtype=np.float32)
            target = _Target(rows, self._to_heading_relative(rows, around.circle), weights)
        samples = [self._refine_samples(base[part], noise[part], around.circle, target) for part in self._batches(base)]
        return np.ascontiguousarray(np.concatenate(samples).transpose(0, 2, 1))

    def _batches(self, rows: Rows) -> list[slice]:
        """Return slices of samples (B, C, T) that are searched together."""
        size = max(1, BATCH_COSTS * STRIDE_ROWS // (self.parts * rows.shape[2] * len(self._rows)))
        return [slice(start, start + size) for start in range(0, len(rows), size)]

    def coupled(self, weights: Numbers) -> Matcher:
        """Return this stage with other weights (P, P)."""
        other = copy.copy(self)
        other._weights, other._best_orders = weights, {}
        other._indices = {size: index.coupled(weights) for size, index in self._indices.items()}
        return other

    def _refine_samples(self, base: Rows, noise: Rows, circle: bool, target: _Target | None) -> Numbers:
        """Return the outputs (B, T, C) for samples' bases (B, C, T): parent-relative rows, with kept rows held, or with
        sway.
        """
        rows = self._search(base, noise, circle, target)
        if self._sway is not None and noise.shape[1] == 1:
            pairs = zip(rows, noise[:, 0], strict=True)
            rows = np.stack([self._sway.apply(one, code, circle, retimed=target is None) for one, code in pairs])
        if target is not None:
            rows = target.blend_heading_relative(rows)
        rows = self._clip.boundaries.to_parent_relative(rows, self._share, circle)
        return rows if target is None else target.blend_parent_relative(rows)

    def _search(self, base: Rows, noise: Rows, circle: bool, target: _Target | None) -> Numbers:
        """Return heading-relative rows (B, T, C), averaged from the patches that are found for bases (B, C, T)."""
        clip, length = self._clip, base.shape[2]
        strengths = np.sqrt(np.square(noise, dtype=np.float64).reshape(len(noise), -1).mean(1))
        samples = self._starts(base, circle) + self._noises(noise, strengths)
        index = self.index(min(self.patch_rows, length))
        weights = np.stack([self._weights_at(float(strength)) for strength in strengths])
        if target is not None:
            weights *= self._weights_beside_kept(target)
        stride = LONG_STRIDE_ROWS if index.size > PATCH_ROWS else STRIDE_ROWS
        starts = sample_starts(length, index.size, stride, circle)
        for _ in range(self._stage.rounds - 1):
            padded = _padded(samples, index.size, circle)
            matches = index.nearest(padded, starts, not self._stage.last, self._check_cancelled, weights)
            if target is None:
                samples = self._average_reduced(matches, starts, index.size, length)
            else:
                averaged = self._average(matches, starts, index.size, length)
                samples = clip.reduce(target.blend_heading_relative(averaged))
        matches = self._last_matches(index, _padded(samples, index.size, circle), starts, circle, weights)
        return self._average(matches, starts, index.size, length)

    def _starts(self, bases: Rows, circle: bool) -> Numbers:
        """Return the reduced rows (B, T, D) in which samples' searches begin."""
        unsearched = ~bases.any((1, 2)) if self._stage.index == 0 else np.zeros(len(bases), dtype=bool)
        own = self._reduced[np.arange(bases.shape[2]) % len(self._reduced)]
        if unsearched.all():
            return np.broadcast_to(own, (len(bases), *own.shape))
        return np.where(unsearched[:, None, None], own, self._reduce(bases, circle))

    def _last_matches(
        self, index: PatchIndex, samples: Numbers, starts: NDArray[np.int64], circle: bool, weights: Numbers
    ) -> Matches:
        if self._stage.last:
            rows = samples.shape[1] - index.size if circle else 0
            return index.runs(samples, starts, SEAM_COST, self._check_cancelled, weights, circle_rows=rows)
        return index.nearest(samples, starts, True, self._check_cancelled, weights)

    def _average(self, matches: Matches, starts: NDArray[np.int64], size: int, length: int) -> Numbers:
        """Return heading-relative rows (B, T, C) averaged from samples' matched patches (B, P, N)."""
        rows = np.empty((len(matches), length, self._rows.shape[1]), dtype=np.float32)
        for part, channels in enumerate(self._clip.parts):
            rows[..., channels] = average_patches(self._rows[:, channels], matches[:, part], starts, size, length)
        return rows

    def _average_reduced(self, matches: Matches, starts: NDArray[np.int64], size: int, length: int) -> Numbers:
        """Return reduced rows (B, T, D) averaged from samples' matched patches (B, P, N)."""
        parts = [
            average_patches(self._reduced[:, columns], matches[:, part], starts, size, length)
            for part, columns in enumerate(self._clip.columns)
        ]
        return np.concatenate(parts, axis=2)

    def index(self, size: int) -> PatchIndex:
        """Return the clip's patches of `size` rows, or of its longest part between cuts if that is shorter."""
        size = min(size, max(self.clip_lengths))
        if size not in self._indices:
            starts = clip_starts(self.clip_lengths, size)
            self._indices[size] = PatchIndex(self._reduced, self._clip.columns, starts, size, self._weights)
        return self._indices[size]

    def _weights_at(self, strength: float) -> Numbers:
        """Return the weights of the parts for each other (P, P) at a noise strength: stronger noise lowers them.

        Above the first length, weak noise raises them until whole bodies are matched. At the first length it does not,
        because there weak noise already keeps the order of the clip.
        """
        if self._stage.index == 0:
            strength = max(strength, 1.0)
        weights = self._weights / np.float32(max(strength, 1e-3) ** 2)
        np.fill_diagonal(weights, 1.0)
        return np.minimum(weights, np.float32(1.0))

    def _weights_beside_kept(self, target: _Target) -> Numbers:
        """Return factors (P, P) of the weights: kept parts count less for free ones, which would copy the clip."""
        kept = np.array([target.weights[:, channels].min() >= 1.0 for channels in self._clip.parts])
        factors = np.ones((self.parts, self.parts), dtype=np.float32)
        factors[np.ix_(~kept, kept)] = KEPT_COUPLING**2
        return factors

    def _noises(self, noise: Rows, strengths: Array) -> Numbers:
        """Return the noise of samples' reduced rows (B, T, D): each component has a shifted latent."""
        if not strengths.any():
            return np.zeros((1, 1, 1), dtype=np.float32)
        if noise.shape[1] > 1:
            rows = np.ascontiguousarray(noise.swapaxes(1, 2))
            return self._clip.reduce(rows) - self._clip.reduce(np.zeros_like(rows[0, :1]))
        length, width = noise.shape[2], len(self._deviations)
        random = np.random.default_rng(0)
        shifts = (random.random(width) * length).astype(int)
        signs = random.choice(np.array([-1.0, 1.0], dtype=np.float32), width)
        if self._stage.index == 0:
            amplitudes = COARSEST_NOISE_DEVIATIONS * strengths ** (COARSEST_NOISE_POWER - 1.0)
        else:
            amplitudes = np.full(len(strengths), FINE_NOISE_DEVIATIONS)
        shifted = noise[:, 0, (np.arange(length)[:, None] + shifts) % length]
        return shifted * (signs * self._deviations * amplitudes[:, None].astype(np.float32))[:, None]


def _padded(samples: Numbers, size: int, circle: bool) -> Numbers:
    """Return rows (B, T, D), for a circle followed by the first `size` of them again."""
    if not circle:
        return samples
    return np.concatenate([samples, samples[:, np.arange(size) % samples.shape[1]]], axis=1)
