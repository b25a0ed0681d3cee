"""Where in one motion another is found: distances of rows, windows and pieces, as GANimator's evaluation takes them.

Tables of distances are made a few rows at a time: for ten thousand rows against as many a whole one takes 800 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from .rotation import Array

BLOCK = 1 << 20
"""Numbers of a table that are there at once, about: those of a clip of half a minute are, and they fit in a cache."""

FEWEST = 128
"""Rows of a block at least: each repeats the rows of a window from the block before."""


class RowDistances:
    """The table of Euclidean distances of every row of `a` (N, C) to every row of `b` (M, C), made where it is read.

    `table[start:stop]` is an array of those rows, (stop - start, M). `check_cancelled` is called before any are made
    and may raise.
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
        """The table with its sides exchanged."""
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
        """The distance of each row of `a` to the row of `b` that `rows` (N,) names."""
        distances: Array = np.linalg.norm(self._a - self._b[rows], axis=1)
        return distances


Table = RowDistances | Array


def frame_distances(a: Array, b: Array) -> Array:
    """Euclidean distance of every row of `a` (N, C) to every row of `b` (M, C), as (N, M)."""
    return RowDistances(a, b)[:]


def run_costs(distances: Array, window: int) -> Array:
    """Sum of distances along every run of `window` rows: (N, M) → (N - window + 1, M - window + 1).

    Entry (i, k) compares rows i… of the first motion with rows k… of the second. Empty where either is shorter.
    """
    rows, columns = (max(side - window + 1, 0) for side in distances.shape)
    total = np.zeros((rows, columns))
    if not total.size:
        return total
    # Runs of 1, 2, 4… rows, each of two of the half; the binary digits of `window` say which make it up.
    done, length, sums = 0, 1, distances
    while True:
        if window & length:
            total += sums[done : done + rows, done : done + columns]
            done += length
        if done == window:
            return total
        sums = sums[:-length, :-length] + sums[length:, length:]
        length *= 2


@dataclass(frozen=True)
class RunBlock:
    """Rows `start`… of the costs of runs, and the rows of distances from `start` that they were made of."""

    start: int
    costs: Array
    distances: Array


def run_blocks(table: Table, window: int) -> Iterator[RunBlock]:
    """`run_costs` of a whole table, a few rows at a time; nothing where a motion is shorter than the window."""
    count = table.shape[0] - window + 1
    if table.shape[1] < window:
        return
    step = max(FEWEST, BLOCK // max(table.shape[1], 1))
    for start in range(0, count, step):
        distances = table[start : min(start + step, count) + window - 1]
        yield RunBlock(start, run_costs(distances, window), distances)


def nearest_windows(table: Table, window: int) -> Array:
    """Mean distance of each window of the first motion to the nearest one of the second.

    As in GANimator's evaluation, the very last window is left out. Raises ClipError where a motion is too short.
    """
    if table.shape[0] <= window or table.shape[1] < window:
        raise ClipError(f"Both motions must be longer than {window} frames to be compared.")
    nearest = np.concatenate([block.costs.min(axis=1) for block in run_blocks(table, window)])
    return nearest[:-1] / window


def best_patchwork(table: Table, piece: int) -> NDArray[np.int64]:
    """The source row for each row of a sample such that the summed distance is least.

    `table` is (sample, source); source rows run on without a break for `piece` rows at least. Solved exactly: a run
    is begun with `piece` rows at once or extended by one, so the work is sample × source rows. Raises ClipError where
    no such pieces fill the sample, which takes a source of less than twice their length.
    """
    length, width = table.shape
    extended = np.zeros((length + 1, (width + 7) // 8), dtype=np.uint8)  # a bit for each place
    ends = np.zeros(length + 1, dtype=np.int64)
    best = np.full(length + 1, np.inf)  # least cost of the first i rows; `ending`: the last of them on source row k
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
