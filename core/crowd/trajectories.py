"""What placing a member of a crowd has to know of its motion: path, facing, floor, and how much room a body takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion.motion import Motion
from ..motion.skeleton import BODY, Skeleton
from ..numeric.rotation import Array

MIN_FORWARD_OFFSET = 0.03
"""Body heights by which feet must point forward for it to be told where the front is."""


@dataclass(frozen=True, eq=False)
class RootTrajectory:
    """Where a motion goes, in the lengths of the file it comes from: `path` (T, 3) of its root, `facing` in radians
    from the x axis, on the whole."""

    path: Array
    facing: float


@dataclass(frozen=True)
class Span:
    """When a crowd moves: `frames` from `start` on, over and over if it is a `loop`, else still before and after."""

    start: float
    frames: int
    loop: bool


def seen_during(path: Array, theirs: Span, own: Span) -> Array:
    """Where a path (R, D) over the span of one crowd leads in that of another, in as many rows.

    Of loops of another length only the first round counts.
    """
    if theirs == own:
        return path
    frames = np.linspace(0.0, own.frames - 1.0, len(path)) + (own.start - theirs.start)
    if theirs.loop:
        frames = frames % theirs.frames
    at = frames / max(theirs.frames - 1.0, 1.0) * (len(path) - 1.0)
    return np.stack([np.interp(at, np.arange(len(path)), column) for column in path.T], axis=1)


def trajectory_of(motion: Motion, forward: Array) -> RootTrajectory:
    """Path and facing of a motion whose character looks along `forward` (3,) at rest."""
    ways = motion.rotations()[:, 0] @ forward
    mean = ways[:, :2].mean(axis=0)
    if np.linalg.norm(mean) < 0.2:  # it turns round: what counts is where it looks at first
        mean = ways[: max(1, round(motion.fps)), :2].mean(axis=0)
    facing = float(np.arctan2(mean[1], mean[0]))
    return RootTrajectory(motion.root_positions() * motion.skeleton.unit, facing)


def forward_of(source: Motion) -> Array:
    """Where the character looks at rest, a horizontal unit vector (3,).

    Feet point forward; without feet it is where the source travels, and where it does not, Blender's front, -y.
    """
    way = _feet_way(source.skeleton)
    if np.linalg.norm(way) < MIN_FORWARD_OFFSET * BODY:
        steps = np.diff(source.root_positions(), axis=0)
        steps[:, 2] = 0.0
        way = np.einsum("tji,tj->i", source.rotations()[1:, 0], steps)
    way = np.array([way[0], way[1], 0.0])
    length = float(np.linalg.norm(way))
    return way / length if length > 0.1 * BODY or length >= MIN_FORWARD_OFFSET * BODY else np.array([0.0, -1.0, 0.0])


def _feet_way(skeleton: Skeleton) -> Array:
    """Sum of what leads on from a foot: from heel or ankle to toes."""
    feet = set(skeleton.contacts)
    below = [joint for joint, parent in enumerate(skeleton.parents) if parent in feet]
    way: Array = skeleton.offsets[below].sum(axis=0) if below else np.zeros(3)
    if np.linalg.norm(way[:2]) < MIN_FORWARD_OFFSET * BODY and feet:
        way = skeleton.offsets[sorted(feet)].sum(axis=0)
    return np.array([way[0], way[1], 0.0])


def floor_height(source: Motion, origin: float) -> float:
    """Height of the floor in the source's lengths: that of the armature's `origin` where feet stand about there."""
    unit, height = source.skeleton.unit, BODY * source.skeleton.unit
    lowest = float(np.percentile(source.positions()[..., 2].min(axis=1), 5)) * unit
    return origin if lowest - 0.15 * height <= origin <= lowest + 0.02 * height else lowest


def clearance(source: Motion) -> float:
    """The distance of two roots at which bodies seldom touch, in the source's lengths: twice how far joints usually
    reach out from the root."""
    positions = source.positions()[:: max(1, round(source.fps / 6.0))]
    reach = np.linalg.norm((positions - positions[:, :1])[..., :2], axis=2).max(axis=1)
    return 2.0 * float(np.percentile(reach, 60)) * source.skeleton.unit
