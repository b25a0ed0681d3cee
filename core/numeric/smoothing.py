"""Gaussian smoothing in time, and runs of true values."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .rotation import Array

SMOOTHING_ROWS = 5.0
"""Standard deviation in rows of the usual Gaussian low-pass; it removes changes faster than about 1 Hz."""


PATH_SMOOTHING_SECONDS = 0.5
"""Standard deviation in seconds of the low-pass that separates the root's course from its sway."""


def path_deviation(fps: float, frames: int) -> float:
    """Return the standard deviation in rows of that low-pass; less for a path that is short for it."""
    return float(min(PATH_SMOOTHING_SECONDS * fps, (frames - 1) / 4.0))


def smooth(
    rows: Array,
    deviation: float = SMOOTHING_ROWS,
    ends: Literal["mirror", "repeat", "cut"] = "mirror",
    reach: int | None = None,
) -> Array:
    """Smooth values (T, ...) over the first axis by a Gaussian whose standard deviation is given in rows.

    Beyond the ends the values are mirrored or repeated, or the weights are cut off and normalised. The weights end
    `reach` rows from the middle, by default after four deviations.
    """
    reach = int(4 * deviation) if reach is None else reach
    if ends != "repeat":
        reach = min(reach, len(rows) - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(deviation, 1e-6)) ** 2)
    weights /= weights.sum()
    if ends == "cut":
        sides = [(reach, reach)] + [(0, 0)] * (rows.ndim - 1)
        present = _weighted(np.pad(np.ones(len(rows)), reach), weights, len(rows))
        return _weighted(np.pad(rows, sides), weights, len(rows)) / present.reshape(-1, *([1] * (rows.ndim - 1)))
    pad = [(reach, reach)] + [(0, 0)] * (rows.ndim - 1)
    return _weighted(np.pad(rows, pad, mode="reflect" if ends == "mirror" else "edge"), weights, len(rows))


def _weighted(padded: Array, weights: Array, count: int) -> Array:
    result = np.zeros((count, *padded.shape[1:]), dtype=np.result_type(padded, np.float64))
    for shift, weight in enumerate(weights):
        result += weight * padded[shift : shift + count]
    return result


def runs_of(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the runs [start, stop) of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
