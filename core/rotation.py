"""Rotations as 3×3 matrices and as six numbers (Zhou et al. 2019), in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def matrix_to_six(matrices: Array) -> Array:
    """Flatten the first two columns of rotation matrices.

    (..., 3, 3) → (..., 6): the first column, then the second (`paper.md`, *Motion*).
    """
    return np.concatenate([matrices[..., :, 0], matrices[..., :, 1]], axis=-1)


def six_to_matrix(six: Array) -> Array:
    """Rebuild rotation matrices from six numbers by Gram-Schmidt.

    (..., 6) → (..., 3, 3), orthonormal and right-handed; a vanishing or parallel pair falls back to the nearest axis.
    """
    first = _unit(six[..., :3], np.array([1.0, 0.0, 0.0]))
    second = six[..., 3:] - (first * six[..., 3:]).sum(-1, keepdims=True) * first
    second = _unit(second, _any_normal(first))
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def _unit(vectors: Array, fallback: Array) -> Array:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-9, vectors / np.maximum(length, 1e-9), fallback)


def _any_normal(vectors: Array) -> Array:
    axis = np.eye(3)[np.abs(vectors).argmin(-1)]
    normal = np.cross(vectors, axis)
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def angle_between(a: Array, b: Array) -> Array:
    """Angle in radians between rotations (..., 3, 3), exact also for small angles."""
    chord = np.linalg.norm(a - b, axis=(-2, -1)) / np.sqrt(8.0)
    return 2.0 * np.arcsin(np.clip(chord, 0.0, 1.0))


def axis_rotation(axis: int, radians: Array) -> Array:
    """Matrices (..., 3, 3) that turn about coordinate axis 0, 1 or 2 by `radians` (...)."""
    cos, sin = np.cos(radians), np.sin(radians)
    matrix = np.zeros((*np.shape(radians), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1.0
    matrix[..., i, i] = matrix[..., j, j] = cos
    matrix[..., i, j] = -sin
    matrix[..., j, i] = sin
    return matrix


def rotation_from_vector(vectors: Array) -> Array:
    """Matrices (..., 3, 3) that turn by the length of `vectors` (..., 3), in radians, about their direction."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    small = angle < 1e-6
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 1.0, np.sin(safe) / safe)
    second = np.where(small, 0.5, (1.0 - np.cos(safe)) / safe**2)
    return np.eye(3) + first * cross + second * (cross @ cross)


def vector_from_rotation(matrices: Array) -> Array:
    """The inverse of `rotation_from_vector`: axis times angle in radians, (..., 3, 3) → (..., 3), angle up to π."""
    m = matrices
    # Four candidates of the quaternion's products; the largest is safe to divide by at any angle.
    w = 1 + m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    x = 1 + m[..., 0, 0] - m[..., 1, 1] - m[..., 2, 2]
    y = 1 - m[..., 0, 0] + m[..., 1, 1] - m[..., 2, 2]
    z = 1 - m[..., 0, 0] - m[..., 1, 1] + m[..., 2, 2]
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    d, e, f = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    options = np.stack([[w, a, b, c], [a, x, d, e], [b, d, y, f], [c, e, f, z]])
    best = np.stack([w, x, y, z]).argmax(0)
    quaternion = np.take_along_axis(options, best[None, None], axis=0)[0]
    quaternion /= np.linalg.norm(quaternion, axis=0)
    quaternion *= np.where(quaternion[0] < 0, -1.0, 1.0)
    sine = np.linalg.norm(quaternion[1:], axis=0)
    angle = 2.0 * np.arctan2(sine, quaternion[0])
    scale = np.where(sine < 1e-9, 2.0, angle / np.maximum(sine, 1e-9))
    return np.moveaxis(quaternion[1:] * scale, 0, -1)
