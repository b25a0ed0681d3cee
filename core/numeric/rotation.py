"""Rotations in numpy: 3×3 matrices, 6D values (Zhou et al. 2019) and rotation vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""Double-precision array."""

CHUNK_ROTATIONS = 2048
"""Rotations that `turn_six` processes at once, to stay in a core's cache."""


def matrix_to_six(matrices: Array) -> Array:
    """Flatten the first two columns of rotation matrices.

    (..., 3, 3) → (..., 6): the first column, then the second (Zhou et al. 2019).
    """
    return np.concatenate([matrices[..., :, 0], matrices[..., :, 1]], axis=-1)


def six_to_matrix(six: Array) -> Array:
    """Rebuild rotation matrices from 6D values by Gram-Schmidt.

    (..., 6) → (..., 3, 3), orthonormal and right-handed. A zero vector or a parallel pair is replaced by an axis.
    """
    first = _unit(six[..., :3], lambda weak: np.broadcast_to([1.0, 0.0, 0.0], (*weak.shape, 3))[weak])
    second = six[..., 3:] - _dot(first, six[..., 3:])[..., None] * first
    second = _unit(second, lambda weak: _any_normal(first[weak]))
    matrices = np.empty((*six.shape[:-1], 3, 3))
    matrices[..., 0], matrices[..., 1], matrices[..., 2] = first, second, cross(first, second)
    return matrices


def _unit(vectors: Array, fallback: Callable[[NDArray[np.bool_]], Array]) -> Array:
    """Normalise vectors (..., 3); `fallback` returns replacements (N, 3) for zero vectors, given as a mask (...)."""
    length = np.sqrt(_dot(vectors, vectors))
    weak = length <= 1e-9
    unit = vectors / np.maximum(length, 1e-9)[..., None]
    if weak.any():
        unit[weak] = fallback(weak)
    return unit


def _any_normal(vectors: Array) -> Array:
    axis = np.eye(3)[np.abs(vectors).argmin(-1)]
    normal = cross(vectors, axis)
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def _dot(a: Array, b: Array) -> Array:
    x, y, z = (a[..., k] * b[..., k] for k in range(3))
    return np.asarray(x + y + z)


def cross(a: Array, b: Array) -> Array:
    """Return cross products of vectors (..., 3); np.cross takes three times as long."""
    result = np.empty(np.broadcast_shapes(a.shape, b.shape))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.subtract(a[..., j] * b[..., k], a[..., k] * b[..., j], out=result[..., i])
    return result


def determinants(matrices: Array) -> Array:
    """Return determinants (...) of matrices (..., 3, 3); numpy's takes five times as long."""
    return _dot(matrices[..., 0], cross(matrices[..., 1], matrices[..., 2]))


def inverses(matrices: Array) -> Array:
    """Return inverses (..., 3, 3) of invertible matrices; numpy's takes ten times as long."""
    columns = [matrices[..., k] for k in range(3)]
    rows = [cross(columns[j], columns[k]) for j, k in ((1, 2), (2, 0), (0, 1))]
    return np.stack(rows, axis=-2) / _dot(columns[0], rows[0])[..., None, None]


def angle_between(a: Array, b: Array) -> Array:
    """Return the angle in radians between rotations (..., 3, 3), accurate also for small angles."""
    difference = (a - b).reshape(*np.broadcast_shapes(a.shape, b.shape)[:-2], 9)
    chord = np.sqrt(np.einsum("...i,...i->...", difference, difference) / 8.0)
    return 2.0 * np.arcsin(np.clip(chord, 0.0, 1.0))


def axis_rotation(axis: int, radians: Array) -> Array:
    """Return matrices (..., 3, 3) that rotate about coordinate axis 0, 1 or 2 by `radians` (...)."""
    cos, sin = np.cos(radians), np.sin(radians)
    matrix = np.zeros((*np.shape(radians), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1.0
    matrix[..., i, i] = matrix[..., j, j] = cos
    matrix[..., i, j] = -sin
    matrix[..., j, i] = sin
    return matrix


def rotation_from_vector(vectors: Array) -> Array:
    """Return matrices (..., 3, 3) that rotate about `vectors` (..., 3) by their length in radians."""
    square = _dot(vectors, vectors)
    angle = np.sqrt(square)
    small = angle < 1e-6
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 1.0, np.sin(safe) / safe)[..., None] * vectors
    second = np.where(small, 0.5, (1.0 - np.cos(safe)) / safe**2)
    matrices = second[..., None, None] * vectors[..., :, None] * vectors[..., None, :]
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        matrices[..., i, i] += 1.0 - second * square
        matrices[..., k, j] += first[..., i]
        matrices[..., j, k] -= first[..., i]
    return matrices


def turn_six(six: Array, vectors: Array) -> Array:
    """Multiply rotations given as 6D values (N, 6) by rotation vectors (N, 3) on the right.

    Equal to `matrix_to_six(six_to_matrix(six) @ rotation_from_vector(vectors))` in a fraction of the time: one array
    for each component, no third column, CHUNK_ROTATIONS at a time.
    """
    parts = range(0, len(six), CHUNK_ROTATIONS)
    return np.concatenate(
        [_turned(six[k : k + CHUNK_ROTATIONS], vectors[k : k + CHUNK_ROTATIONS]) for k in parts] or [six]
    )


def _turned(six: Array, vectors: Array) -> Array:
    first, second = np.ascontiguousarray(six[:, :3].T), np.ascontiguousarray(six[:, 3:].T)
    length = np.sqrt(_dots(first, first))
    unit = first / np.maximum(length, 1e-9)
    across = second - _dots(unit, second) * unit
    width = np.sqrt(_dots(across, across))
    if min(length.min(initial=1.0), width.min(initial=1.0)) <= 1e-9:
        return matrix_to_six(six_to_matrix(six) @ rotation_from_vector(vectors))
    across /= width
    third = np.stack([unit[j] * across[k] - unit[k] * across[j] for j, k in ((1, 2), (2, 0), (0, 1))])
    x, y, z = np.ascontiguousarray(vectors.T)
    square = x * x + y * y + z * z
    angle = np.sqrt(square)
    small = angle < 1e-6
    safe = np.where(small, 1.0, angle)
    one = np.where(small, 1.0, np.sin(safe) / safe)
    two = np.where(small, 0.5, (1.0 - np.cos(safe)) / safe**2)
    result = np.empty_like(six)
    turned = (1.0 + two * (x * x - square)) * unit + (one * z + two * x * y) * across
    result[:, :3] = (turned + (two * x * z - one * y) * third).T
    turned = (two * x * y - one * z) * unit + (1.0 + two * (y * y - square)) * across
    result[:, 3:] = (turned + (one * x + two * y * z) * third).T
    return result


def _dots(a: Array, b: Array) -> Array:
    """Return dot products (N,) of vectors (3, N)."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def quaternion_from_matrix(matrices: Array) -> Array:
    """Return unit quaternions w, x, y, z with w ≥ 0: (..., 3, 3) → (..., 4)."""
    m = matrices
    # Four multiples of the quaternion (w, x, y, z); the one with the largest norm is accurate at any angle.
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
    return np.moveaxis(quaternion, 0, -1)


def vector_from_rotation(matrices: Array) -> Array:
    """Return rotation vectors, axis times angle in radians up to π: (..., 3, 3) → (..., 3)."""
    quaternion = quaternion_from_matrix(matrices)
    axis = quaternion[..., 1:]
    sine = np.linalg.norm(axis, axis=-1)
    angle = 2.0 * np.arctan2(sine, quaternion[..., 0])
    scale = np.where(sine < 1e-9, 2.0, angle / np.maximum(sine, 1e-9))
    return np.asarray(axis * scale[..., None])


def interpolate_six(one: Array, other: Array, share: Array) -> Array:
    """Interpolate 6D rotations (..., 6) along the shortest way; `share` broadcasts with rotation vectors (..., 3)."""
    first, last = six_to_matrix(one), six_to_matrix(other)
    way = vector_from_rotation(first.swapaxes(-1, -2) @ last)
    return matrix_to_six(first @ rotation_from_vector(share * way))


def yaw_of(rotations: Array) -> Array:
    """Return the yaw (...) of rotations (..., 3, 3) about the vertical axis in radians."""
    return np.asarray(np.arctan2(*_yaw_components(rotations)))


def held_yaw(rotations: Array) -> Array:
    """Return the yaw (T,) of rotations (T, 3, 3); upside down, where it is undefined, the last defined one is held."""
    defined = np.hypot(*_yaw_components(rotations)) > 1e-3
    return np.asarray(yaw_of(rotations)[last_true_rows(defined)])


def _yaw_components(rotations: Array) -> tuple[Array, Array]:
    sine = rotations[..., 1, 0] - rotations[..., 0, 1]
    return sine, rotations[..., 0, 0] + rotations[..., 1, 1]


def last_true_rows(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each row the last true one up to it, before that the first true one; row 0 where none is."""
    rows = np.maximum.accumulate(np.where(mask, np.arange(len(mask)), -1))
    return np.asarray(np.where(rows < 0, mask.argmax(), rows))


def wrapped(angles: Array) -> Array:
    """Wrap angles in radians to [-π, π)."""
    return np.asarray((angles + np.pi) % (2.0 * np.pi) - np.pi)


def continuous_signs(vectors: Array) -> Array:
    """Return ±1 for each row (T, n) so that neighbours point the same way; the first is 1."""
    against = (vectors[1:] * vectors[:-1]).sum(1) < 0
    return np.concatenate([[1.0], np.cumprod(np.where(against, -1.0, 1.0))])
