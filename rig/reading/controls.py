"""Selection of the controls that are learned and of each one's reference frame, by how they act, not by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.motion.limb_words import names_hips
from ...core.motion.skeleton import Space, body_size
from ...core.numeric.rotation import Array
from .evaluate import Poses, Rest, rotation_part
from .roots import shared_ancestor

OBJECT = -1
"""Index that stands for the armature object instead of a bone."""

_STIFF_TOLERANCE = 3e-5
"""Largest movement of a bone against a carrier that counts as rigid: in radians, and relative to the armature's size.
"""

_GLANCE_FRAMES = 24
"""Frames compared first; only bones that are rigid in these are compared in all frames."""

_UNEVEN_SHARE = 1e-3
"""Largest difference between scales that counts as even, relative to the larger one."""


@dataclass(frozen=True)
class Control:
    """A joint of a control rig: its bone, its reference frame (a Space) and the index of its parent joint (-1 for the
    first).
    """

    bone: int
    base: str
    parent: int


@dataclass(frozen=True, eq=False)
class Frames:
    """Bones in armature space, with and without their own channels.

    For T frames and n bones: `rotations` (T, n, 3, 3), `positions` (T, n, 3), own channels `basis` (T, n, 4, 4) and
    matrices without them `zero` (T, n, 4, 4). `even` (n,) marks bones with one constant, even scale. `column` maps a
    bone to its index here. Bones in `unturned` have locations keyed in the armature's axes; `basis` has them in the
    bone's own.
    """

    rotations: Array
    positions: Array
    zero: Array
    basis: Array
    even: np.ndarray
    column: Mapping[int, int]
    unturned: frozenset[int]


def frames_of(armature_object: bpy.types.Object, rest: Rest, poses: Poses, bones: Sequence[int]) -> Frames:
    """Collect the Frames of some bones."""
    own = list(bones)
    pose, basis = poses.pose[:, own], poses.basis[:, own]
    bones_of = armature_object.pose.bones
    unturned = frozenset(bone for bone in own if not bones_of[bone].bone.use_local_location)
    column = {bone: k for k, bone in enumerate(own)}
    for bone in unturned:
        k = column[bone]
        basis[:, k, :3, 3] = basis[:, k, :3, 3] @ rest.matrices[bone, :3, :3]
    lengths = np.linalg.norm(pose[..., :3, :3], axis=-2)
    limit = _UNEVEN_SHARE * lengths.max((0, 2))
    even = (np.ptp(lengths, axis=2).max(0) < limit) & (np.ptp(lengths, axis=0).max(1) < limit)
    even &= np.linalg.det(pose[0, :, :3, :3]) > 0
    rotations = rotation_part(pose[..., :3, :3])
    return Frames(rotations, pose[..., :3, 3], pose @ np.linalg.inv(basis), basis, even, column, unturned)


def check_keys(rest: Rest, poses: Poses, bones: Sequence[int], frames: Sequence[int]) -> None:
    """Raise ClipError for keyed values that are not numbers, or a bone that is scaled to zero or mirrored."""
    basis, pose = poses.basis[:, list(bones)], poses.pose[:, list(bones)]
    for bad, what in (
        (
            ~np.isfinite(basis).all(axis=(2, 3)) | ~np.isfinite(pose).all(axis=(2, 3)),
            "has an invalid key (not a number)",
        ),
        (np.abs(np.linalg.det(np.nan_to_num(basis[..., :3, :3]))) < 1e-20, "is scaled to zero"),
        (np.abs(np.linalg.det(np.nan_to_num(pose[..., :3, :3]))) < 1e-20, "is scaled to zero"),
        (np.linalg.det(np.nan_to_num(basis[..., :3, :3])) < 0, "is mirrored by a negative scale"),
    ):
        if bad.any():
            row, place = (int(found[0]) for found in np.nonzero(bad))
            raise ClipError(f"“{rest.names[list(bones)[place]]}” {what} at frame {frames[row]}.")


def armature_size(armature_object: bpy.types.Object, rest: Rest) -> float:
    """Return the height at rest of the deforming bones (of all bones if none deforms) in the armature's own units."""
    heads = rest.matrices[:, :3, 3]
    deform = [bone.bone.use_deform for bone in armature_object.pose.bones]
    size = body_size(heads[deform]) if any(deform) else 0.0
    return size or max(body_size(heads), float(np.mean([bone.length for bone in armature_object.pose.bones])))


def control_names(armature_object: bpy.types.Object, rest: Rest, controls: Sequence[Control]) -> list[str]:
    """Return a name for each joint: its bone's, the object's for the object, and a new one for the tilt."""
    names = []
    for control in controls:
        name = armature_object.name if control.bone == OBJECT else rest.names[control.bone]
        if control.base == Space.TILT:
            name += " tilt"
        while control.base in (Space.TILT, Space.OBJECT) and name in rest.names:
            name += " "
        names.append(name)
    return names


def choose_root_control(
    rest: Rest, learned: Sequence[int], travelling: Sequence[int], keyed: Sequence[int] = ()
) -> int:
    """Return the bone that carries the body: the topmost learned one with most bones of the rig below it.

    If several have equally many below them, a bone that is moved wins over one that is only rotated. Where that bone is
    a head, a tail or a shoulder, because the hips have keys and rest, the root is the hips' control in `keyed`; without
    one it is the nearest common ancestor of all that moves.
    """
    below = np.ones(len(rest.names), dtype=int)
    for bone in range(len(rest.names)):
        for above in rest.ancestors(bone):
            below[above] += 1
    tops = [bone for bone in learned if not set(rest.ancestors(bone)) & set(learned)]
    root = max(tops, key=lambda bone: (below[bone], bone in travelling, -bone))
    if names_hips(rest.names[root]) or root in travelling:
        return root
    hips = [bone for bone in keyed if names_hips(rest.names[bone]) and not set(rest.ancestors(bone)) & set(learned)]
    hips = [bone for bone in hips if below[bone] > below[root] and bone not in learned]
    if hips:
        return max(hips, key=lambda bone: (below[bone], -bone))
    return shared_ancestor(rest, tops, root) if len(tops) > 1 else root


def find_controls(rest: Rest, learned: Sequence[int], root: int, frames: Frames, size: float) -> list[Control]:
    """Return the learned bones as joints, carriers first; `root` may be OBJECT.

    The reference frame of a bone is, in this order: the nearest learned bone above it that carries it rigidly; the
    world, if the bone stands still in it without its own channels; any other learned bone that carries it rigidly
    through constraints; else its own channels alone.
    """
    order = sorted((bone for bone in learned if bone != root), key=lambda bone: (len(rest.ancestors(bone)), bone))
    found: list[tuple[int, str, int]] = []  # bone, base, bone that carries it
    placed = [root]
    for bone in order:
        above = [other for other in rest.ancestors(bone) if other in placed]
        base, carrier = _carrier(frames, size, bone, above, placed)
        found.append((bone, base, carrier))
        placed.append(bone)
    upright = any(base == Space.WORLD for _, base, _ in found)
    joints = [Control(root, Space.OBJECT if root == OBJECT else Space.PARENT, -1)]
    if upright:
        joints = [Control(root, Space.YAW, -1), Control(root, Space.TILT, 0)]
    index = {root: len(joints) - 1}
    for bone, base, carrier in found:
        index[bone] = len(joints)
        joints.append(Control(bone, base, 0 if base == Space.WORLD else index[carrier]))
    return joints


def _carrier(frames: Frames, size: float, bone: int, above: list[int], placed: list[int]) -> tuple[str, int]:
    for other in above:
        if _is_stiff(frames, size, bone, other):
            return Space.PARENT, other
    root = placed[0]
    if root == OBJECT and _is_stiff(frames, size, bone, OBJECT):
        return Space.PARENT, OBJECT
    if root != OBJECT and _is_stiff(frames, size, bone, OBJECT):
        return Space.WORLD, root
    for other in placed:
        if other != OBJECT and other not in above and _is_stiff(frames, size, bone, other):
            return Space.PARENT, other
    return Space.LOCAL, above[0] if above else root


def _is_stiff(frames: Frames, size: float, bone: int, carrier: int) -> bool:
    """Return True if a bone without its own channels stands still relative to a carrier (OBJECT: the armature)."""
    if carrier != OBJECT and not frames.even[frames.column[carrier]]:
        return False
    step = max(1, len(frames.zero) // _GLANCE_FRAMES)
    for rows in (slice(None, None, step), slice(None)):
        linear, place = relative_zero(frames, bone, carrier, rows)
        length = np.linalg.norm(linear[0, :, 0])
        if (
            np.abs(linear - linear[0]).max() > _STIFF_TOLERANCE * length
            or np.abs(place - place[0]).max() > _STIFF_TOLERANCE * size
        ):
            return False
    upright = np.abs(linear[0].T @ linear[0] / length**2 - np.eye(3)).max() < _UNEVEN_SHARE
    return bool(upright and np.linalg.det(linear[0]) > 0)


def relative_zero(frames: Frames, bone: int, carrier: int, rows: slice | int) -> tuple[Array, Array]:
    """Return axes (…, 3, 3) and position (…, 3) of a bone without its own channels, seen from its unscaled carrier."""
    own = frames.column[bone]
    linear, place = frames.zero[rows, own, :3, :3], frames.zero[rows, own, :3, 3]
    if carrier == OBJECT:
        return linear, place
    turn = frames.rotations[rows, frames.column[carrier]].swapaxes(-1, -2)
    away = place - frames.positions[rows, frames.column[carrier]]
    return turn @ linear, (turn @ away[..., None])[..., 0]
