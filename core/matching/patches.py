"""Search for the clip's patches nearest to those of a sample, for each body part, weighted by the other parts.

The squared distance of two patches is a sum over a diagonal of the table of row distances. It is computed at once from
principal components of the clip's patches, a few dozen for each part. The rest of a sample's patch, outside these
components, is equally far from every patch of the clip, so the nearest patch is the same.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..numeric.matrix_product import matrix_product
from .components import Components, Numbers

MIN_VARIANCE_SHARE = 0.995
"""Share of the variance of a part's patches that its components hold, unless that takes more than MAX_COMPONENTS."""

MAX_COMPONENTS = 32
"""Components of a part's patches at most."""

MAX_COSINES = 11
"""Cosines over time, the slowest ones, from which the components of patches are computed; faster detail is ignored."""

BLOCK_COSTS = 1 << 18
"""Distances of a part that are computed at once, about: they fit a core's cache."""

MAX_CACHED_COSTS = 1 << 21
"""Distances of a part up to which a table is cached; a larger one is computed again for its second reading."""

LEAD_PATCHES = 32
"""Last patches of a circle with which its path begins: far more than a path takes to forget its beginning."""

EVENNESS_SHARE = 0.005
"""Share of the mean distance of two clip patches that is added to the least distance of each clip patch before other
distances are divided by it: the smaller the share, the more evenly all patches of the clip are used."""

Matches = NDArray[np.int64]
"""First clip row of the patch matched to each patch of each sample, (samples, parts, patches)."""


class PatchIndex:
    """The patches of a clip at one length.

    `rows` (T, D) are the clip's reduced rows and `columns` those of each part. `starts` (n,) are the first rows of its
    patches of `size` rows; none crosses a cut. `weights` (P, P) are the weights of each part's squared distance in the
    search for another part.
    """

    def __init__(
        self, rows: Numbers, columns: Sequence[slice], starts: NDArray[np.int64], size: int, weights: Numbers
    ) -> None:
        self.starts, self.size, self._columns, self._weights = starts, size, columns, weights
        self._cosines = _cosines(size, min(size, MAX_COSINES))
        windows = [self._windows(rows[:, part_columns], starts) for part_columns in columns]
        self._components = [Components.fit(part, MIN_VARIANCE_SHARE, MAX_COMPONENTS) for part in windows]
        patches = [components.project(part) for components, part in zip(self._components, windows, strict=True)]
        self._patches = [np.ascontiguousarray(-2.0 * part.T) for part in patches]
        self._squares = [(part * part).sum(1) for part in patches]
        self._part_means = np.array([max(2.0 * float(part.mean()), 1e-12) for part in self._squares], dtype=np.float32)
        self.mean_squared_distances = weights @ self._part_means
        """Mean squared distance of two patches of the clip, for each part (P,)."""

    def nearest(
        self,
        rows: Numbers,
        starts: NDArray[np.int64],
        evenly: bool,
        check_cancelled: Callable[[], None],
        weights: Numbers | None = None,
    ) -> Matches:
        """Return the clip patches nearest to the patches of samples' rows (B, T, D) at `starts` (N,).

        With `evenly`, distances are relative to the least distance of each clip patch to the same sample, so that all
        clip patches are used about equally. `weights` (B, P, P) replace those of the index.
        """
        samples = self._project(rows, starts)
        blocks: Sequence[Numbers] | None = None
        if evenly and len(rows) * len(starts) * len(self.starts) <= MAX_CACHED_COSTS:
            blocks = list(self._costs(samples, check_cancelled, weights))
        least = None
        if evenly:
            means = self._mean_squared_distances(weights)
            least = self._least(blocks or self._costs(samples, check_cancelled, weights), means)
        indices = []
        for costs in blocks or self._costs(samples, check_cancelled, weights):
            if least is not None:
                costs /= least[:, :, None]
            indices.append(costs.argmin(3))
        return self.starts[np.concatenate(indices, axis=2)]

    def coupled(self, weights: Numbers) -> PatchIndex:
        """Return this index with other weights (P, P)."""
        other = copy.copy(self)
        other._weights, other.mean_squared_distances = weights, weights @ self._part_means
        return other

    def runs(
        self,
        rows: Numbers,
        starts: NDArray[np.int64],
        seam_cost: float,
        check_cancelled: Callable[[], None],
        weights: Numbers | None = None,
        *,
        circle_rows: int = 0,
    ) -> Matches:
        """Return the clip patches on paths of least cost: near to patches of samples' rows (B, T, D), in consecutive
        runs.

        A patch that does not continue the one before costs `seam_cost` mean squared distances more. In a circle of
        `circle_rows` rows, the first patches continue the last ones, which the path begins with for that. `weights`
        (B, P, P) replace those of the index.
        """
        again = min(LEAD_PATCHES, len(starts)) if circle_rows else 0
        lead = len(starts) - again
        samples = [np.concatenate([part[:, lead:], part], axis=1) for part in self._project(rows, starts)]
        steps = np.diff(np.concatenate([starts[lead:] - circle_rows, starts]), prepend=0)
        means = np.broadcast_to(self._mean_squared_distances(weights), (len(rows), len(samples)))
        paths = _Paths(self.starts, (seam_cost * means).astype(np.float32))
        for costs in self._costs(samples, check_cancelled, weights):
            for k in range(costs.shape[2]):
                paths.append(costs[:, :, k], int(steps[paths.length]))
        return self.starts[paths.trace(steps)[..., again:]]

    def _mean_squared_distances(self, weights: Numbers | None) -> Numbers:
        """Return the mean squared distance of two patches of the clip, for each part (P,), or (B, P) for `weights`."""
        return self.mean_squared_distances if weights is None else np.asarray(weights @ self._part_means)

    def _project(self, rows: Numbers, starts: NDArray[np.int64]) -> list[Numbers]:
        """Return the components of each part's patches (B, N, K) at `starts` (N,) of rows (B, T, D)."""
        parts = zip(self._components, self._columns, strict=True)
        return [components.project(self._windows(rows[..., columns], starts)) for components, columns in parts]

    def _windows(self, rows: Numbers, starts: NDArray[np.int64]) -> Numbers:
        """Return patches of rows (..., T, D) as amplitudes of cosines over time (..., N, D × cosines)."""
        view = np.lib.stride_tricks.sliding_window_view(rows, self.size, axis=-2)[..., starts, :, :]
        return matrix_product(view, self._cosines).reshape(*rows.shape[:-2], len(starts), -1)

    def _least(self, blocks: Iterator[Numbers] | Sequence[Numbers], means: Numbers) -> Numbers:
        """Return the least distance of each clip patch to a patch of a sample, (B, P, n), a little above zero.

        `means` (P,) or (B, P) are mean squared distances of two clip patches.
        """
        least: Numbers | None = None
        for costs in blocks:
            nearest = costs.min(2)
            least = nearest if least is None else np.minimum(least, nearest, out=least)
        assert least is not None  # a sample has at least one patch
        return np.maximum(least, 0.0) + EVENNESS_SHARE * means[..., None]

    def _costs(
        self, samples: Sequence[Numbers], check_cancelled: Callable[[], None], weights: Numbers | None = None
    ) -> Iterator[Numbers]:
        """Yield squared distances (B, P, block, n) of samples' patches to the clip's, weighted over the parts.

        Each sample has the same operations on arrays of the same shape, however many there are: the result does not
        depend on their number, to the bit.
        """
        (count, patches), width = samples[0].shape[:2], len(self.starts)
        step = max(1, BLOCK_COSTS // width)
        for start in range(0, patches, step):
            check_cancelled()
            blocks = [part[:, start : start + step] for part in samples]
            tables = np.empty((count, len(samples), blocks[0].shape[1], width), dtype=np.float32)
            for part, block in enumerate(blocks):
                matrix_product(block, self._patches[part], out=tables[:, part])
                tables[:, part] += self._squares[part]
                tables[:, part] += (block * block).sum(2)[:, :, None]
            flat = tables.reshape(count, len(samples), -1)
            weighted = matrix_product(self._weights if weights is None else weights, flat)
            yield weighted.reshape(count, -1, blocks[0].shape[1], width)


class _Paths:
    """Paths of least cost through a table of costs that arrives row by row, one path for each part of each sample.

    `seam_costs` (B, P) are added where a patch does not continue the one before. Only one bit is stored for each entry:
    whether the path continues from the patch before.
    """

    def __init__(self, starts: NDArray[np.int64], seam_costs: Numbers) -> None:
        self._starts, self._seam_costs = starts, seam_costs[..., None]
        self._totals = np.zeros((*seam_costs.shape, len(starts)), dtype=np.float32)
        self._continues: list[NDArray[np.uint8]] = []
        self._best: list[NDArray[np.int64]] = []
        self._consecutive: dict[int, NDArray[np.bool_]] = {}

    @property
    def length(self) -> int:
        return len(self._best)

    def append(self, costs: Numbers, step: int) -> None:
        """Extend the paths by a row of costs (B, P, n), of a patch `step` rows after the one before."""
        bits = np.zeros(costs.shape, dtype=np.bool_)
        if self._best and step < len(self._starts):
            if step not in self._consecutive:
                self._consecutive[step] = self._starts[step:] - self._starts[:-step] == step
            before = self._totals[..., :-step]
            bits[..., step:] = (before < self._seam_costs) & self._consecutive[step]
            totals = np.broadcast_to(self._seam_costs, costs.shape).copy()
            np.copyto(totals[..., step:], before, where=bits[..., step:])
            costs = costs + totals
        self._totals = costs - costs.min(2, keepdims=True)
        self._best.append(self._totals.argmin(2))
        self._continues.append(np.packbits(bits, axis=2))

    def trace(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the patch indices (B, P, N) of the paths, traced back from their ends."""
        index = self._best[-1]
        indices = np.zeros((*index.shape, self.length), dtype=np.int64)
        for row in range(self.length - 1, 0, -1):
            indices[..., row] = index
            octets = np.take_along_axis(self._continues[row], (index >> 3)[..., None], axis=2)[..., 0]
            bits = (octets >> (7 - (index & 7)).astype(np.uint8)) & 1
            index = np.where(bits, index - int(steps[row]), self._best[row - 1])
        indices[..., 0] = index
        return indices


def _cosines(size: int, count: int) -> Numbers:
    """Return the slowest cosines over patches of `size` rows, orthonormal, (size, count)."""
    angles = np.pi / size * (np.arange(size)[:, None] + 0.5) * np.arange(count)
    cosines = np.cos(angles) * np.sqrt(2.0 / size)
    cosines[:, 0] = np.sqrt(1.0 / size)
    return cosines.astype(np.float32)


def clip_starts(lengths: Sequence[int], size: int) -> NDArray[np.int64]:
    """Return the first rows of all patches within consecutive clips of these lengths."""
    ends = np.cumsum([0, *lengths])
    parts = [np.arange(start, max(stop - size + 1, start)) for start, stop in itertools.pairwise(ends)]
    return np.concatenate(parts)


def sample_starts(length: int, size: int, stride: int, circle: bool) -> NDArray[np.int64]:
    """Return the first rows of a sample's patches, every `stride` rows, so that each row is in at least one."""
    if circle:
        return np.arange(0, length, stride)
    starts = np.arange(0, length - size + 1, stride)
    return starts if starts[-1] == length - size else np.append(starts, length - size)


def average_patches(
    rows: Numbers, matches: NDArray[np.int64], starts: NDArray[np.int64], size: int, length: int
) -> Numbers:
    """Return rows (..., length, D) of samples as the weighted mean of their overlapping patches.

    The patches are those of the clip's rows (T, D) that begin at `matches` (..., N); in a sample they begin at `starts`
    (N,). The middle of a patch has the largest weight. Rows beyond the last one wrap around to the first.
    """
    window, stride = _window(size), int(starts[1] - starts[0]) if len(starts) > 1 else 1
    even = len(starts) if starts[-1] == stride * (len(starts) - 1) else len(starts) - 1
    total = np.zeros((*matches.shape[:-1], length + size, rows.shape[1]), np.float32)
    weights = np.zeros(length + size, np.float32)
    for k in range(size):
        weighted = rows.take(matches + k, axis=0)
        weighted *= window[k]
        total[..., k : k + stride * even : stride, :] += weighted[..., :even, :]
        weights[k : k + stride * even : stride] += window[k]
        if even < len(starts):
            total[..., starts[-1] + k, :] += weighted[..., -1, :]
            weights[starts[-1] + k] += window[k]
    total[..., :size, :] += total[..., length:, :]
    weights[:size] += weights[length:]
    return np.asarray(total[..., :length, :] / weights[:length, None])


@lru_cache
def _window(size: int) -> Numbers:
    """Return the weight of each row of a patch (size,)."""
    return np.hanning(size + 2)[1:-1].astype(np.float32)
