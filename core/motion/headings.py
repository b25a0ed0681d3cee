"""Yaw of motions: turning rows about the vertical, and the yaw between two rotations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix, yaw_of
from .motion import Motion
from .skeleton import GROUP


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
