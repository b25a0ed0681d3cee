"""What cannot go through a Motion and come back the same, told in one sentence before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.motion.skeleton import body_size
from ...core.numeric.rotation import Array
from .evaluate import Poses, Rest, column_lengths, rotation_part

_UNEVEN = 1e-3
_OFF = 1e-3
_STRIDE = 3
"""Frames from one comparison with the keys to the next: no constraint is switched on and off again in between."""


class NotForwardKinematics(ClipError):
    """An armature whose bones do more than follow their keys one below the other."""


def check_object(armature_object: bpy.types.Object, world: Array) -> None:
    """Raise ClipError where the object's world matrices (T, 4, 4) are scaled unevenly."""
    name = armature_object.name
    if not np.isfinite(world).all():
        raise ClipError(f"The object “{name}” has a position, rotation or scale that is not a number.")
    lengths = np.linalg.norm(world[:, :3, :3], axis=1)
    largest = lengths.max()
    if lengths.min() <= 1e-8 * max(1.0, largest):
        raise ClipError(f"The object “{name}” is scaled to zero.")
    sheared = np.abs(world[:, :3, :3] - rotation_part(world[:, :3, :3]) * lengths[:, None]).max() > _UNEVEN * largest
    if sheared or np.ptp(lengths) > _UNEVEN * largest:
        raise ClipError(f"The object “{name}” is scaled unevenly, mirrored or changes its scale; apply it first.")


def as_keyed(poses: Poses) -> Poses:
    """The poses with the object where its own channels put it: what else carries it, a parent or a constraint, stays
    as it is in the first frame, for nothing of that is learned or written."""
    if not np.isfinite(poses.world).all() or abs(np.linalg.det(poses.own[0, :3, :3])) < 1e-20:
        return poses
    keyed = poses.world[0] @ np.linalg.inv(poses.own[0]) @ poses.own
    return replace(poses, world=keyed)


def check_inheritance(armature_object: bpy.types.Object, names: Sequence[str]) -> None:
    """Raise ClipError for a bone below the root (the first of `names`) that does not turn with its parent."""
    for name in names[1:]:
        if not armature_object.data.bones[name].use_inherit_rotation:
            raise ClipError(f"“{name}” does not inherit its parent's rotation; Riff writes FK bones so far.")


def check_poses(
    armature_object: bpy.types.Object,
    rest: Rest,
    joints: list[int],
    poses: Poses,
    channels: dict[tuple[str, str], bool],
    frames: Sequence[int],
) -> None:
    """Raise NotBones, naming bone and frame, for poses that are not finite, scaled oddly, or not what is keyed."""
    pose = poses.pose[:, joints]
    _check_finite(rest, joints, pose, frames)
    _check_no_ik(armature_object, rest, joints)
    _check_scales(rest, joints, pose, frames)
    _check_still_above(rest, joints[0], poses.pose, frames)
    _check_forward_kinematics(armature_object, rest, joints, poses, channels, frames)


def _check_finite(rest: Rest, joints: list[int], pose: Array, frames: Sequence[int]) -> None:
    if not np.isfinite(pose.sum()):
        row, joint = _first(~np.isfinite(pose).all(axis=(2, 3)))
        raise NotForwardKinematics(
            f"“{rest.names[joints[joint]]}” has a key that is not a number at frame {frames[row]}."
        )


def _check_no_ik(armature_object: bpy.types.Object, rest: Rest, joints: list[int]) -> None:
    """A limb that reaches for a control follows that, not keys of its own."""
    for bone in joints:
        for constraint in armature_object.pose.bones[bone].constraints:
            if constraint.type in ("IK", "SPLINE_IK") and not constraint.mute and constraint.influence > 0:
                raise NotForwardKinematics(f"“{rest.names[bone]}” is moved by its constraint “{constraint.name}”.")


def _check_scales(rest: Rest, joints: list[int], pose: Array, frames: Sequence[int]) -> None:
    lengths = column_lengths(pose[..., :3, :3])
    zero = lengths < 1e-8
    if zero.any():
        row, joint = _first(zero.any(axis=-1))
        raise NotForwardKinematics(f"“{rest.names[joints[joint]]}” is scaled to zero at frame {frames[row]}.")
    with_children = np.isin(joints, rest.parents)
    # a bone without children may be scaled as it likes: nothing else hangs on it
    longest = np.maximum(np.maximum(lengths[..., 0], lengths[..., 1]), lengths[..., 2])
    shortest = np.minimum(np.minimum(lengths[..., 0], lengths[..., 1]), lengths[..., 2])
    uneven = (longest - shortest > _UNEVEN * longest) & with_children
    changes = (np.abs(lengths - lengths[0]) > _UNEVEN * longest[0, :, None]).any(axis=-1) & with_children
    for bad, what in ((uneven, "is scaled unevenly"), (changes, "changes its scale")):
        if bad.any():
            row, joint = _first(bad)
            name = rest.names[joints[joint]]
            raise NotForwardKinematics(f"“{name}” {what} at frame {frames[row]}; Riff learns rotation and travel only.")
    mirrored = np.linalg.det(pose[::_STRIDE, :, :3, :3]) < 0
    if mirrored.any():
        row, joint = _first(mirrored)
        frame = frames[row * _STRIDE]
        raise NotForwardKinematics(f"“{rest.names[joints[joint]]}” is mirrored by a negative scale at frame {frame}.")


def _check_still_above(rest: Rest, root: int, pose: Array, frames: Sequence[int]) -> None:
    above = rest.parents[root]
    if above < 0:
        return
    size = _size(rest)
    off = np.abs(pose[:, above] - pose[0, above])
    moved = (off[:, :3, :3].max(axis=(1, 2)) > _OFF) | (off[:, :3, 3].max(axis=1) > _OFF * size)
    if moved.any():
        name, frame = rest.names[above], frames[int(moved.argmax())]
        raise NotForwardKinematics(
            f"“{name}”, above the root “{rest.names[root]}”, moves at frame {frame} without being keyed."
        )


def _check_forward_kinematics(
    armature_object: bpy.types.Object,
    rest: Rest,
    joints: list[int],
    poses: Poses,
    channels: dict[tuple[str, str], bool],
    frames: Sequence[int],
) -> None:
    """Compare what Blender evaluated with parent × rest × keys: constraints, bones that do not inherit rotation and the
    like show as a difference, and keys written later would not give the pose that was meant."""
    above = np.array(rest.parents)[joints]
    pose, basis = poses.pose[::_STRIDE], poses.basis[::_STRIDE]
    parent = np.where((above >= 0)[:, None, None], pose[:, above], np.eye(4))
    expected = parent @ rest.relative[joints] @ basis[:, joints]
    actual = pose[:, joints]
    keyed = {bone for bone, path in channels if path.startswith("rotation_")}
    off = np.abs(expected - actual)
    turned = off[..., :3, :3].max(axis=(-2, -1)) > _OFF * np.abs(actual[..., :3, :3]).max()
    turned &= np.array([rest.names[bone] in keyed for bone in joints])
    shifted = off[..., :3, 3].max(axis=-1) > _OFF * _size(rest)
    bones = armature_object.data.bones
    placed = [k == 0 or (rest.names[b], "location") in channels for k, b in enumerate(joints)]
    shifted &= np.array([p and not bones[rest.names[b]].use_connect for p, b in zip(placed, joints, strict=True)])
    if (turned | shifted).any():
        row, joint = _first(turned | shifted)
        name = rest.names[joints[joint]]
        reason = _reason(armature_object.pose.bones[name])
        raise NotForwardKinematics(f"“{name}” does not follow its keys at frame {frames[row * _STRIDE]}: {reason}.")


def _reason(bone: bpy.types.PoseBone) -> str:
    acting = [c.name for c in bone.constraints if not c.mute and c.influence > 0]
    if acting:
        return f"its constraint “{acting[0]}” moves it"
    if not bone.bone.use_inherit_rotation:
        return "it does not inherit rotation"
    if not bone.bone.use_local_location:
        return "its location is not in its own axes"
    return "a constraint on another bone moves it, or it does not inherit scale"


def _size(rest: Rest) -> float:
    """Size of the armature, not so small that rounding counts where all bones start in one place."""
    heads = rest.matrices[:, :3, 3]
    return max(body_size(heads), 0.01 * float(np.abs(heads).max()), 1e-3)


def _first(bad: np.ndarray) -> tuple[int, int]:
    rows, joints = np.nonzero(bad)
    return int(rows[0]), int(joints[0])
