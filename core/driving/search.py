"""Search for the moments of clips that follow a driver: the path of least cost through them, faster, slower, with jumps
where poses fit.

Clips lie one behind the other; a moment counts rows from the first row of the first clip.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..motion.motion import Motion
from ..motion.resampling import interpolate_rows
from ..numeric.rotation import Array, axis_rotation
from .facing import Course

STEPS_PER_ROW = 4
"""States of a clip for each of its rows: a path can be at quarter rows."""

STEPS = (1, 2, 3, 4, 5, 6, 8)
"""States by which a path goes on from one row of the driver to the next: from a quarter of the clip's tempo to
double."""

TEMPO_COST = 0.1
"""Cost, in squared distances of two sparse rows at random, of a row at half or double tempo."""

JUMP_COST = 0.6
"""Cost of a jump between clips or moments, in the same measure."""

JOIN_COST = 8.0
"""Cost of a jump between two poses as far apart as two poses are on average."""

JUMPS = 12
"""Moments from which a moment can be jumped to: those whose next pose is most like it."""

MIN_JUMP_ROWS = 4
"""Shortest jump in rows; a path goes shorter ways by its tempo."""

VELOCITY_ROWS = 5.0
"""Rows over which velocities are extrapolated where they are compared with poses."""

BLOCK_ROWS = 64
"""Rows of a table of distances that are computed at a time."""

CHECK_ROWS = 16
"""Rows of the driver after which a search asks whether it should stop."""

MAX_STEPS = 1 << 29
"""Largest number of steps that are kept, a byte each: one for each row of the driver and state of the clips."""


def is_jump(steps: Array) -> NDArray[np.bool_]:
    """Tell which steps (T - 1,) from a moment to the next are jumps."""
    return np.asarray((steps < STEPS[0] / STEPS_PER_ROW) | (steps > STEPS[-1] / STEPS_PER_ROW))


@dataclass(frozen=True, eq=False)
class Joins:
    """Jumps in clips of N rows: the rows (N, K) to jump from to each row, and the distances (N, K) of the poses.

    `ends` are the first rows of the clips, and N.
    """

    origins: NDArray[np.int64]
    distances: Array
    ends: list[int]

    @staticmethod
    def of(clips: Sequence[Motion], courses: Sequence[Course], check_cancelled: Callable[[], None]) -> Joins:
        poses = np.concatenate([_poses(clip, course) for clip, course in zip(clips, courses, strict=True)])
        ends = [0, *itertools.accumulate(clip.frames for clip in clips)]
        count, spread = len(poses), 2.0 * float(poses.var(0).sum())
        squares = (poses**2).sum(1)
        kept = min(JUMPS, count - 1)
        origins = np.zeros((count, kept), dtype=np.int64)
        distances = np.full((count, kept), np.inf)
        for start in range(0, count, BLOCK_ROWS):
            check_cancelled()
            rows = np.arange(start, min(start + BLOCK_ROWS, count))
            # column k: from row k, whose next row is k + 1
            table = squares[1:] + squares[rows, None] - 2.0 * poses[rows] @ poses[1:].T
            barred = np.abs(np.arange(1, count) - rows[:, None]) < MIN_JUMP_ROWS
            barred[:, 1:] |= table[:, 1:] > table[:, :-1]  # of neighbours the one that fits best is enough
            barred[:, :-1] |= table[:, :-1] > table[:, 1:]
            barred[:, [end - 1 for end in ends[1:-1]]] = True
            table = np.where(barred, np.inf, np.maximum(table, 0.0) / max(spread, 1e-12))
            origins[rows] = np.argpartition(table, kept - 1, axis=1)[:, :kept]
            distances[rows] = np.take_along_axis(table, origins[rows], axis=1)
        return Joins(origins, distances, ends)


def _poses(motion: Motion, course: Course) -> Array:
    """Return joint positions and velocities (N, C) of each row, seen from the root's place and heading."""
    positions = motion.positions()
    spin = axis_rotation(2, -course.heading)
    positions[..., :2] -= motion.root_positions()[:, None, :2]
    level = np.einsum("tij,tkj->tki", spin, positions).reshape(motion.frames, -1)
    return np.concatenate([level, VELOCITY_ROWS * np.gradient(level, axis=0)], axis=1)


def find_path(
    driver: Array, clips: Sequence[Array], joins: Joins, dearer: Sequence[Array], check_cancelled: Callable[[], None]
) -> Array:
    """Return for each sparse row of the driver (T, D) the moment (T,) of the clips' (N, D).

    `dearer` (N,) are added to the costs of each clip's rows. Between two jumps a moment is a quarter to two rows after
    the one before. Raises ClipError for more than MAX_STEPS.
    """
    rows_of_clips = np.concatenate(clips)
    count, rows = len(rows_of_clips), len(driver)
    states = STEPS_PER_ROW * (count - 1) + 1
    if rows * states > MAX_STEPS:
        raise ClipError(
            f"A take of {rows:,} frames at 30 a second is too long for a clip of {count:,}; ask for at most "
            f"{MAX_STEPS // states:,}."
        )
    at = np.arange(states) / STEPS_PER_ROW
    between = interpolate_rows(rows_of_clips, at)
    extra = np.interp(at, np.arange(count), np.concatenate(dearer))
    borders = [(STEPS_PER_ROW * (end - 1), STEPS_PER_ROW * end) for end in joins.ends[1:-1]]
    for last, first in borders:
        extra[last + 1 : first] = np.inf
    extra += (between**2).sum(1)
    jump_costs = JUMP_COST + JOIN_COST * joins.distances
    came = np.zeros((rows, states), dtype=np.int8)
    totals = np.zeros(states)
    for row in range(rows):
        if row % CHECK_ROWS == 0:
            check_cancelled()
        costs = extra - 2.0 * between @ driver[row]
        if row:
            best = _gone_on(totals, came[row], borders)
            jumping = totals[STEPS_PER_ROW * joins.origins] + jump_costs
            choice = jumping.argmin(1)
            least = jumping[np.arange(count), choice]
            better = least < best[::STEPS_PER_ROW]
            best[::STEPS_PER_ROW][better] = least[better]
            came[row, ::STEPS_PER_ROW][better] = (len(STEPS) + choice[better]).astype(np.int8)
            costs = costs + best
        totals = costs - costs.min()
    return _traced(int(totals.argmin()), came, joins.origins)


def _gone_on(totals: Array, came: NDArray[np.int8], borders: Sequence[tuple[int, int]]) -> Array:
    """Return the least totals with which a path goes on to each state without a jump; `came` gets the steps."""
    best = np.full(len(totals), np.inf)
    for number, step in enumerate(STEPS):
        way = totals[:-step] + TEMPO_COST * abs(np.log2(step / STEPS_PER_ROW))
        for last, first in borders:
            way[max(0, first - step) : last + 1] = np.inf
        better = way < best[step:]
        best[step:][better] = way[better]
        came[step:][better] = number
    return best


def _traced(state: int, came: NDArray[np.int8], origins: NDArray[np.int64]) -> Array:
    """Return the moments (T,) of the path that ends at a state."""
    path = np.empty(len(came))
    for row in range(len(came) - 1, -1, -1):
        path[row] = state / STEPS_PER_ROW
        how = int(came[row, state])
        if row and how < len(STEPS):
            state -= STEPS[how]
        elif row:
            state = STEPS_PER_ROW * int(origins[state // STEPS_PER_ROW, how - len(STEPS)])
    return path
