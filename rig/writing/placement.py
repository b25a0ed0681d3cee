"""Comparison of an armature's transform now with the one when its motion was learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...core.motion.legs import leg_ratio
from ...core.motion.motion import Motion
from ...core.motion.skeleton import Skeleton
from ...core.numeric.rotation import Array
from ..reading.evaluate import Poses, Rest, world_transforms

_SAME_SHARE = 1e-5
"""Largest difference between offsets that counts as equal, relative to the longest offset."""

_FIT_SHARE = 1e-3
"""Largest difference after the fit for which the offsets count as the same body, relative to the longest offset."""

_OTHER_SIZE = 1.25
"""Factor from which on a body without known feet counts as one of another size, or in other units."""

_SAME_LEGS = 1e-3
"""Largest difference from 1 of the ratio of two bodies' legs that counts as none."""


def learned_space(motion: Motion, rest: Rest, joints: list[int], poses: Poses) -> Array:
    """Return the object's world matrix (4, 4) from when the motion was read, for joints (J) that are bones."""
    return fitted_space(motion, *_rest_offsets(motion, rest, joints, poses), poses.world[0])


def fitted_space(motion: Motion, now: Array, root: Array, world: Array) -> Array:
    """Return the object's world matrix (4, 4) from when the motion was read; `world` is its matrix now.

    `now` (J, 3) and `root` (3,) are the skeleton's offsets and root position for the armature as it is now.

    A motion is in world space. Fitting the skeleton's rest offsets to those of the armature now shows how the object
    was moved, rotated or scaled since. Keyed in the space in which it was learned, the motion follows the object or its
    copies. If the offsets do not fit (a body of other proportions), the motion stays in the world, scaled about its
    origin by the length of the legs, with standing feet on the ground.
    """
    learned = motion.skeleton.offsets * motion.skeleton.unit
    size = float(np.abs(learned[1:]).max(initial=0.0))
    if (
        np.abs(learned[1:] - now[1:]).max(initial=0.0) < _SAME_SHARE * size
        and np.abs(learned[0] - root).max() < _SAME_SHARE * size
    ):
        return world
    fit = _fit(now[1:], learned[1:])
    if fit is None or np.abs(now[1:] @ fit.T - learned[1:]).max() > _FIT_SHARE * size:
        return _sized(motion, now, root, world)
    moved = np.eye(4)
    moved[:3, :3] = fit
    moved[:3, 3] = learned[0] - fit @ root
    return moved @ world


def _sized(motion: Motion, now: Array, root: Array, world: Array) -> Array:
    """Return the matrix (4, 4) in which a motion has the size of a body of other proportions, standing on the ground.

    `now` and `root` are as for `fitted_space`, `world` is the object's matrix now.
    """
    skeleton = motion.skeleton
    legs = leg_ratio(skeleton, now) * skeleton.unit
    ratio = legs if legs > 0.0 else _size_ratio(skeleton, now, root)
    if abs(ratio - 1.0) <= _SAME_LEGS:
        return world
    result: Array = np.diag([ratio, ratio, ratio, 1.0]) @ _lifted(-_lift(motion, now, ratio)) @ world
    return result


def _lifted(height: float) -> Array:
    matrix = np.eye(4)
    matrix[2, 3] = height
    return matrix


def _lift(motion: Motion, now: Array, ratio: float) -> float:
    """Return the height by which a body with offsets `now` must be lifted so that its standing feet are on the ground.

    Above the ground they are then what they are in the motion, but for the height of a foot at rest, which is its own.
    """
    skeleton = motion.skeleton
    standing = motion.contact_labels() > 0.5
    if not standing.any():
        return 0.0
    body = replace(skeleton, offsets=np.concatenate([skeleton.offsets[:1], now[1:] * (ratio / skeleton.unit)]))
    feet = list(skeleton.contacts)
    learned = motion.positions()[:, feet, 2]
    here = replace(motion, skeleton=body).positions()[:, feet, 2]
    rests = [one.rest_positions()[:, 2] for one in (skeleton, body)]
    soles = [rest[feet] - rest.min() for rest in rests]
    wanted = learned + (soles[1] - soles[0])
    return float(np.median((wanted - here)[standing])) * skeleton.unit / ratio


def _size_ratio(skeleton: Skeleton, now: Array, root: Array) -> float:
    """Return how many times as large as the armature now the learned body was; 1 for about the same size."""
    learned = skeleton.offsets * skeleton.unit
    ratio = float(np.linalg.norm(learned[1:])) / max(float(np.linalg.norm(now[1:])), 1e-30)
    if not len(now) > 1 or not ratio > 0.0 or 1.0 / _OTHER_SIZE < ratio < _OTHER_SIZE:
        return 1.0
    heights = []
    for offsets, place in ((learned, learned[0]), (now, root)):
        positions = np.concatenate([place[None], offsets[1:]])
        for joint in range(1, len(positions)):
            positions[joint] += positions[skeleton.parents[joint]]
        heights.append(float(positions[0, 2] - positions[:, 2].min()))
    by_height = heights[0] / heights[1] if min(heights) > 0.0 else ratio
    return by_height if 1.0 / _OTHER_SIZE < by_height / ratio < _OTHER_SIZE else ratio


def _rest_offsets(motion: Motion, rest: Rest, joints: list[int], poses: Poses) -> tuple[Array, Array]:
    """Return each joint's offset (J, 3) and the root's rest position (3,) for the object as it is now."""
    parents = [max(parent, 0) for parent in motion.skeleton.parents]
    rotations, positions = world_transforms(rest, joints, poses)
    offsets = np.einsum("jba,jb->ja", rotations[0, parents], positions[0] - positions[0, parents])
    rests = (poses.world[0] @ rest.matrices[joints])[:, :3, 3]
    slides = list(motion.skeleton.translated)
    offsets[slides] = (rests - rests[parents])[slides]
    return offsets, rests[0]


def _fit(now: Array, learned: Array) -> Array | None:
    """Return the rotation with uniform scale (3, 3) that best maps vectors (J, 3) to others; None for vectors that
    are collinear or zero.
    """
    if len(now) < 2:
        return None
    left, values, right = np.linalg.svd(learned.T @ now)
    if not values[1] > 1e-6 * values[0]:
        return None
    handed = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.sqrt((learned**2).sum() / (now**2).sum()) * (left @ handed @ right)
