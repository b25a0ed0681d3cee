"""Checks for rigs and poses that Riff cannot read and write back unchanged; each raises one clear sentence."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.motion.skeleton import body_size
from ...core.numeric.rotation import Array
from .bone_settings import BoneSettings
from .evaluate import Poses, Rest, column_lengths, rotation_part

_UNEVEN_SHARE = 1e-3
"""Largest difference between scales that counts as even, relative to the larger one."""

_POSE_TOLERANCE = 1e-3
"""Largest difference between two poses that counts as equal: of matrix elements, and of positions in body sizes."""

MAX_DISTANCE_SIZES = 100_000
"""Largest distance in sizes of the armature that counts as motion."""

_CHECK_STEP_FRAMES = 3
"""Frames from one comparison with the keys to the next: constraints do not switch on and off within so few."""


class NotForwardKinematics(ClipError):
    """Raised for an armature whose bones do more than follow their keys, each relative to its parent."""


def check_object(name: str, world: Array, frames: Sequence[int]) -> None:
    """Raise ClipError if the object's world matrices (T, 4, 4) are not finite, scaled to zero, unevenly scaled or
    mirrored.
    """
    bad = ~np.isfinite(world).all(axis=(1, 2))
    if bad.any():
        frame = frames[int(bad.argmax())]
        raise ClipError(
            f"The object “{name}” has an invalid location, rotation or scale (not a number) at frame {frame}."
        )
    lengths = np.linalg.norm(world[:, :3, :3], axis=1)
    largest = lengths.max()
    if lengths.min() <= 1e-8 * max(1.0, largest):
        raise ClipError(f"The object “{name}” is scaled to zero.")
    sheared = (
        np.abs(world[:, :3, :3] - rotation_part(world[:, :3, :3]) * lengths[:, None]).max() > _UNEVEN_SHARE * largest
    )
    if sheared or np.ptp(lengths[0]) > _UNEVEN_SHARE * largest:
        raise ClipError(f"The object “{name}” has an uneven or negative scale; apply its scale first.")


def check_distance(name: str, rest: Rest, bones: Sequence[int], poses: Poses, frames: Sequence[int]) -> None:
    """Raise ClipError, naming bone or object and frame, for one so far away that a key must be wrong.

    Single precision tells no motion of the body there.
    """
    limit = MAX_DISTANCE_SIZES * _size(rest)
    far = np.abs(poses.pose[:, list(bones)][..., :3, 3]).max(axis=2) > limit
    if far.any():
        row, place = _first(far)
        bone = rest.names[list(bones)[place]]
        raise ClipError(
            f"“{bone}” is over {MAX_DISTANCE_SIZES:,} times the armature's size away at frame {frames[row]}; correct "
            "its keys there."
        )
    shift = poses.world[:, :3, 3] - poses.world[0, :3, 3]
    away = np.abs(shift).max(axis=1) > limit * column_lengths(poses.world[0, :3, :3]).max()
    if away.any():
        raise ClipError(
            f"The object “{name}” moves over {MAX_DISTANCE_SIZES:,} times its size until frame "
            f"{frames[int(away.argmax())]}; correct its keys there."
        )


def check_inheritance(armature_object: bpy.types.Object, names: Sequence[str]) -> None:
    """Raise ClipError for a bone below the root (the first of `names`) that does not inherit its parent's rotation."""
    for name in names[1:]:
        if not armature_object.data.bones[name].use_inherit_rotation:
            raise ClipError(f"“{name}” does not inherit its parent's rotation; turn on Inherit Rotation for it.")


def check_steps(
    settings: BoneSettings,
    rest: Rest,
    joints: list[int],
    poses: Poses,
    channels: dict[tuple[str, str], bool],
    frames: Sequence[int],
) -> Generator[float, None, None]:
    """Raise NotForwardKinematics, naming bone and frame, for poses that are not finite, badly
    scaled or not as keyed; check in steps.
    """
    pose = poses.pose[:, joints]
    _check_finite(rest, joints, pose, frames)
    _check_no_ik(settings, rest, joints)
    _check_scales(rest, joints, pose, frames)
    yield 1.0
    _check_still_above(rest, joints[0], poses.pose, frames)
    _check_forward_kinematics(settings, rest, joints, poses, channels, frames)


def _check_finite(rest: Rest, joints: list[int], pose: Array, frames: Sequence[int]) -> None:
    if not np.isfinite(pose.sum()):
        row, joint = _first(~np.isfinite(pose).all(axis=(2, 3)))
        raise NotForwardKinematics(
            f"“{rest.names[joints[joint]]}” has an invalid key (not a number) at frame {frames[row]}."
        )


def _check_no_ik(settings: BoneSettings, rest: Rest, joints: list[int]) -> None:
    """Raise NotForwardKinematics for a bone with an active IK constraint: it follows a control, not its own keys."""
    for bone in joints:
        name = rest.names[bone]
        if name in settings.reaching:
            raise NotForwardKinematics(
                f"“{name}” is moved by its constraint “{settings.reaching[name]}”, not by its keys."
            )


def _check_scales(rest: Rest, joints: list[int], pose: Array, frames: Sequence[int]) -> None:
    lengths = column_lengths(pose[..., :3, :3])
    zero = lengths < 1e-8
    if zero.any():
        row, joint = _first(zero.any(axis=-1))
        raise NotForwardKinematics(f"“{rest.names[joints[joint]]}” is scaled to zero at frame {frames[row]}.")
    with_children = np.isin(joints, rest.parents)
    # a bone without children may have any scale: nothing depends on it
    longest = np.maximum(np.maximum(lengths[..., 0], lengths[..., 1]), lengths[..., 2])
    shortest = np.minimum(np.minimum(lengths[..., 0], lengths[..., 1]), lengths[..., 2])
    uneven = (longest - shortest > _UNEVEN_SHARE * longest) & with_children
    changes = (np.abs(lengths - lengths[0]) > _UNEVEN_SHARE * longest[0, :, None]).any(axis=-1) & with_children
    for bad, what in ((uneven, "is scaled unevenly"), (changes, "changes its scale")):
        if bad.any():
            row, joint = _first(bad)
            name = rest.names[joints[joint]]
            raise NotForwardKinematics(
                f"“{name}” {what} at frame {frames[row]}; Riff learns rotation and location only."
            )
    mirrored = np.linalg.det(pose[::_CHECK_STEP_FRAMES, :, :3, :3]) < 0
    if mirrored.any():
        row, joint = _first(mirrored)
        frame = frames[row * _CHECK_STEP_FRAMES]
        raise NotForwardKinematics(f"“{rest.names[joints[joint]]}” is mirrored by a negative scale at frame {frame}.")


def _check_still_above(rest: Rest, root: int, pose: Array, frames: Sequence[int]) -> None:
    above = rest.parents[root]
    if above < 0:
        return
    size = _size(rest)
    off = np.abs(pose[:, above] - pose[0, above])
    moved = (off[:, :3, :3].max(axis=(1, 2)) > _POSE_TOLERANCE) | (off[:, :3, 3].max(axis=1) > _POSE_TOLERANCE * size)
    if moved.any():
        name, frame = rest.names[above], frames[int(moved.argmax())]
        raise NotForwardKinematics(
            f"“{name}”, above the root “{rest.names[root]}”, moves at frame {frame} without being keyed."
        )


def _check_forward_kinematics(
    settings: BoneSettings,
    rest: Rest,
    joints: list[int],
    poses: Poses,
    channels: dict[tuple[str, str], bool],
    frames: Sequence[int],
) -> None:
    """Compare Blender's poses with parent × rest × keys and raise NotForwardKinematics for any difference.

    Constraints and bones that do not inherit rotation show as a difference; keys written later would not give the
    intended pose.
    """
    above = np.array(rest.parents)[joints]
    pose, basis = poses.pose[::_CHECK_STEP_FRAMES], poses.basis[::_CHECK_STEP_FRAMES]
    parent = np.where((above >= 0)[:, None, None], pose[:, above], np.eye(4))
    expected = parent @ rest.relative[joints] @ basis[:, joints]
    actual = pose[:, joints]
    keyed = {bone for bone, path in channels if path.startswith("rotation_")}
    off = np.abs(expected - actual)
    turned = off[..., :3, :3].max(axis=(-2, -1)) > _POSE_TOLERANCE * np.abs(actual[..., :3, :3]).max()
    turned &= np.array([rest.names[bone] in keyed for bone in joints])
    shifted = off[..., :3, 3].max(axis=-1) > _POSE_TOLERANCE * _size(rest)
    placed = [k == 0 or (rest.names[b], "location") in channels for k, b in enumerate(joints)]
    shifted &= np.array([p and rest.names[b] not in settings.connected for p, b in zip(placed, joints, strict=True)])
    if (turned | shifted).any():
        row, joint = _first(turned | shifted)
        name = rest.names[joints[joint]]
        raise NotForwardKinematics(
            f"“{name}” does not follow its keys at frame {frames[row * _CHECK_STEP_FRAMES]}: {settings.reasons[name]}."
        )


def _size(rest: Rest) -> float:
    """Return the armature's size, with a minimum against rounding errors if all bones start in one place."""
    heads = rest.matrices[:, :3, 3]
    return max(body_size(heads), 0.01 * float(np.abs(heads).max()), 1e-3)


def _first(bad: np.ndarray) -> tuple[int, int]:
    rows, joints = np.nonzero(bad)
    return int(rows[0]), int(joints[0])
