"""Joints of a Motion from evaluated poses: world places, and rotations that are the identity at rest."""

from __future__ import annotations

import numpy as np

from ..core.numeric.rotation import Array
from .evaluate import Poses, Rest, rotation_part, unit_columns


def world_transforms(rest: Rest, joints: list[int], poses: Poses) -> tuple[Array, Array]:
    """World rotations from rest (T, J, 3, 3) and world places (T, J, 3) of the joints.

    Rest is the armature's rest pose as the object stands in the first frame, so an object that is itself keyed moves
    the root.
    """
    world = poses.world[:, None]
    turned = rotation_part(poses.world[:, :3, :3])
    rest_turns = turned[0] @ rest.matrices[joints][:, :3, :3]
    pose = poses.pose[:, joints]
    turns = turned[:, None] @ unit_columns(pose[..., :3, :3]) @ rest_turns.swapaxes(-1, -2)
    places = np.einsum("tjab,tjb->tja", world[..., :3, :3], pose[..., :3, 3]) + world[..., :3, 3]
    return turns, places
