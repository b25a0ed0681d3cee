"""How close samples are to the source and how far from it: GANimator's and SinMDM's figures, without an encoder.

All functions take plain feature arrays (frames, channels). Channels that are zero in both arrays change nothing, so the
padding of Riff's groups of six does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .errors import ClipError
from .rotation import Array

COVERAGE_WINDOW, COVERAGE_THRESHOLD = 30, 2.0
PIECE = 30
LOCAL_WINDOW = 15


def frame_distances(a: Array, b: Array) -> Array:
    """Euclidean distance of every row of `a` (N, C) to every row of `b` (M, C), as (N, M)."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    centre = b.mean(axis=0)
    a, b = a - centre, b - centre
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2.0 * (a @ b.T)
    return np.sqrt(np.maximum(squares, 0.0))


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

    As GANimator's evaluation does, the very last window is left out. Raises ClipError where a motion is too short.
    """
    if distances.shape[0] <= window or distances.shape[1] < window:
        raise ClipError(f"Both motions must be longer than {window} frames to be compared.")
    return run_costs(distances, window)[:-1].min(axis=1) / window


def coverage(
    source: Array, generated: Array, window: int = COVERAGE_WINDOW, threshold: float = COVERAGE_THRESHOLD,
) -> float:  # fmt: skip
    """Share of the source's windows that some window of the sample comes near to (GANimator, *coverage*)."""
    return float((nearest_windows(frame_distances(source, generated), window) < threshold).mean())


def local_diversity(source: Array, generated: Array, window: int = LOCAL_WINDOW) -> float:
    """Mean distance of the sample's windows to their nearest in the source (GANimator, *local diversity*)."""
    return float(nearest_windows(frame_distances(generated, source), window).mean())


def global_diversity(source: Array, generated: Array, piece: int = PIECE) -> float:
    """Mean distance of the sample to the best patchwork of source pieces (GANimator, *global diversity*)."""
    distances = frame_distances(generated, source)
    rows = best_patchwork(distances, piece)
    return float(distances[np.arange(len(rows)), rows].mean())


def best_patchwork(distances: Array, piece: int = PIECE, seam: float = 0.0) -> np.ndarray:
    """The source row for each row of a sample such that the summed distance is least (PatchedNN).

    `distances` is (sample, source); source rows run on without a break for `piece` rows at least, and each break costs
    `seam`. Solved exactly: a run is extended by one row, or begun with `piece` rows at once, so the work is
    sample × source. Raises ClipError where a motion is shorter than one piece.
    """
    length, width = distances.shape
    if min(length, width) < piece:
        raise ClipError(f"Both motions must have at least {piece} frames to be compared.")
    begun = run_costs(distances, piece)
    ending = np.full((length + 1, width), np.inf)  # least cost of the first i rows, the last of them on source row k
    extended = np.zeros((length + 1, width), dtype=bool)
    best = np.full(length + 1, np.inf)
    best[0] = -seam
    for i in range(piece, length + 1):
        ending[i, piece - 1 :] = best[i - piece] + seam + begun[i - piece]
        longer = ending[i - 1, :-1] + distances[i - 1, 1:]
        extended[i, 1:] = longer < ending[i, 1:]
        ending[i, 1:] = np.minimum(ending[i, 1:], longer)
        best[i] = ending[i].min()
    return _trace_back(ending, extended, piece)


def _trace_back(ending: Array, extended: np.ndarray, piece: int) -> np.ndarray:
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
