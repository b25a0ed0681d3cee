"""Search for patches of a sample in a clip, for each part of the body by itself and with an eye on the others.

Squared distances of patches are sums along the diagonals of tables of rows. Here they are taken at once from principal
components of the clip's own patches, a few dozen for each part: what lies outside them is as far from every patch of
the clip, so the nearest is the same.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .components import Components, Numbers

VARIANCE, MAX_COMPONENTS = 0.995, 32
"""Share of the variance of a part's patches that is told, by so many components at most."""

SLOWEST_WAVES = 11
"""Cosines in time by which a patch is told before its components are sought: details faster than that tell nothing."""

BLOCK = 1 << 18
"""Distances of a part that are made at once, about: they fit a core's cache."""

MAX_KEPT = 1 << 21
"""Distances of a part up to which a table is kept; larger ones are made twice where they are read twice."""

USED_EVENLY = 0.005
"""Share of the mean distance of two patches of a clip that is added to the least distance of each before others are
told beside it: the less, the more evenly all of the clip is used."""

Found = NDArray[np.int64]
"""First rows in a clip of the patches that a sample's are found at, (parts, patches)."""


class PatchIndex:
    """The patches of a clip at one length.

    `rows` (T, D) are the clip's, `columns` those of each part, `starts` (n,) the first rows of its patches of `size`
    rows, none across a cut; `weights` (P, P) say how much of the squared distance of each part counts for another.
    """

    def __init__(
        self, rows: Numbers, columns: Sequence[slice], starts: NDArray[np.int64], size: int, weights: Numbers
    ) -> None:
        self.starts, self.size, self._columns, self._weights = starts, size, columns, weights
        self._waves = _cosines(size, min(size, SLOWEST_WAVES))
        windows = [self._windows(rows[:, own], starts) for own in columns]
        self._components = [Components.of(part, VARIANCE, MAX_COMPONENTS) for part in windows]
        told = [known.tell(part) for known, part in zip(self._components, windows, strict=True)]
        self._patches = [np.ascontiguousarray(-2.0 * part.T) for part in told]
        self._squares = [(part * part).sum(1) for part in told]
        self._own = np.array([max(2.0 * float(part.mean()), 1e-12) for part in self._squares], dtype=np.float32)
        self.usual = weights @ self._own
        """Mean squared distance of two patches of the clip, for each part."""

    def nearest(
        self, rows: Numbers, starts: NDArray[np.int64], evenly: bool, check_cancelled: Callable[[], None]
    ) -> Found:
        """The patches that are nearest to those of a sample's rows (T, D) at `starts` (N,).

        With `evenly`, patches of the clip that nothing is near to are as near as those that much is near to.
        """
        told = self._tell(rows, starts)
        blocks: Sequence[Numbers] | None = None
        if evenly and len(starts) * len(self.starts) <= MAX_KEPT:
            blocks = list(self._costs(told, check_cancelled))
        least = self._least(blocks or self._costs(told, check_cancelled)) if evenly else None
        found = []
        for costs in blocks or self._costs(told, check_cancelled):
            if least is not None:
                costs /= least[:, None]
            found.append(costs.argmin(2))
        return self.starts[np.concatenate(found, axis=1)]

    def coupled(self, weights: Numbers) -> PatchIndex:
        """Return this index with other weights (P, P)."""
        other = copy.copy(self)
        other._weights, other.usual = weights, weights @ self._own
        return other

    def novelty(self, rows: Numbers, starts: NDArray[np.int64], check_cancelled: Callable[[], None]) -> float:
        """Mean distance of a sample's whole patches to the nearest of the clip, over that of two of the clip."""
        whole = self.coupled(np.ones((1, len(self._own)), dtype=np.float32))
        least = [costs.min(2) for costs in whole._costs(self._tell(rows, starts), check_cancelled)]
        return float(np.sqrt(np.maximum(np.concatenate(least, axis=1), 0.0)).mean() / np.sqrt(whole.usual[0]))

    def runs(
        self,
        rows: Numbers,
        starts: NDArray[np.int64],
        seam: float,
        check_cancelled: Callable[[], None],
        *,
        laps: int = 1,
    ) -> Found:
        """Patches near to those of a sample that follow on each other in the clip: the path of least cost.

        Where it does not go on from the patch before, it costs `seam` usual distances more. Of a circle, `laps` of 2
        let the first patches follow on the last ones.
        """
        told = [np.concatenate([part] * laps) for part in self._tell(rows, starts)]
        steps = np.diff(np.tile(starts, laps), prepend=0)
        steps[steps <= 0] = len(self.starts)  # from lap to lap nothing follows but by chance
        paths = _Paths(self.starts, len(told), (seam * self.usual).astype(np.float32))
        for costs in self._costs(told, check_cancelled):
            for k in range(costs.shape[1]):
                paths.go_on(costs[:, k], int(steps[paths.length]))
        return self.starts[paths.trace(steps)[:, -len(starts) :]]

    def _tell(self, rows: Numbers, starts: NDArray[np.int64]) -> list[Numbers]:
        parts = zip(self._components, self._columns, strict=True)
        return [known.tell(self._windows(rows[:, own], starts)) for known, own in parts]

    def _windows(self, rows: Numbers, starts: NDArray[np.int64]) -> Numbers:
        """Patches of rows (T, D) as waves in time (N, D × waves)."""
        view = np.lib.stride_tricks.sliding_window_view(rows, self.size, axis=0)[starts]
        return (view @ self._waves).reshape(len(starts), -1)

    def _least(self, blocks: Iterator[Numbers] | Sequence[Numbers]) -> Numbers:
        """Distances that those to each patch of the clip are told beside, (P, n)."""
        least = np.full((len(self._patches), len(self.starts)), np.inf, dtype=np.float32)
        for costs in blocks:
            np.minimum(least, costs.min(1), out=least)
        return np.maximum(least, 0.0) + USED_EVENLY * self.usual[:, None]

    def _costs(self, told: Sequence[Numbers], check_cancelled: Callable[[], None]) -> Iterator[Numbers]:
        """Squared distances (P, some, n) of a sample's patches, other parts' share with each, some at a time."""
        parts, count, width = len(told), len(told[0]), len(self.starts)
        step = max(1, BLOCK // width)
        for start in range(0, count, step):
            check_cancelled()
            some = [part[start : start + step] for part in told]
            tables = np.empty((parts, len(some[0]), width), dtype=np.float32)
            for part, own in enumerate(some):
                np.matmul(own, self._patches[part], out=tables[part])
                tables[part] += self._squares[part]
                tables[part] += (own * own).sum(1)[:, None]
            yield (self._weights @ tables.reshape(parts, -1)).reshape(-1, len(some[0]), width)


class _Paths:
    """Paths of least cost through tables that come row by row, one for each part; a bit a place is remembered."""

    def __init__(self, starts: NDArray[np.int64], parts: int, price: Numbers) -> None:
        self._starts, self._price = starts, price[:, None]
        self._ending = np.zeros((parts, len(starts)), dtype=np.float32)
        self._went_on: list[NDArray[np.uint8]] = []
        self._leaders: list[NDArray[np.int64]] = []
        self._follows: dict[int, NDArray[np.bool_]] = {}

    @property
    def length(self) -> int:
        return len(self._leaders)

    def go_on(self, costs: Numbers, step: int) -> None:
        """The next row of costs (P, n), for a patch `step` rows after the one before."""
        bits = np.zeros(costs.shape, dtype=np.bool_)
        if self._leaders and step < len(self._starts):
            if step not in self._follows:
                self._follows[step] = self._starts[step:] - self._starts[:-step] == step
            before = self._ending[:, :-step]
            bits[:, step:] = (before < self._price) & self._follows[step]
            ending = np.broadcast_to(self._price, costs.shape).copy()
            np.copyto(ending[:, step:], before, where=bits[:, step:])
            costs = costs + ending
        self._ending = costs - costs.min(1, keepdims=True)
        self._leaders.append(self._ending.argmin(1))
        self._went_on.append(np.packbits(bits, axis=1))

    def trace(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places (P, N) of the paths, from their ends back."""
        places = np.zeros((len(self._price), self.length), dtype=np.int64)
        for part, own in enumerate(places):
            at = int(self._leaders[-1][part])
            for row in range(self.length - 1, 0, -1):
                own[row] = at
                on = self._went_on[row][part, at >> 3] >> (7 - (at & 7)) & 1
                at = at - int(steps[row]) if on else int(self._leaders[row - 1][part])
            own[0] = at
        return places


def _cosines(size: int, count: int) -> Numbers:
    """The slowest cosines over patches of `size` rows, orthonormal, (size, count)."""
    angles = np.pi / size * (np.arange(size)[:, None] + 0.5) * np.arange(count)
    waves = np.cos(angles) * np.sqrt(2.0 / size)
    waves[:, 0] = np.sqrt(1.0 / size)
    return waves.astype(np.float32)


def clip_starts(lengths: Sequence[int], size: int) -> NDArray[np.int64]:
    """First rows of all patches within clips of these lengths that lie one after the other."""
    ends = np.cumsum([0, *lengths])
    parts = [np.arange(start, max(stop - size + 1, start)) for start, stop in itertools.pairwise(ends)]
    return np.concatenate(parts)


def sample_starts(length: int, size: int, stride: int, circle: bool) -> NDArray[np.int64]:
    """First rows of a sample's patches, every `stride` rows and so many that each row is in one."""
    if circle:
        return np.arange(0, length, stride)
    starts = np.arange(0, length - size + 1, stride)
    return starts if starts[-1] == length - size else np.append(starts, length - size)


def average_patches(
    rows: Numbers, found: NDArray[np.int64], starts: NDArray[np.int64], size: int, length: int
) -> Numbers:
    """Cut rows (length, D) of a sample from the clip's (T, D): patches from `found` (N,) on, laid at `starts` (N,).

    A patch weighs most in its middle. Rows beyond the last one continue at the first, as in a circle.
    """
    window, stride = _window(size), int(starts[1] - starts[0]) if len(starts) > 1 else 1
    even = len(starts) if starts[-1] == stride * (len(starts) - 1) else len(starts) - 1
    total = np.zeros((length + size, rows.shape[1]), np.float32)
    votes = np.zeros(length + size, np.float32)
    for k in range(size):
        laid = rows.take(found + k, axis=0)
        laid *= window[k]
        total[k : k + stride * even : stride] += laid[:even]
        votes[k : k + stride * even : stride] += window[k]
        if even < len(starts):
            total[starts[-1] + k] += laid[-1]
            votes[starts[-1] + k] += window[k]
    total[:size] += total[length:]
    votes[:size] += votes[length:]
    return np.asarray(total[:length] / votes[:length, None])


@lru_cache
def _window(size: int) -> Numbers:
    """Weight of each row of a patch (size,)."""
    return np.hanning(size + 2)[1:-1].astype(np.float32)
