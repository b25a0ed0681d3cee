"""Conversion of bones that follow their keys to the joints of a Motion."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from ...core.motion.motion import Motion, from_transforms, posed_size
from ...core.motion.skeleton import body_size, build_skeleton
from ...core.numeric.rotation import Array
from .evaluate import Poses, Rest, rotation_part, world_transforms

_SIZE_FRAMES = 60
"""Frames in which a body's size is measured."""

_STEP_FRAMES = 400
"""Frames that are converted in one step."""

_KEYED_TOLERANCE = 5e-4
"""Largest difference of matrix elements between a bone's pose and its keys that is taken for imprecision."""

_SLIDE_SHARE = 1e-5
"""Smallest spread of a joint's offset that counts as sliding, relative to the body's size."""


def bone_motion(
    rest: Rest, joints: list[int], poses: Poses, sliding: set[str], fps: float
) -> Generator[float, None, Motion]:
    """Build the motion of the bones `joints`, parents first, in steps; `sliding` names the bones whose keyed location
    moves."""
    names = [rest.names[bone] for bone in joints]
    parents = [joints.index(rest.parents[bone]) if k else -1 for k, bone in enumerate(joints)]
    parts = []
    for row in range(0, len(poses.world), _STEP_FRAMES):
        parts.append(world_transforms(rest, joints, poses, slice(row, row + _STEP_FRAMES)))
        yield 1.0
    world_rotations, world_positions = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    rest_positions = (poses.world[0] @ rest.matrices[joints])[:, :3, 3]
    above = [max(parent, 0) for parent in parents]
    rotations = world_rotations[:, above].swapaxes(-1, -2) @ world_rotations
    rotations[:, 0] = world_rotations[:, 0]
    yield 1.0
    rotations = yield from _as_keyed(rotations, rest, joints, poses)
    yield 1.0
    offsets = np.einsum("tjba,tjb->tja", world_rotations[:, above], world_positions - world_positions[:, above])
    yield 1.0
    base = rest_positions - rest_positions[above]
    moving = _moving_offsets(names, offsets, sliding, body_size(rest_positions))
    steady = offsets.mean(axis=0)
    steady[moving] = base[moving]
    steady[0] = rest_positions[0]
    for joint in range(1, len(names)):
        rest_positions[joint] = rest_positions[above[joint]] + steady[joint]
    size = posed_size(rest_positions, world_positions[:: max(1, len(world_positions) // _SIZE_FRAMES)])
    if size <= 0.0:  # one bone: a door, a turret
        size = float(np.linalg.norm(poses.world[0, :3, 0])) * rest.lengths[joints[0]]
    skeleton = build_skeleton(names, parents, rest_positions, moving, size)
    return from_transforms(skeleton, rotations, world_positions[:, 0] / skeleton.unit, fps, offsets / skeleton.unit)


def _as_keyed(rotations: Array, rest: Rest, joints: list[int], poses: Poses) -> Generator[float, None, Array]:
    """Replace local rotations (T, J, 3, 3) below the root by those of the bones' own channels where they are equal.

    Blender's rest matrices are orthogonal to 7e-5 only, most of all those of bones that hang straight down. Rotations
    told from poses therefore differ from the keys a little more with each bone of a chain, and written as keys they
    would turn the last bone by 1e-4 rad. Bones that something else turns keep the rotation of their pose.
    """
    rests = rotation_part(poses.world[:1, :3, :3]) @ rest.matrices[joints][:, :3, :3]
    keyed = np.empty_like(rotations)
    off = np.zeros(len(joints))
    for row in range(0, len(rotations), _STEP_FRAMES):
        rows = slice(row, row + _STEP_FRAMES)
        keyed[rows] = rests @ rotation_part(poses.basis[rows][:, joints, :3, :3]) @ rests.swapaxes(-1, -2)
        off = np.maximum(off, np.abs(keyed[rows] - rotations[rows]).max(axis=(0, 2, 3)))
        yield 1.0
    same = off < _KEYED_TOLERANCE
    same[0] = False
    rotations[:, same] = keyed[:, same]
    return rotations


def _moving_offsets(names: list[str], offsets: Array, sliding: set[str], size: float) -> list[int]:
    """Return the joints below the root whose offset from the parent varies by more than single-precision noise."""
    spread = np.ptp(offsets, axis=0).max(axis=1)
    return [j for j in range(1, len(names)) if names[j] in sliding and spread[j] > _SLIDE_SHARE * size]
