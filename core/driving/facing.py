"""Direction in which a body faces, and the course of its root: what two bodies of any shape have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion.body_parts import find_parts
from ..motion.limb_words import side_of
from ..motion.motion import Motion
from ..numeric.rotation import Array, axis_rotation, held_yaw
from ..numeric.smoothing import path_deviation, smooth

MIN_APART = 0.01
"""Distance of left and right in core units from which on they tell where a body faces."""


@dataclass(frozen=True, eq=False)
class Course:
    """Course of a motion's root, without the sway from step to step.

    `plane` (T, 2) is its path on the ground, `heading` (T,) the direction in which the body faces, in radians from +X,
    and `sway` (T, 2) the way from the path to the root, seen from the heading.
    """

    plane: Array
    heading: Array
    sway: Array

    @staticmethod
    def of(motion: Motion) -> Course:
        deviation = path_deviation(motion.fps, motion.frames)
        root = motion.root_positions()[:, :2]
        plane = steadied(root, deviation)
        heading = steadied(facing(motion)[:, None], deviation)[:, 0]
        sway = np.einsum("tij,tj->ti", axis_rotation(2, -heading)[:, :2, :2], root - plane)
        return Course(plane, heading, sway)


def steadied(values: Array, deviation: float) -> Array:
    """Smooth values (T, C) over time; beyond the ends they go on as they come, so that an even path stays as it is."""
    reach = min(int(4 * deviation) + 1, len(values) - 1)
    before = 2.0 * values[:1] - values[reach:0:-1]
    after = 2.0 * values[-1:] - values[-2 : -reach - 2 : -1]
    return smooth(np.concatenate([before, values, after]), deviation, "repeat")[reach : reach + len(values)]


def facing(motion: Motion) -> Array:
    """Return the direction (T,) in which a body faces, in radians from +X, unwrapped.

    It is the root's yaw, turned by what left and right tell on average; a body without sides faces where it goes, and
    one that also goes nowhere faces as Blender's characters do, along -Y at rest.
    """
    root = motion.rotations()[:, 0]
    up = root[:, 2]
    upright = root[int((up @ up.mean(0)).argmax())]
    yaw = np.unwrap(held_yaw(root @ upright.T))
    across = _right_to_left(motion)
    if across is not None:
        ahead = np.stack([across[:, 1], -across[:, 0]], axis=1)  # left × up
    else:
        ahead = np.gradient(motion.root_positions()[:, :2], axis=0)
    unturned = np.einsum("tij,tj->ti", axis_rotation(2, -yaw)[:, :2, :2], ahead).sum(0)
    if across is None and np.linalg.norm(unturned) < MIN_APART:
        return yaw + _yaw_at_rest(upright) - np.pi / 2.0
    return yaw + np.arctan2(unturned[1], unturned[0])


def _yaw_at_rest(upright: Array) -> float:
    """Return the yaw from the rest pose to the rotation (3, 3) of which other yaws are counted."""
    return float(held_yaw(upright[None])[0])


def _right_to_left(motion: Motion) -> Array | None:
    """Return the level way (T, 2) from the joints on the right to those on the left; None for a body without sides."""
    skeleton = motion.skeleton
    side = [side_of(name) for name in skeleton.names]
    for part in find_parts(skeleton):
        for joint in part.joints:
            side[joint] = side[joint] or part.name.partition(" ")[0].casefold()
    left, right = ([joint for joint, word in enumerate(side) if word == wanted] for wanted in ("left", "right"))
    if not left or not right:
        return None
    positions = motion.positions()[..., :2]
    across = positions[:, left].mean(1) - positions[:, right].mean(1)
    return across if float(np.linalg.norm(across, axis=1).mean()) > MIN_APART else None
