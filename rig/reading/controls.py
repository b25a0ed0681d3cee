"""Which controls of a rig are learned, and what each is told against: found by how they act, not by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.motion.skeleton import HEADING, OWN, TILT, TURNED, WHOLE, WORLD, body_size
from ...core.numeric.rotation import Array
from .evaluate import Poses, Rest, rotation_part

OBJECT = -1
"""In place of a bone's index: the armature object itself."""

_STIFF = 3e-5
"""Radians, or parts of the armature's size, by which what hangs on a control may move against it."""

_GLANCES = 24
"""Frames that are compared first; only what is stiff in these is looked at in all."""

_UNEVEN = 1e-3


@dataclass(frozen=True)
class Control:
    """A joint of a control rig: the bone, what it is told against, and the joint that carries it (-1 for the first)."""

    bone: int
    base: str
    parent: int


@dataclass(frozen=True, eq=False)
class Frames:
    """Where bones are, and where they would be with all their own channels at nothing, in armature space.

    `rotations` (T, n, 3, 3) and `positions` (T, n, 3) of the bones; `zero` (T, n, 4, 4) without their own channels,
    which are `basis` (T, n, 4, 4); `even` (n,) says which bones keep one even scale. `column` finds a bone
    in them. The locations of `unturned` bones are keyed in the armature's axes, though `basis` has them in the bone's
    own.
    """

    rotations: Array
    positions: Array
    zero: Array
    basis: Array
    even: np.ndarray
    column: Mapping[int, int]
    unturned: frozenset[int]


def frames_of(armature_object: bpy.types.Object, rest: Rest, poses: Poses, bones: Sequence[int]) -> Frames:
    """The frames of some bones."""
    own = list(bones)
    pose, basis = poses.pose[:, own], poses.basis[:, own]
    bones_of = armature_object.pose.bones
    unturned = frozenset(bone for bone in own if not bones_of[bone].bone.use_local_location)
    column = {bone: k for k, bone in enumerate(own)}
    for bone in unturned:
        k = column[bone]
        basis[:, k, :3, 3] = basis[:, k, :3, 3] @ rest.matrices[bone, :3, :3]
    lengths = np.linalg.norm(pose[..., :3, :3], axis=-2)
    limit = _UNEVEN * lengths.max((0, 2))
    even = (np.ptp(lengths, axis=2).max(0) < limit) & (np.ptp(lengths, axis=0).max(1) < limit)
    even &= np.linalg.det(pose[0, :, :3, :3]) > 0
    rotations = rotation_part(pose[..., :3, :3])
    return Frames(rotations, pose[..., :3, 3], pose @ np.linalg.inv(basis), basis, even, column, unturned)


def check_keys(rest: Rest, poses: Poses, bones: Sequence[int], frames: Sequence[int]) -> None:
    """Raise ClipError for keyed values that are no numbers, or a bone that is scaled to zero or mirrored."""
    basis, pose = poses.basis[:, list(bones)], poses.pose[:, list(bones)]
    for bad, what in (
        (~np.isfinite(basis).all(axis=(2, 3)) | ~np.isfinite(pose).all(axis=(2, 3)), "has a key that is not a number"),
        (np.abs(np.linalg.det(np.nan_to_num(basis[..., :3, :3]))) < 1e-20, "is scaled to zero"),
        (np.abs(np.linalg.det(np.nan_to_num(pose[..., :3, :3]))) < 1e-20, "is scaled to zero"),
        (np.linalg.det(np.nan_to_num(basis[..., :3, :3])) < 0, "is mirrored by a negative scale"),
    ):
        if bad.any():
            row, place = (int(found[0]) for found in np.nonzero(bad))
            raise ClipError(f"“{rest.names[list(bones)[place]]}” {what} at frame {frames[row]}.")


def armature_size(armature_object: bpy.types.Object, rest: Rest) -> float:
    """Height at rest of the bones that deform, or of all where none does, in the armature's own lengths."""
    heads = rest.matrices[:, :3, 3]
    deform = [bone.bone.use_deform for bone in armature_object.pose.bones]
    size = body_size(heads[deform]) if any(deform) else 0.0
    return size or max(body_size(heads), float(np.mean([bone.length for bone in armature_object.pose.bones])))


def control_names(armature_object: bpy.types.Object, rest: Rest, controls: Sequence[Control]) -> list[str]:
    """A name for each joint: its bone's, the object's for the object itself, and one that no bone has for the tilt."""
    names = []
    for control in controls:
        name = armature_object.name if control.bone == OBJECT else rest.names[control.bone]
        if control.base == TILT:
            name += " tilt"
        while control.base in (TILT, WHOLE) and name in rest.names:
            name += " "
        names.append(name)
    return names


def choose_root_control(rest: Rest, learned: Sequence[int], travelling: Sequence[int]) -> int:
    """The learned bone that carries the body: no learned bone above it, and most bones of the rig below it.

    Of bones that carry as many, one that is moved, not only turned.
    """
    below = np.ones(len(rest.names), dtype=int)
    for bone in range(len(rest.names)):
        for above in rest.ancestors(bone):
            below[above] += 1
    tops = [bone for bone in learned if not set(rest.ancestors(bone)) & set(learned)]
    return max(tops, key=lambda bone: (below[bone], bone in travelling, -bone))


def find_controls(rest: Rest, learned: Sequence[int], root: int, frames: Frames, size: float) -> list[Control]:
    """The learned bones as joints, those that carry others first; `root` may be OBJECT.

    A bone is told against the nearest learned bone above it that carries it stiffly, else against the world if what it
    hangs on stands still, else against any other learned bone that carries it stiffly, by whatever constraints. One
    that nothing carries stiffly is told by its own channels alone.
    """
    order = sorted((bone for bone in learned if bone != root), key=lambda bone: (len(rest.ancestors(bone)), bone))
    found: list[tuple[int, str, int]] = []  # bone, base, bone that carries it
    placed = [root]
    for bone in order:
        above = [other for other in rest.ancestors(bone) if other in placed]
        base, carrier = _carrier(frames, size, bone, above, placed)
        found.append((bone, base, carrier))
        placed.append(bone)
    upright = any(base == WORLD for _, base, _ in found)
    joints = [Control(root, WHOLE if root == OBJECT else TURNED, -1)]
    if upright:
        joints = [Control(root, HEADING, -1), Control(root, TILT, 0)]
    index = {root: len(joints) - 1}
    for bone, base, carrier in found:
        index[bone] = len(joints)
        joints.append(Control(bone, base, 0 if base == WORLD else index[carrier]))
    return joints


def _carrier(frames: Frames, size: float, bone: int, above: list[int], placed: list[int]) -> tuple[str, int]:
    for other in above:
        if _is_stiff(frames, size, bone, other):
            return TURNED, other
    root = placed[0]
    if root == OBJECT and _is_stiff(frames, size, bone, OBJECT):
        return TURNED, OBJECT
    if root != OBJECT and _is_stiff(frames, size, bone, OBJECT):
        return WORLD, root
    for other in placed:
        if other != OBJECT and other not in above and _is_stiff(frames, size, bone, other):
            return TURNED, other
    return OWN, above[0] if above else root


def _is_stiff(frames: Frames, size: float, bone: int, carrier: int) -> bool:
    """Whether a bone without its own channels stands still as seen from another (OBJECT: from the armature)."""
    if carrier != OBJECT and not frames.even[frames.column[carrier]]:
        return False
    step = max(1, len(frames.zero) // _GLANCES)
    for rows in (slice(None, None, step), slice(None)):
        linear, place = relative_zero(frames, bone, carrier, rows)
        length = np.linalg.norm(linear[0, :, 0])
        if np.abs(linear - linear[0]).max() > _STIFF * length or np.abs(place - place[0]).max() > _STIFF * size:
            return False
    upright = np.abs(linear[0].T @ linear[0] / length**2 - np.eye(3)).max() < _UNEVEN
    return bool(upright and np.linalg.det(linear[0]) > 0)


def relative_zero(frames: Frames, bone: int, carrier: int, rows: slice | int) -> tuple[Array, Array]:
    """Axes (…, 3, 3) and place (…, 3) of a bone without its own channels, seen from its unscaled carrier."""
    own = frames.column[bone]
    linear, place = frames.zero[rows, own, :3, :3], frames.zero[rows, own, :3, 3]
    if carrier == OBJECT:
        return linear, place
    turn = frames.rotations[rows, frames.column[carrier]].swapaxes(-1, -2)
    away = place - frames.positions[rows, frames.column[carrier]]
    return turn @ linear, (turn @ away[..., None])[..., 0]
