"""Conversion of rotation matrices to the channels of a pose bone's rotation mode, without jumps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mathutils import Matrix

from ...core.numeric.rotation import Array, axis_rotation

_AXES = "XYZ"
_SMALL_SINE = 1e-6
"""Sine below which an axis or angle is undefined."""


def channel_values(matrices: Array, mode: str) -> Array:
    """Convert rotations (T, 3, 3) to the channels (T, 4 or 3) of a rotation mode, in radians, continuous over T.

    `mode` is that of `PoseBone.rotation_mode`: QUATERNION (w, x, y, z), AXIS_ANGLE (angle, x, y, z) or an Euler order.
    """
    if mode == "QUATERNION":
        return quaternions(matrices)
    if mode == "AXIS_ANGLE":
        return axis_angles(matrices)
    return euler_angles(matrices, mode)


def one_value(matrix: Matrix, mode: str) -> Sequence[float]:
    """Convert a single rotation to the channels of a rotation mode, without regard to neighbours."""
    turn: Any = matrix
    if mode == "QUATERNION":
        return tuple(turn.to_quaternion())
    if mode == "AXIS_ANGLE":
        axis, angle = turn.to_quaternion().to_axis_angle()
        return (angle, *axis)
    return tuple(turn.to_euler(mode))


def quaternions(matrices: Array) -> Array:
    """Return unit quaternions w, x, y, z (T, 4) of rotations (T, 3, 3), each on the same hemisphere
    as the one before.
    """
    m = matrices
    trace = np.einsum("tii->t", m)
    # four times each squared component; dividing by the largest is accurate for every rotation
    squares = np.stack([1.0 + trace, *(1.0 - trace + 2.0 * m[:, k, k] for k in range(3))], axis=1)
    wx, wy, wz = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    xy, xz, yz = m[:, 0, 1] + m[:, 1, 0], m[:, 0, 2] + m[:, 2, 0], m[:, 1, 2] + m[:, 2, 1]
    w2, x2, y2, z2 = squares.T
    table = np.array([[w2, wx, wy, wz], [wx, x2, xy, xz], [wy, xy, y2, yz], [wz, xz, yz, z2]])
    values = table[squares.argmax(1), :, np.arange(len(m))]
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return values * _continuous_signs(values)[:, None]


def axis_angles(matrices: Array) -> Array:
    """Return angle and unit axis (T, 4) of rotations (T, 3, 3); a frame without rotation takes a neighbour's axis."""
    quaternion = quaternions(matrices)
    sine = np.linalg.norm(quaternion[:, 1:], axis=1)
    defined = sine > _SMALL_SINE
    if not defined.any():
        return np.tile([0.0, 0.0, 1.0, 0.0], (len(matrices), 1))
    axes = quaternion[:, 1:] / np.maximum(sine, _SMALL_SINE)[:, None]
    axes = axes[_nearest_defined(defined)]
    axes *= _continuous_signs(axes)[:, None]
    angles = 2.0 * np.arctan2((quaternion[:, 1:] * axes).sum(1), quaternion[:, 0])
    return np.concatenate([np.unwrap(angles)[:, None], axes], axis=1)


def euler_angles(matrices: Array, order: str) -> Array:
    """Return Euler angles about X, Y, Z (T, 3) of rotations (T, 3, 3); in order XYZ, X rotates first and R = Rz Ry Rx.

    Of the two triples that mean the same rotation, each frame takes the one closer to the frame before.
    """
    i, j, k = (_AXES.index(letter) for letter in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    flat = np.hypot(matrices[:, k, j], matrices[:, k, k])
    first = np.arctan2(sign * matrices[:, k, j], matrices[:, k, k])
    # If the middle angle is a quarter turn, only a sum of first and last is defined: hold the first and let the last
    # take the rest. Computing the last from the remaining rotation also keeps it accurate close to such a frame.
    first = first[_nearest_defined(flat > _SMALL_SINE)]
    rest = matrices @ axis_rotation(i, -first)
    middle = np.arctan2(-sign * rest[:, k, i], rest[:, k, k])
    last = np.arctan2(-sign * rest[:, i, j], rest[:, j, j])
    angles = _nearer_triples(np.stack([first, middle, last], axis=1))
    return angles[:, np.argsort([i, j, k])]


def _nearer_triples(angles: Array) -> Array:
    """Choose for each frame between a triple and its equivalent (first + π, π - middle, last + π), whichever is closer.

    Whether to change over between two frames does not depend on the choice at the first of them, so the choices are a
    running sum.
    """
    other = np.stack([angles[:, 0] + np.pi, np.pi - angles[:, 1], angles[:, 2] + np.pi], axis=1)
    stay = np.abs(_wrapped(angles[1:] - angles[:-1])).sum(1)
    change = np.abs(_wrapped(other[1:] - angles[:-1])).sum(1)
    changed = np.concatenate([[0], np.cumsum(change < stay)]) % 2 == 1
    return np.unwrap(np.where(changed[:, None], other, angles), axis=0)


def _wrapped(angles: Array) -> Array:
    return (angles + np.pi) % (2.0 * np.pi) - np.pi


def _nearest_defined(defined: np.ndarray) -> np.ndarray:
    """Return for each row the last defined row up to it, or the first defined row; row 0 if there is none."""
    rows = np.where(defined, np.arange(len(defined)), -1)
    rows = np.maximum.accumulate(rows)
    return np.where(rows < 0, defined.argmax(), rows)


def _continuous_signs(vectors: Array) -> Array:
    """Return ±1 for each row (T, n) so that neighbours point the same way; the first is 1."""
    against = (vectors[1:] * vectors[:-1]).sum(1) < 0
    return np.concatenate([[1.0], np.cumprod(np.where(against, -1.0, 1.0))])
