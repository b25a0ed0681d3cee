"""Places where an action jumps: a first frame apart from the motion, and the border between two takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..numeric.rotation import Array

MIN_TURN = 0.15
"""Smallest rotation from one frame to the next that is a jump, in radians as the root mean square over the bones."""

MIN_WAY = 0.3
"""Smallest way of the root from one frame to the next that is a jump, in body sizes."""

NEAR_FRAMES = 3
"""Frames before and after a jump with which it is compared."""

NEAR_RATIO = 5.0
"""Smallest ratio of a jump to the largest step near it."""

FAR_RATIO = 1.5
"""Smallest ratio of a jump to the largest step anywhere."""

RUSH_EDGE = 0.1
"""Way of the root from one frame to the next with which a rush begins and ends, in body sizes."""

MAX_RUSH_FRAMES = 8
"""Longest time from one key to the next in which the root rushes from one take's place to the other's."""

MIN_RUSH_SPEED = 0.6
"""Smallest top speed of a rush, in body sizes a frame: nobody runs that fast."""

MIN_RUSH_WAY = 2.0
"""Shortest way of a rush, in body sizes."""

END_FRAMES = 2
"""Most frames before the first or after the last jump that are apart from the motion rather than a take."""

MIN_TAKE_FRAMES = 24
"""Shortest take."""

MIN_MOVING_SHARE = 0.5
"""Smallest share of a take's frames that differ from the frame before."""

MAX_JUMPS = 8
"""Most jumps of an action that holds several takes; with more, it is made of jumps."""


@dataclass(frozen=True)
class Jumps:
    """Rows [start, stop) that belong together: `whole` is all that is left without frames apart at both ends.

    `takes` are the parts of it between jumps, more than one if there are several takes.
    """

    whole: tuple[int, int]
    takes: tuple[tuple[int, int], ...]


def turned(quaternions: Array) -> Array:
    """Return the angles (T - 1,) between frames of unit quaternions (T, 4), in radians."""
    before, after = quaternions[:-1], quaternions[1:]
    after = np.where((before * after).sum(-1, keepdims=True) < 0.0, -after, after)
    apart, together = np.linalg.norm(after - before, axis=-1), np.linalg.norm(after + before, axis=-1)
    return np.asarray(4.0 * np.arctan2(apart, together))


def find_jumps(turn: Array, ways: Array) -> Jumps:
    """Find jumps in steps from frame to frame (T - 1,): of all bones' rotations, and of the root's place."""
    rows = len(turn) + 1
    jumps = {(row, row) for row in _outliers(turn, MIN_TURN) | _outliers(ways, MIN_WAY)} | _rushes(ways)
    found = sorted(jumps)
    start = max((after for _, after in found if after <= END_FRAMES), default=0)
    stop = min((before for before, _ in found if before >= rows - END_FRAMES), default=rows)
    inner = [jump for jump in found if start < jump[0] and jump[1] < stop]
    takes = tuple(zip((start, *(after for _, after in inner)), (*(before for before, _ in inner), stop), strict=True))
    moves = np.append(False, (turn > 1e-6) | (ways > 1e-6))
    if len(found) > MAX_JUMPS or not moves[start:stop].any():
        return Jumps((0, rows), ((0, rows),))
    if not all(b - a >= MIN_TAKE_FRAMES and moves[a + 1 : b].mean() >= MIN_MOVING_SHARE for a, b in takes):
        takes = ((start, stop),)
    return Jumps((start, stop), takes)


def _rushes(ways: Array) -> set[tuple[int, int]]:
    """Return jumps of the root's place between two keys that are some frames apart.

    Each has the row that ends what is before it and the row that begins what is after it.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ways >= RUSH_EDGE, [False]]).astype(np.int8)))
    found = set()
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        rush = ways[begin:end]
        if 1 < len(rush) <= MAX_RUSH_FRAMES and rush.max() >= MIN_RUSH_SPEED and rush.sum() >= MIN_RUSH_WAY:
            found.add((begin + 1, end))
    return found


def _outliers(steps: Array, least: float) -> set[int]:
    """Return the rows after which nothing is as before: steps (T - 1,) far above those near and all others."""
    if not np.isfinite(steps).all():
        return set()
    near = np.zeros(len(steps))
    for shift in range(1, NEAR_FRAMES + 1):
        near[shift:] = np.maximum(near[shift:], steps[:-shift])
        near[:-shift] = np.maximum(near[:-shift], steps[shift:])
    high = (steps >= least) & (steps >= NEAR_RATIO * near)
    others = float(steps[~high].max(initial=0.0))
    return {int(row) + 1 for row in np.flatnonzero(high & (steps >= FAR_RATIO * others))}
