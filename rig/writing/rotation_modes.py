"""Conversion of rotation matrices to the channels of a pose bone's rotation mode, without jumps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mathutils import Matrix

from ...core.numeric.euler import euler_from_matrix
from ...core.numeric.rotation import Array, continuous_signs, last_true_rows, quaternion_from_matrix

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
    return euler_from_matrix(matrices, mode)


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
    """Return unit quaternions w, x, y, z (T, 4) of rotations (T, 3, 3), each on the hemisphere of the one before."""
    values = quaternion_from_matrix(matrices)
    return np.asarray(values * continuous_signs(values)[:, None])


def axis_angles(matrices: Array) -> Array:
    """Return angle and unit axis (T, 4) of rotations (T, 3, 3); a frame without rotation takes a neighbour's axis."""
    quaternion = quaternions(matrices)
    sine = np.linalg.norm(quaternion[:, 1:], axis=1)
    defined = sine > _SMALL_SINE
    if not defined.any():
        return np.tile([0.0, 0.0, 1.0, 0.0], (len(matrices), 1))
    axes = quaternion[:, 1:] / np.maximum(sine, _SMALL_SINE)[:, None]
    axes = axes[last_true_rows(defined)]
    axes *= continuous_signs(axes)[:, None]
    angles = 2.0 * np.arctan2((quaternion[:, 1:] * axes).sum(1), quaternion[:, 0])
    return np.concatenate([np.unwrap(angles)[:, None], axes], axis=1)
