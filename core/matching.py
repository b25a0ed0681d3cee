"""Where in one motion another is found: distances of rows, windows and pieces, as GANimator's evaluation takes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .errors import ClipError
from .rotation import Array


def frame_distances(a: Array, b: Array) -> Array:
    """Euclidean distance of every row of `a` (N, C) to every row of `b` (M, C), as (N, M)."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    centre = b.mean(axis=0)
    a, b = a - centre, b - centre
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2.0 * (a @ b.T)
    distances: Array = np.sqrt(np.maximum(squares, 0.0))
    return distances


def run_costs(distances: Array, window: int) -> Array:
    """Sum of distances along every run of `window` rows: (N, M) → (N - window + 1, M - window + 1).

    Entry (i, k) compares rows i… of the first motion with rows k… of the second. Empty where either is shorter.
    """
    rows, columns = (max(side - window + 1, 0) for side in distances.shape)
    total = np.zeros((rows, columns))
    for step in range(window):
        total += distances[step : step + rows, step : step + columns]
    return total


def nearest_windows(distances: Array, window: int) -> Array:
    """Mean distance of each window of the first motion to the nearest one of the second.

    As in GANimator's evaluation, the very last window is left out. Raises ClipError where a motion is too short.
    """
    if distances.shape[0] <= window or distances.shape[1] < window:
        raise ClipError(f"Both motions must be longer than {window} frames to be compared.")
    nearest: Array = run_costs(distances, window)[:-1].min(axis=1) / window
    return nearest


def best_patchwork(distances: Array, piece: int) -> NDArray[np.int64]:
    """The source row for each row of a sample such that the summed distance is least.

    `distances` is (sample, source); source rows run on without a break for `piece` rows at least. Solved exactly: a run
    is begun with `piece` rows at once or extended by one, so the work is sample × source rows. Raises ClipError where
    no such pieces fill the sample, which takes a source of less than twice their length.
    """
    length, width = distances.shape
    begun = run_costs(distances, piece)
    ending = np.full((length + 1, width), np.inf)  # least cost of the first i rows, the last of them on source row k
    extended = np.zeros((length + 1, width), dtype=bool)
    best = np.full(length + 1, np.inf)
    best[0] = 0.0
    for i in range(piece, length + 1):
        ending[i, piece - 1 :] = best[i - piece] + begun[i - piece]
        longer = ending[i - 1, :-1] + distances[i - 1, 1:]
        extended[i, 1:] = longer < ending[i, 1:]
        ending[i, 1:] = np.minimum(ending[i, 1:], longer)
        best[i] = ending[i].min()
    if not np.isfinite(best[length]):
        raise ClipError(f"The motions are too short to be compared by pieces of {piece} frames.")
    return _trace_back(ending, extended, piece)


def _trace_back(ending: Array, extended: NDArray[np.bool_], piece: int) -> NDArray[np.int64]:
    row = len(ending) - 1
    rows = np.zeros(row, dtype=np.int64)
    at = int(ending[row].argmin())
    while row > 0:
        if extended[row, at]:
            row -= 1
            rows[row] = at
            at -= 1
            continue
        rows[row - piece : row] = np.arange(at - piece + 1, at + 1)
        row -= piece
        at = int(ending[row].argmin()) if row else 0
    return rows
