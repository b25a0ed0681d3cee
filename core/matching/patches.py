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

EVENNESS_SHARE = 0.005
"""Share of the mean distance of two clip patches that is added to the least distance of each clip patch before other
distances are divided by it: the smaller the share, the more evenly all patches of the clip are used."""

Matches = NDArray[np.int64]
"""First clip row of the patch matched to each patch of a sample, (parts, patches)."""


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
        self, rows: Numbers, starts: NDArray[np.int64], evenly: bool, check_cancelled: Callable[[], None]
    ) -> Matches:
        """Return the clip patches nearest to the patches of a sample's rows (T, D) at `starts` (N,).

        With `evenly`, distances are relative to the least distance of each clip patch, so that all clip patches are
        used about equally.
        """
        sample = self._project(rows, starts)
        blocks: Sequence[Numbers] | None = None
        if evenly and len(starts) * len(self.starts) <= MAX_CACHED_COSTS:
            blocks = list(self._costs(sample, check_cancelled))
        least = self._least(blocks or self._costs(sample, check_cancelled)) if evenly else None
        indices = []
        for costs in blocks or self._costs(sample, check_cancelled):
            if least is not None:
                costs /= least[:, None]
            indices.append(costs.argmin(2))
        return self.starts[np.concatenate(indices, axis=1)]

    def coupled(self, weights: Numbers) -> PatchIndex:
        """Return this index with other weights (P, P)."""
        other = copy.copy(self)
        other._weights, other.mean_squared_distances = weights, weights @ self._part_means
        return other

    def novelty(self, rows: Numbers, starts: NDArray[np.int64], check_cancelled: Callable[[], None]) -> float:
        """Return the mean distance of a sample's patches to the nearest clip patch, all parts together.

        The unit is the distance of two patches of the clip (root mean square).
        """
        whole = self.coupled(np.ones((1, len(self._part_means)), dtype=np.float32))
        least = [costs.min(2) for costs in whole._costs(self._project(rows, starts), check_cancelled)]
        distances = np.sqrt(np.maximum(np.concatenate(least, axis=1), 0.0))
        return float(distances.mean() / np.sqrt(whole.mean_squared_distances[0]))

    def runs(
        self,
        rows: Numbers,
        starts: NDArray[np.int64],
        seam_cost: float,
        check_cancelled: Callable[[], None],
        *,
        laps: int = 1,
    ) -> Matches:
        """Return the clip patches on the path of least cost: near to a sample's patches, in runs of consecutive rows.

        A patch that does not continue the one before costs `seam_cost` mean squared distances more. For a circle,
        `laps` of 2 lets the first patches continue the last ones.
        """
        sample = [np.concatenate([part] * laps) for part in self._project(rows, starts)]
        steps = np.diff(np.tile(starts, laps), prepend=0)
        steps[steps <= 0] = len(self.starts)  # no run continues from one lap to the next
        paths = _Paths(self.starts, len(sample), (seam_cost * self.mean_squared_distances).astype(np.float32))
        for costs in self._costs(sample, check_cancelled):
            for k in range(costs.shape[1]):
                paths.append(costs[:, k], int(steps[paths.length]))
        return self.starts[paths.trace(steps)[:, -len(starts) :]]

    def _project(self, rows: Numbers, starts: NDArray[np.int64]) -> list[Numbers]:
        """Return the components of each part's patches (N, K) at `starts` (N,) of rows (T, D)."""
        parts = zip(self._components, self._columns, strict=True)
        return [components.project(self._windows(rows[:, columns], starts)) for components, columns in parts]

    def _windows(self, rows: Numbers, starts: NDArray[np.int64]) -> Numbers:
        """Return patches of rows (T, D) as amplitudes of cosines over time (N, D × cosines)."""
        view = np.lib.stride_tricks.sliding_window_view(rows, self.size, axis=0)[starts]
        return (view @ self._cosines).reshape(len(starts), -1)

    def _least(self, blocks: Iterator[Numbers] | Sequence[Numbers]) -> Numbers:
        """Return the least distance of each clip patch to a patch of the sample, (P, n), a little above zero."""
        least = np.full((len(self._patches), len(self.starts)), np.inf, dtype=np.float32)
        for costs in blocks:
            np.minimum(least, costs.min(1), out=least)
        return np.maximum(least, 0.0) + EVENNESS_SHARE * self.mean_squared_distances[:, None]

    def _costs(self, sample: Sequence[Numbers], check_cancelled: Callable[[], None]) -> Iterator[Numbers]:
        """Yield squared distances (P, block, n) of a sample's patches to the clip's, weighted over the parts."""
        parts, count, width = len(sample), len(sample[0]), len(self.starts)
        step = max(1, BLOCK_COSTS // width)
        for start in range(0, count, step):
            check_cancelled()
            block = [part[start : start + step] for part in sample]
            tables = np.empty((parts, len(block[0]), width), dtype=np.float32)
            for part, patches in enumerate(block):
                np.matmul(patches, self._patches[part], out=tables[part])
                tables[part] += self._squares[part]
                tables[part] += (patches * patches).sum(1)[:, None]
            yield (self._weights @ tables.reshape(parts, -1)).reshape(-1, len(block[0]), width)


class _Paths:
    """Paths of least cost through a table of costs that arrives row by row, one path for each part.

    Only one bit is stored for each entry: whether the path continues from the patch before.
    """

    def __init__(self, starts: NDArray[np.int64], parts: int, seam_costs: Numbers) -> None:
        self._starts, self._seam_costs = starts, seam_costs[:, None]
        self._totals = np.zeros((parts, len(starts)), dtype=np.float32)
        self._continues: list[NDArray[np.uint8]] = []
        self._best: list[NDArray[np.int64]] = []
        self._consecutive: dict[int, NDArray[np.bool_]] = {}

    @property
    def length(self) -> int:
        return len(self._best)

    def append(self, costs: Numbers, step: int) -> None:
        """Extend the paths by a row of costs (P, n), of a patch `step` rows after the one before."""
        bits = np.zeros(costs.shape, dtype=np.bool_)
        if self._best and step < len(self._starts):
            if step not in self._consecutive:
                self._consecutive[step] = self._starts[step:] - self._starts[:-step] == step
            before = self._totals[:, :-step]
            bits[:, step:] = (before < self._seam_costs) & self._consecutive[step]
            totals = np.broadcast_to(self._seam_costs, costs.shape).copy()
            np.copyto(totals[:, step:], before, where=bits[:, step:])
            costs = costs + totals
        self._totals = costs - costs.min(1, keepdims=True)
        self._best.append(self._totals.argmin(1))
        self._continues.append(np.packbits(bits, axis=1))

    def trace(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the patch indices (P, N) of the paths, traced back from their ends."""
        indices = np.zeros((len(self._seam_costs), self.length), dtype=np.int64)
        for part, path in enumerate(indices):
            index = int(self._best[-1][part])
            for row in range(self.length - 1, 0, -1):
                path[row] = index
                bit = self._continues[row][part, index >> 3] >> (7 - (index & 7)) & 1
                index = index - int(steps[row]) if bit else int(self._best[row - 1][part])
            path[0] = index
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
    """Return rows (length, D) of a sample as the weighted mean of its overlapping patches.

    The patches are those of the clip's rows (T, D) that begin at `matches` (N,); in the sample they begin at `starts`
    (N,). The middle of a patch has the largest weight. Rows beyond the last one wrap around to the first.
    """
    window, stride = _window(size), int(starts[1] - starts[0]) if len(starts) > 1 else 1
    even = len(starts) if starts[-1] == stride * (len(starts) - 1) else len(starts) - 1
    total = np.zeros((length + size, rows.shape[1]), np.float32)
    weights = np.zeros(length + size, np.float32)
    for k in range(size):
        weighted = rows.take(matches + k, axis=0)
        weighted *= window[k]
        total[k : k + stride * even : stride] += weighted[:even]
        weights[k : k + stride * even : stride] += window[k]
        if even < len(starts):
            total[starts[-1] + k] += weighted[-1]
            weights[starts[-1] + k] += window[k]
    total[:size] += total[length:]
    weights[:size] += weights[length:]
    return np.asarray(total[:length] / weights[:length, None])


@lru_cache
def _window(size: int) -> Numbers:
    """Return the weight of each row of a patch (size,)."""
    return np.hanning(size + 2)[1:-1].astype(np.float32)
