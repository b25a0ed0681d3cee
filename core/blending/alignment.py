"""Alignment of two motions in time by their poses, with dynamic time warping."""

from __future__ import annotations

import numpy as np

from ..motion.motion import Motion
from ..numeric.rotation import Array, axis_rotation, held_yaw
from ..numeric.smoothing import smooth

MAX_ROWS = 300
"""Rows of a motion that are compared at most; of longer ones, rows at equal distances."""

WAIT_COST = 0.5
"""Cost of a row of one motion during which the other waits, in mean distances of two poses."""

SMOOTHING_SECONDS = 0.2
"""Standard deviation of the Gaussian that smooths the alignment, in seconds."""


def align(one: Motion, other: Motion) -> tuple[Array, Array]:
    """Return increasing rows (N,) of each motion, from its first to its last, at which their poses are most alike.

    Both motions are on one skeleton; poses count without position and heading.
    """
    pair = [_rows(motion) for motion in (one, other)]
    poses = [_poses(motion)[rows] for motion, rows in zip((one, other), pair, strict=True)]
    squares = [np.square(rows).sum(1) for rows in poses]
    costs = squares[0][:, None] + squares[1] - 2.0 * poses[0] @ poses[1].T
    costs = np.sqrt(np.maximum(costs, 0.0))
    path = _cheapest_path(costs / max(float(costs.mean()), 1e-12))
    # The sum of both rows is the path's parameter: it grows on every step.
    sums = path.sum(1).astype(float)
    steps = max(len(rows) for rows in pair)
    at = np.linspace(0.0, sums[-1], 2 * steps)
    seconds = (one.duration + other.duration) / 2.0
    aligned = []
    for column, rows in enumerate(pair):
        along = np.interp(at, sums, rows[path[:, column]])
        aligned.append(_smooth_increase(along, SMOOTHING_SECONDS / max(seconds, 1e-6) * len(at)))
    return aligned[0], aligned[1]


def _rows(motion: Motion) -> Array:
    return np.linspace(0.0, motion.frames - 1, min(motion.frames, MAX_ROWS)).round().astype(int)


def _poses(motion: Motion) -> Array:
    """Return the joints' positions (T, J * 3) from the root, turned so that the root has no yaw."""
    positions = motion.positions() - motion.root_positions()[:, None]
    turned = np.einsum("tij,tkj->tki", axis_rotation(2, -held_yaw(motion.rotations()[:, 0])), positions)
    return np.asarray(turned.reshape(motion.frames, -1))


def _cheapest_path(costs: Array) -> Array:
    """Return the rows and columns (N, 2) of the cheapest path through costs (A, B), from the first to the last."""
    count, width = costs.shape
    total = np.full((count + 1, width + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(count + width - 1):
        rows = np.arange(max(0, diagonal - width + 1), min(count, diagonal + 1))
        columns = diagonal - rows
        here = costs[rows, columns]
        both = total[rows, columns] + here
        waits = np.minimum(total[rows, columns + 1], total[rows + 1, columns]) + here + WAIT_COST
        total[rows + 1, columns + 1] = np.minimum(both, waits)
    row, column = count, width
    path = [(row - 1, column - 1)]
    while (row, column) != (1, 1):
        before = ((row - 1, column - 1, 0.0), (row - 1, column, WAIT_COST), (row, column - 1, WAIT_COST))
        row, column = min(before, key=lambda one: total[one[0], one[1]] + one[2])[:2]
        path.append((row - 1, column - 1))
    return np.array(path[::-1])


def _smooth_increase(values: Array, deviation: float) -> Array:
    """Smooth increasing values (N,), keeping the first and the last."""
    reach = min(int(3 * deviation), len(values) - 1)
    if reach < 1:
        return values
    # Beyond the ends the values go on as they came, so that the ends stay where they are.
    before, after = 2 * values[0] - values[reach:0:-1], 2 * values[-1] - values[-2 : -2 - reach : -1]
    smoothed = smooth(np.concatenate([before, values, after]), deviation, "repeat")[reach : reach + len(values)]
    smoothed[0], smoothed[-1] = values[0], values[-1]
    return np.maximum.accumulate(smoothed.clip(values[0], values[-1]))
