"""Yaw of motions: turning rows about the vertical, and the yaw between two rotations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix
from .motion import Motion
from .skeleton import GROUP


def yaw_of(rotations: Array) -> Array:
    """Return the yaw (...) of rotations (..., 3, 3) in radians."""
    return np.asarray(
        np.arctan2(rotations[..., 1, 0] - rotations[..., 0, 1], rotations[..., 0, 0] + rotations[..., 1, 1])
    )


def turn_motion(motion: Motion, angles: Array) -> Motion:
    """Turn each row about the vertical by `angles` (T,) in radians, root rotation and planar velocity alike."""
    features = motion.features.copy()
    spin = axis_rotation(2, angles)
    features[:, :GROUP] = matrix_to_six(spin @ six_to_matrix(features[:, :GROUP]))
    plane = slice(motion.skeleton.root_channel, motion.skeleton.root_channel + 2)
    features[:, plane] = np.einsum("tij,tj->ti", spin[:, :2, :2], features[:, plane])
    return replace(motion, features=features)


def turn_between(one: Array, other: Array) -> float:
    """Return the yaw in radians that brings one rotation (3, 3) closest to another."""
    return float(yaw_of(other @ one.T))


def wrapped(angles: Array) -> Array:
    """Wrap angles in radians to [-π, π)."""
    return np.asarray((angles + np.pi) % (2.0 * np.pi) - np.pi)
