"""Window Fréchet distance between two motions, on hand-made descriptors instead of a trained encoder.

It replaces SiFID of the papers, whose encoder knows one human skeleton only; the two are not comparable.
"""

from __future__ import annotations

import numpy as np

from ..errors import ClipError
from ..motion.motion import Motion
from ..motion.skeleton import BODY, GROUP
from ..numeric.rotation import Array, yaw_of

WINDOW_ROWS = 15
"""Rows of a window: half a second at 30 fps."""


def position_windows(motion: Motion) -> list[Array]:
    """Describe windows by joint positions: mean pose, mean speed and mean acceleration of each joint.

    Poses are relative to the root's position on the ground and its yaw, in body heights; speeds are world speeds.
    """
    positions = motion.positions()
    root, rotations = positions[:, 0].copy(), motion.rotations()[:, 0]
    yaw = yaw_of(rotations)
    root[:, 2] = 0.0
    x, y, z = np.moveaxis(positions - root[:, None], -1, 0)
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    return _describe(np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=-1) / BODY, positions / BODY)


def rotation_windows(motion: Motion) -> list[Array]:
    """Describe windows by the 6D rotations of all joints: mean, mean speed and mean acceleration."""
    joints = motion.skeleton.joints
    six = motion.features[:, : joints * GROUP].reshape(motion.frames, joints, GROUP)
    return _describe(six, six)


def _describe(pose: Array, moving: Array) -> list[Array]:
    """Return three blocks (windows, numbers): pose, speed, acceleration. Raises ClipError for too short a motion."""
    if len(pose) <= WINDOW_ROWS + 2:
        raise ClipError(f"A motion must be longer than {WINDOW_ROWS + 2} frames to be compared.")
    speed = np.linalg.norm(np.diff(moving, axis=0), axis=-1)[1:]
    acceleration = np.linalg.norm(np.diff(moving, 2, axis=0), axis=-1)
    return [_window_means(block.reshape(len(block), -1)) for block in (pose[2:], speed, acceleration)]


def _window_means(rows: Array) -> Array:
    total = np.cumsum(np.concatenate([np.zeros((1, rows.shape[1])), rows]), axis=0)
    means: Array = (total[WINDOW_ROWS:] - total[:-WINDOW_ROWS]) / WINDOW_ROWS
    return means


def frechet_to_source(source: list[Array], sample: list[Array]) -> float:
    """Return the Fréchet distance of two sets of described windows, each block scaled by the source's deviation.

    0 for a copy; about 3, the number of blocks, for a constant pose.
    """
    scales = [max(float(np.sqrt(block.var(axis=0).sum())), 1e-6) for block in source]
    a = np.concatenate([block / scale for block, scale in zip(source, scales, strict=True)], axis=1)
    b = np.concatenate([block / scale for block, scale in zip(sample, scales, strict=True)], axis=1)
    return frechet_distance(a, b)


def frechet_distance(a: Array, b: Array) -> float:
    """Return |μa - μb|² + tr(Ca + Cb - 2 (Ca Cb)^½) for the Gaussians fitted to rows (N, D) and (M, D).

    With A and B the rows without their means, over the roots of N - 1 and M - 1, so that Ca = AᵀA and Cb = BᵀB, the
    last trace is the sum of the singular values of A Bᵀ. It takes no matrix of (D, D) where rows are few.
    """
    shift = float(((a.mean(0) - b.mean(0)) ** 2).sum())
    first, second = (_few_rows((rows - rows.mean(0)) / np.sqrt(len(rows) - 1)) for rows in (a, b))
    traces = float(np.square(first).sum() + np.square(second).sum())
    cross = float(np.linalg.svd(first @ second.T, compute_uv=False).sum())
    return max(shift + traces - 2.0 * cross, 0.0)


def _few_rows(rows: Array) -> Array:
    """Return rows (N, D), or as many as they have columns with the same RᵀR where they are more."""
    few: Array = rows if len(rows) <= rows.shape[1] else np.linalg.qr(rows, mode="r")  # type: ignore[assignment]
    return few
