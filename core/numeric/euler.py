"""Euler angles of rotations, each curve without jumps."""

from __future__ import annotations

import numpy as np

from .rotation import Array, last_true_rows

SMALL_SINE = 1e-6
"""Sine of the middle angle's complement below which the first and the last angle cannot be told apart."""


def euler_from_matrix(matrices: Array, order: str) -> Array:
    """Return Euler angles about X, Y, Z (T, 3) of rotations (T, 3, 3); in order XYZ, X rotates first and R = Rz Ry Rx.

    Of the two triples that mean the same rotation, each frame takes the one closer to the frame before.
    """
    i, j, k = ("XYZ".index(letter) for letter in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    flat = np.hypot(matrices[:, k, j], matrices[:, k, k])
    first = np.arctan2(sign * matrices[:, k, j], matrices[:, k, k])
    # If the middle angle is a quarter turn, only a sum of first and last is defined: hold the first and let the last
    # take the rest. Computing the last from the remaining rotation also keeps it accurate close to such a frame.
    first = first[last_true_rows(flat > SMALL_SINE)]
    # Of the remaining rotation, matrices @ axis_rotation(i, -first), four elements are asked for.
    cosine, sine = np.cos(first), sign * np.sin(first)
    middle = np.arctan2(-sign * matrices[:, k, i], matrices[:, k, k] * cosine + matrices[:, k, j] * sine)
    last = np.arctan2(
        sign * (matrices[:, i, k] * sine - matrices[:, i, j] * cosine),
        matrices[:, j, j] * cosine - matrices[:, j, k] * sine,
    )
    angles = _nearer_triples(np.stack([first, middle, last]))
    return np.ascontiguousarray(angles[np.argsort([i, j, k])].T)


def quaternion_from_euler(angles: Array, order: str) -> Array:
    """Return unit quaternions w, x, y, z (T, 4) of Euler angles about X, Y, Z (T, 3); in order XYZ, X rotates first."""
    w, x, y, z = np.ones(len(angles)), *np.zeros((3, len(angles)))
    for axis in ("XYZ".index(letter) for letter in order):
        c, s = np.cos(0.5 * angles[:, axis]), np.sin(0.5 * angles[:, axis])
        # the next rotation, about one axis, times all before it
        if axis == 0:
            w, x, y, z = c * w - s * x, c * x + s * w, c * y - s * z, c * z + s * y
        elif axis == 1:
            w, x, y, z = c * w - s * y, c * x + s * z, c * y + s * w, c * z - s * x
        else:
            w, x, y, z = c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w
    return np.stack([w, x, y, z], axis=1)


def _nearer_triples(angles: Array) -> Array:
    """Choose for each frame between a triple and its equivalent (first + π, π - middle, last + π), whichever is closer.

    `angles` and what is returned are (3, T), the latter without jumps. Whether to change over between two frames does
    not depend on the choice at the first of them, so the choices are a running sum.
    """
    other = np.stack([angles[0] + np.pi, np.pi - angles[1], angles[2] + np.pi])
    stay = _distance(angles[:, 1:] - angles[:, :-1])
    change = _distance(other[:, 1:] - angles[:, :-1])
    changed = np.concatenate([[0], np.cumsum(change < stay)]) % 2 == 1
    chosen = np.where(changed, other, angles)
    turns = np.rint((chosen[:, 1:] - chosen[:, :-1]) / (2.0 * np.pi))
    chosen[:, 1:] -= 2.0 * np.pi * np.cumsum(turns, axis=1)
    return chosen


def _distance(differences: Array) -> Array:
    """Sum (T) of the sizes of differences of angles (3, T), each along the shorter way."""
    turns = differences / (2.0 * np.pi)
    return np.asarray(np.abs(turns - np.rint(turns)).sum(0))
