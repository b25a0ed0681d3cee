"""Detection of cycles: clips whose last pose leads on to their first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion.motion import Motion
from ..motion.skeleton import BODY
from ..numeric.rotation import Array, axis_rotation, wrapped, yaw_of

MIN_CYCLE_SECONDS = 0.5
"""Shortest cycle in seconds."""

MAX_CYCLE_SECONDS = 12.0
"""Longest clip, in seconds, that is looked at: a long take that ends in its first pose is no cycle."""

MIN_RANGE = 1e-3 * BODY
"""Smallest distance in core units of two poses of a clip that moves."""

CLOSED_SHARE = 0.03
"""Largest distance of the last pose from the first in a closed cycle, as a share of the clip's range of poses."""

EXACT_SHARE = 0.005
"""Largest such share of cycles whose velocity may change at will: linear keys between the same poses."""

KINK_RATIO = 1.0
"""Largest change of velocity where the cycle begins again, as a ratio to the fastest step."""

STEP_RATIOS = (0.3, 1.7)
"""Least and largest step from the last pose to the first in an open cycle, as a ratio to the steps beside it."""

AIM_SHARE = 0.6
"""Largest distance of the first pose from where the steps beside the seam lead, as a share of those steps."""

MAX_LOOP_TURN = 0.1
"""Largest turn in radians after which a body still faces the same way."""

MIN_ROWS = 6
"""Rows of the shortest clip that is looked at."""


@dataclass(frozen=True)
class Cycle:
    """Cycle of `rows` rows. In a `closed` one the row after them is the first pose again and part of the clip.

    From cycle to cycle the body turns about the vertical by `turn` radians.
    """

    rows: int
    closed: bool
    turn: float

    @property
    def circular(self) -> bool:
        """Return whether the body faces the same way after each cycle, so that the cycle can be played as a loop."""
        return abs(self.turn) <= MAX_LOOP_TURN


def find_cycle(motion: Motion) -> Cycle | None:
    """Return the cycle that a clip is, by its poses against the root's place and heading; None for any other clip.

    The clip lasts MIN_CYCLE_SECONDS at least; its last pose is the first one again, or the step from the last pose to
    the first is as long as its neighbours and in their direction.
    """
    if motion.frames < MIN_ROWS or motion.duration > MAX_CYCLE_SECONDS:
        return None
    poses, yaw = _poses(motion)
    extent = float(_size(poses - poses[:1]).max())
    if extent < MIN_RANGE:
        return None
    steps = np.diff(poses, axis=0)
    fastest = float(_size(steps).max())
    gap = poses[0] - poses[-1]
    if _size(gap) <= CLOSED_SHARE * extent:
        kink = float(_size(steps[0] - steps[-1]))
        closed = kink <= KINK_RATIO * fastest or _size(gap) <= EXACT_SHARE * extent
        found = Cycle(motion.frames - 1, True, _wrapped_turn(yaw[-1] - yaw[0])) if closed else None
    else:
        found = _open_cycle(motion, yaw, steps, gap)
    return found if found and found.rows / motion.fps >= MIN_CYCLE_SECONDS - 0.5 / motion.fps else None


def _open_cycle(motion: Motion, yaw: Array, steps: Array, gap: Array) -> Cycle | None:
    """Return the cycle of a clip whose last pose is one step before its first."""
    beside = 0.5 * float(_size(steps[0]) + _size(steps[-1]))
    low, high = STEP_RATIOS
    if not low * beside <= _size(gap) <= high * beside:
        return None
    directions = (steps[0], steps[-1], 0.5 * (steps[0] + steps[-1]))
    if min(float(_size(gap - step)) for step in directions) > AIM_SHARE * beside:
        return None
    turned = yaw[-1] - yaw[0]
    return Cycle(motion.frames, False, _wrapped_turn(turned * motion.frames / (motion.frames - 1)))


def _wrapped_turn(radians: float) -> float:
    """Return a turn about the vertical between −π and π: whole turns leave a body as it is."""
    return float(wrapped(np.array(radians)))


def _poses(motion: Motion) -> tuple[Array, Array]:
    """Return joint positions (T, J, 3) against the root's place on the ground and its heading, and its yaw (T,).

    The root's rotation counts through the joints below it, so a lone root is followed by the ends of its axes.
    """
    rotations = motion.rotations()
    yaw = np.unwrap(yaw_of(rotations[:, 0]))
    positions = motion.positions()
    root = positions[:, :1]
    axes = root + 0.1 * BODY * rotations[:, 0].swapaxes(1, 2)
    points = np.concatenate([positions, axes], axis=1)
    points[..., :2] -= root[..., :2]
    return np.einsum("tij,tkj->tki", axis_rotation(2, -yaw), points), yaw


def _size(steps: Array) -> Array:
    """Return the root mean square length (...,) over joints of differences (..., J, 3)."""
    return np.asarray(np.sqrt((steps**2).sum(-1).mean(-1)))
