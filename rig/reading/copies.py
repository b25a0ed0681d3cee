"""Bones that copy others, such as `ik_foot_l` and weapon sockets: not learned, and written as copies."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ...core.motion.skeleton import body_size
from ...core.numeric.rotation import Array
from .evaluate import Poses, Rest, rotation_part

_STIFF_TOLERANCE = 5e-5
"""Largest movement of a copy against what it copies: in radians, and relative to the armature's size."""

_GLANCE_FRAMES = 16
"""Frames compared first; only bones that are rigid in these are compared in all frames."""


def find_copies(rest: Rest, poses: Poses, sliding: Collection[str]) -> dict[int, int]:
    """Map each bone that copies another one to that other bone.

    A copy is moved away from its parent by its keyed location (its name is in `sliding`), and stands still against a
    bone that is neither above nor below it. Of several such bones the nearest is taken.
    """
    size = body_size(rest.matrices[:, :3, 3])
    moved = [bone for bone, name in enumerate(rest.names) if name in sliding and rest.parents[bone] >= 0]
    moved = [bone for bone in moved if not _is_stiff(poses, bone, rest.parents[bone], size, turns=False)]
    originals = [bone for bone in range(len(rest.names)) if bone not in moved]
    return {bone: original for bone in moved if (original := _original(rest, poses, bone, originals, size)) >= 0}


def left_out(rest: Rest, copies: Collection[int], learned: Collection[int]) -> set[int]:
    """Return the bones that need no joint: copies with all below them, and resting bones that carry nothing else.

    A copy with a moving bone below it is none of these, since that bone's keys are told against it.
    """
    out: set[int] = set()
    for bone in copies:
        below = rest.depth_first(bone)
        if not set(below[1:]) & set(learned):
            out |= set(below)
    children = rest.children()
    for bone in reversed(range(len(rest.names))):
        if children[bone] and bone not in learned and set(children[bone]) <= out:
            out.add(bone)
    return out


def _original(rest: Rest, poses: Poses, bone: int, originals: Sequence[int], size: float) -> int:
    """Return the nearest bone that a bone is rigid to in all frames, or -1."""
    line = {*rest.ancestors(bone), *rest.depth_first(bone)}
    others = np.array([one for one in originals if one not in line])
    if not len(others):
        return -1
    rows = slice(None, None, max(1, len(poses.pose) // _GLANCE_FRAMES))
    carriers = poses.pose[rows][:, others]
    away = poses.pose[rows, bone, None, :3, 3] - carriers[..., :3, 3]
    seen = np.einsum("tcba,tcb->tca", rotation_part(carriers[..., :3, :3]), away)
    near = np.flatnonzero(np.ptp(seen, axis=0).max(axis=1) < _STIFF_TOLERANCE * size)
    for place in sorted(near, key=lambda k: float(np.linalg.norm(seen[0, k]))):
        if _is_stiff(poses, bone, int(others[place]), size):
            return int(others[place])
    return -1


def _is_stiff(poses: Poses, bone: int, carrier: int, size: float, *, turns: bool = True) -> bool:
    """Return true if a bone stands still against a carrier; without `turns` only its position counts."""
    turn, place = relation(poses.pose[:, bone], poses.pose[:, carrier])
    if np.ptp(place, axis=0).max() > _STIFF_TOLERANCE * size:
        return False
    return not turns or bool(np.abs(turn - turn[0]).max() < _STIFF_TOLERANCE)


def relation(pose: Array, carrier: Array) -> tuple[Array, Array]:
    """Return rotation (..., 3, 3) and position (..., 3) of poses (..., 4, 4) seen from an unscaled carrier's."""
    turned = rotation_part(carrier[..., :3, :3])
    away = pose[..., :3, 3] - carrier[..., :3, 3]
    return turned.swapaxes(-1, -2) @ rotation_part(pose[..., :3, :3]), np.einsum("...ba,...b->...a", turned, away)
