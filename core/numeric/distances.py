"""Distances between rows and windows of two motions, nearest windows and best patchwork, as in GANimator's evaluation.

Tables of distances are computed a few rows at a time: a table of 10,000 × 10,000 would take 800 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from .rotation import Array

BLOCK_NUMBERS = 1 << 20
"""Approximate size of a block in numbers: the whole table of a clip of half a minute, small enough for a cache."""

MIN_BLOCK_ROWS = 128
"""Smallest number of rows of a block, since each block recomputes the rows of one window of the block before."""


class RowDistances:
    """Lazy table of Euclidean distances of every row of `a` (N, C) to every row of `b` (M, C).

    `table[start:stop]` computes an array (stop - start, M). `check_cancelled` is called before each and may raise.
    """

    def __init__(self, a: Array, b: Array, check_cancelled: Callable[[], None] = lambda: None) -> None:
        self._ask_stop = check_cancelled
        a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
        centre = b.mean(axis=0)
        self._a, self._b = a - centre, b - centre
        self._squares_a, self._squares_b = ((rows * rows).sum(1) for rows in (self._a, self._b))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._a), len(self._b)

    @property
    def T(self) -> RowDistances:
        """The transposed table."""
        other = object.__new__(RowDistances)
        other._ask_stop = self._ask_stop
        other._a, other._b = self._b, self._a
        other._squares_a, other._squares_b = self._squares_b, self._squares_a
        return other

    def __getitem__(self, rows: slice) -> Array:
        self._ask_stop()
        squares = self._a[rows] @ self._b.T
        squares *= -2.0
        squares += self._squares_a[rows, None]
        squares += self._squares_b
        np.maximum(squares, 0.0, out=squares)
        return np.sqrt(squares, out=squares)

    def along(self, rows: NDArray[np.int64]) -> Array:
        """Return the distance (N,) of each row of `a` to row `rows` (N,) of `b`."""
        distances: Array = np.linalg.norm(self._a - self._b[rows], axis=1)
        return distances


Table = RowDistances | Array
"""Table of distances (N, M), lazy or not."""


def frame_distances(a: Array, b: Array) -> Array:
    """Return the Euclidean distance (N, M) of every row of `a` (N, C) to every row of `b` (M, C)."""
    return RowDistances(a, b)[:]


def run_costs(distances: Array, window: int) -> Array:
    """Sum distances along every run of `window` rows: (N, M) → (N - window + 1, M - window + 1).

    Entry (i, k) compares rows i… of the first motion with rows k… of the second. Empty if a motion is too short.
    """
    rows, columns = (max(side - window + 1, 0) for side in distances.shape)
    total = np.zeros((rows, columns))
    if not total.size:
        return total
    # Sums over runs of 1, 2, 4… rows, each from two of half the length; the binary digits of `window` select the terms.
    summed, length, sums = 0, 1, distances
    while True:
        if window & length:
            total += sums[summed : summed + rows, summed : summed + columns]
            summed += length
        if summed == window:
            return total
        sums = sums[:-length, :-length] + sums[length:, length:]
        length *= 2


@dataclass(frozen=True)
class RunBlock:
    """Rows `start`… of `run_costs`, with the rows of distances that they were computed from."""

    start: int
    costs: Array
    distances: Array


def run_blocks(table: Table, window: int) -> Iterator[RunBlock]:
    """Yield `run_costs` of a whole table in blocks of rows; nothing if a motion is shorter than the window."""
    count = table.shape[0] - window + 1
    if table.shape[1] < window:
        return
    step = max(MIN_BLOCK_ROWS, BLOCK_NUMBERS // max(table.shape[1], 1))
    for start in range(0, count, step):
        distances = table[start : min(start + step, count) + window - 1]
        yield RunBlock(start, run_costs(distances, window), distances)


def nearest_windows(table: Table, window: int) -> Array:
    """Return the mean row distance of each window of the first motion to the nearest window of the second.

    The last window is left out, as in GANimator's evaluation. Raises ClipError if a motion is too short.
    """
    if table.shape[0] <= window or table.shape[1] < window:
        raise ClipError(f"Both motions must be longer than {window} frames to be compared.")
    nearest = np.concatenate([block.costs.min(axis=1) for block in run_blocks(table, window)])
    return nearest[:-1] / window


def best_patchwork(table: Table, piece: int) -> NDArray[np.int64]:
    """Return the source row for each row of a sample that minimises the summed distance.

    `table` is (sample, source). Source rows are consecutive in runs of at least `piece` rows. The dynamic program is
    exact: a run starts with `piece` rows at once and is extended by one row, so the work is sample × source rows.
    Raises ClipError where no such runs fill the sample; this needs a source of less than 2 `piece` rows.
    """
    length, width = table.shape
    extended = np.zeros((length + 1, (width + 7) // 8), dtype=np.uint8)  # one bit for each source row
    ends = np.zeros(length + 1, dtype=np.int64)
    best = np.full(length + 1, np.inf)  # least cost of the first i rows; `ending[k]`: of those that end on source row k
    best[0] = 0.0
    before = np.full(width, np.inf)
    for block in run_blocks(table, piece):
        for row, begun in enumerate(block.costs):
            i = block.start + row + piece
            ending = np.full(width, np.inf)
            ending[piece - 1 :] = best[i - piece] + begun
            longer = before[:-1] + block.distances[row + piece - 1, 1:]
            extended[i] = np.packbits(np.concatenate([[False], longer < ending[1:]]))
            ending[1:] = np.minimum(ending[1:], longer)
            ends[i] = ending.argmin()
            best[i] = ending[ends[i]]
            before = ending
    if not np.isfinite(best[length]):
        raise ClipError(f"The motions are too short to be compared by pieces of {piece} frames.")
    return _trace_back(ends, extended, piece)


def _trace_back(ends: NDArray[np.int64], extended: NDArray[np.uint8], piece: int) -> NDArray[np.int64]:
    row = len(ends) - 1
    rows = np.zeros(row, dtype=np.int64)
    at = int(ends[row])
    while row > 0:
        if extended[row, at >> 3] >> (7 - (at & 7)) & 1:
            row -= 1
            rows[row] = at
            at -= 1
            continue
        rows[row - piece : row] = np.arange(at - piece + 1, at + 1)
        row -= piece
        at = int(ends[row]) if row else 0
    return rows
