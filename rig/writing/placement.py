"""Where an armature stands now against where it stood when its motion was learned."""

from __future__ import annotations

import numpy as np

from ...core.motion.motion import Motion
from ...core.numeric.rotation import Array
from ..reading.evaluate import Poses, Rest, world_transforms

_SAME_SHARE = 1e-5
_FIT_SHARE = 1e-3


def learned_space(motion: Motion, rest: Rest, joints: list[int], poses: Poses) -> Array:
    """The object's world matrix (4, 4) as it was when the motion was read, for joints that are bones (J)."""
    return fitted_space(motion, *_rest_offsets(motion, rest, joints, poses), poses.world[0])


def fitted_space(motion: Motion, now: Array, root: Array, world: Array) -> Array:
    """The object's world matrix (4, 4) as it was when the motion was read; `world` is what it is now.

    `now` (J, 3) and `root` (3,) are what the offsets of the motion's skeleton would be now.

    A motion is in world space. Its skeleton's rest offsets, laid on those of the armature as it stands now, tell how
    the object was moved, turned or scaled since; keyed in the space it was learned in, the motion then goes along with
    the object, or with its copies. Where they do not fit (another build of body) it stays in the world.
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
        return world
    moved = np.eye(4)
    moved[:3, :3] = fit
    moved[:3, 3] = learned[0] - fit @ root
    return moved @ world


def _rest_offsets(motion: Motion, rest: Rest, joints: list[int], poses: Poses) -> tuple[Array, Array]:
    """Each joint's offset (J, 3) as the skeleton has it, and the root's rest place (3,), as the object stands now."""
    parents = [max(parent, 0) for parent in motion.skeleton.parents]
    rotations, positions = world_transforms(rest, joints, poses)
    offsets = np.einsum("jba,jb->ja", rotations[0, parents], positions[0] - positions[0, parents])
    rests = (poses.world[0] @ rest.matrices[joints])[:, :3, 3]
    slides = list(motion.skeleton.translated)
    offsets[slides] = (rests - rests[parents])[slides]
    return offsets, rests[0]


def _fit(now: Array, learned: Array) -> Array | None:
    """The turn and even scale (3, 3) that best takes vectors (J, 3) to others; None where they all lie on one line."""
    if len(now) < 2:
        return None
    left, values, right = np.linalg.svd(learned.T @ now)
    if values[1] < 1e-6 * values[0]:
        return None
    handed = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.sqrt((learned**2).sum() / (now**2).sum()) * (left @ handed @ right)
