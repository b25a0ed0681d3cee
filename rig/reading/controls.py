"""Selection of the controls that are learned and of each one's reference frame, by how they act, not by their names."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import ClipError
from ...core.motion.limb_words import names_hips
from ...core.motion.skeleton import Space
from ...core.numeric.rotation import Array, determinants, inverses
from .bone_settings import BoneSettings
from .evaluate import Poses, Rest, column_lengths, rotation_part
from .roots import shared_ancestor

OBJECT = -1
"""Index that stands for the armature object instead of a bone."""

_STIFF_TOLERANCE = 3e-5
"""Largest movement of a bone against a carrier that counts as rigid: in radians, and relative to the armature's size.
"""

_GLANCE_FRAMES = 24
"""Frames compared first; only bones that are rigid in these are compared in all frames."""

_STEP_FRAMES = 200
"""Frames that are converted in one step."""

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


def frames_steps(
    settings: BoneSettings, rest: Rest, poses: Poses, bones: Sequence[int]
) -> Generator[float, None, Frames]:
    """Collect the Frames of some bones, in steps."""
    own = list(bones)
    unturned = frozenset(bone for bone in own if rest.names[bone] in settings.unturned)
    column = {bone: k for k, bone in enumerate(own)}
    parts, lengths = [], []
    for row in range(0, len(poses.pose), _STEP_FRAMES):
        rows = slice(row, row + _STEP_FRAMES)
        pose, basis = poses.pose[rows][:, own], poses.basis[rows][:, own]
        for bone in unturned:
            k = column[bone]
            basis[:, k, :3, 3] = basis[:, k, :3, 3] @ rest.matrices[bone, :3, :3]
        lengths.append(column_lengths(pose[..., :3, :3]))
        parts.append((rotation_part(pose[..., :3, :3]), pose[..., :3, 3], _without_channels(pose, basis), basis))
        yield 1.0
    rotations, positions, zero, basis = (np.concatenate(part) for part in zip(*parts, strict=True))
    even = _are_even(np.concatenate(lengths))
    even &= determinants(poses.pose[0, own, :3, :3]) > 0
    return Frames(rotations, positions, zero, basis, even, column, unturned)


def _are_even(lengths: Array) -> np.ndarray:
    """Return true for each bone with one even scale throughout: all its `lengths` (T, n, 3) are the same."""
    limit = _UNEVEN_SHARE * lengths.max((0, 2))
    return np.asarray((np.ptp(lengths, axis=2).max(0) < limit) & (np.ptp(lengths, axis=0).max(1) < limit))


def _without_channels(pose: Array, basis: Array) -> Array:
    """Return poses (..., 4, 4) as they are without the bones' own channels."""
    zero = np.zeros_like(pose)
    zero[..., :3, :3] = pose[..., :3, :3] @ inverses(basis[..., :3, :3])
    zero[..., :3, 3] = pose[..., :3, 3] - (zero[..., :3, :3] @ basis[..., :3, 3, None])[..., 0]
    zero[..., 3, 3] = 1.0
    return zero


def key_check_steps(
    rest: Rest, poses: Poses, bones: Sequence[int], frames: Sequence[int]
) -> Generator[float, None, None]:
    """Raise ClipError for keyed values that are not numbers, or a bone that is scaled to zero or mirrored; check in
    steps.
    """
    for row in range(0, len(frames), _STEP_FRAMES):
        rows = slice(row, row + _STEP_FRAMES)
        basis, pose = poses.basis[rows][:, list(bones)], poses.pose[rows][:, list(bones)]
        finite = np.isfinite(basis).all(axis=(2, 3)) & np.isfinite(pose).all(axis=(2, 3))
        own, whole = determinants(basis[..., :3, :3]), determinants(pose[..., :3, :3])
        for bad, what in (
            (~finite, "has an invalid key (not a number)"),
            ((np.abs(own) < 1e-20) | (np.abs(whole) < 1e-20), "is scaled to zero"),
            (own < 0, "is mirrored by a negative scale"),
        ):
            if bad.any():
                place = tuple(int(found[0]) for found in np.nonzero(bad))
                raise ClipError(f"“{rest.names[list(bones)[place[1]]]}” {what} at frame {frames[row + place[0]]}.")
        yield 1.0


def control_names(owner: str, rest: Rest, controls: Sequence[Control]) -> list[str]:
    """Return a name for each joint: its bone's, the object's (`owner`) for the object, and a new one for the tilt."""
    names = []
    for control in controls:
        name = owner if control.bone == OBJECT else rest.names[control.bone]
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


def find_controls(
    rest: Rest, learned: Sequence[int], root: int, frames: Frames, size: float
) -> Generator[float, None, list[Control]]:
    """Find the learned bones as joints, carriers first, in steps; `root` may be OBJECT.

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
        yield 1.0
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
