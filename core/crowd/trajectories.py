"""Root trajectories for placement: path, facing, floor height and clearance of a character."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion.motion import Motion
from ..motion.skeleton import BODY, Skeleton
from ..numeric.rotation import Array

MIN_FORWARD_OFFSET = 0.03
"""Smallest forward offset of the feet, in body heights, that defines the front."""


@dataclass(frozen=True, eq=False)
class RootTrajectory:
    """Path (T, 3) of a root in the lengths of its file, and mean facing in radians from the x axis."""

    path: Array
    facing: float


@dataclass(frozen=True)
class Span:
    """Time span of a crowd's motion: `frames` from `start` on, repeated if `loop`, else at rest before and after."""

    start: float
    frames: int
    loop: bool


def seen_during(path: Array, source: Span, target: Span) -> Array:
    """Resample a path (R, D) over the span `source` to the span `target` of another crowd, with R rows.

    Of a target loop of another length only the first period is covered.
    """
    if source == target:
        return path
    frames = np.linspace(0.0, target.frames - 1.0, len(path)) + (target.start - source.start)
    if source.loop:
        frames = frames % source.frames
    at = frames / max(source.frames - 1.0, 1.0) * (len(path) - 1.0)
    return np.stack([np.interp(at, np.arange(len(path)), column) for column in path.T], axis=1)


def trajectory_of(motion: Motion, forward: Array) -> RootTrajectory:
    """Return path and facing of a motion whose character faces along `forward` (3,) at rest."""
    directions = motion.rotations()[:, 0] @ forward
    mean = directions[:, :2].mean(axis=0)
    if np.linalg.norm(mean) < 0.2:  # it turns round: use the facing of its first second
        mean = directions[: max(1, round(motion.fps)), :2].mean(axis=0)
    facing = float(np.arctan2(mean[1], mean[0]))
    return RootTrajectory(motion.root_positions() * motion.skeleton.unit, facing)


def forward_of(source: Motion) -> Array:
    """Return the horizontal unit vector (3,) along which the character faces at rest.

    Feet point forward; without feet it is the direction in which the source travels, else Blender's front, -y.
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
    """Return the summed horizontal direction (3,) of the feet, from heel or ankle to toes."""
    feet = set(skeleton.contacts)
    below = [joint for joint, parent in enumerate(skeleton.parents) if parent in feet]
    way: Array = skeleton.offsets[below].sum(axis=0) if below else np.zeros(3)
    if np.linalg.norm(way[:2]) < MIN_FORWARD_OFFSET * BODY and feet:
        way = skeleton.offsets[sorted(feet)].sum(axis=0)
    return np.array([way[0], way[1], 0.0])


def floor_height(source: Motion, origin: float) -> float:
    """Return the floor height in the source's lengths: the armature's `origin` if feet stand near it, else the height
    of the lowest joint."""
    unit, height = source.skeleton.unit, BODY * source.skeleton.unit
    lowest = float(np.percentile(source.positions()[..., 2].min(axis=1), 5)) * unit
    return origin if lowest - 0.15 * height <= origin <= lowest + 0.02 * height else lowest


def clearance(source: Motion) -> float:
    """Return the distance of two roots at which bodies seldom touch, in the source's lengths: twice the usual planar
    distance of the outermost joint from the root."""
    positions = source.positions()[:: max(1, round(source.fps / 6.0))]
    reach = np.linalg.norm((positions - positions[:, :1])[..., :2], axis=2).max(axis=1)
    return 2.0 * float(np.percentile(reach, 60)) * source.skeleton.unit
