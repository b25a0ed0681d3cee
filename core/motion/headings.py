"""Headings of motions: turning a whole motion about the vertical, and the turn between two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix
from .motion import Motion
from .skeleton import GROUP


def _turn_of(rotations: Array) -> Array:
    """The part of rotations (..., 3, 3) that is about the vertical, in radians."""
    return np.asarray(
        np.arctan2(rotations[..., 1, 0] - rotations[..., 0, 1], rotations[..., 0, 0] + rotations[..., 1, 1])
    )


def turn_motion(motion: Motion, angles: Array) -> Motion:
    """The motion with each row turned about the vertical by an angle (T,) in radians, its steps with it."""
    features = motion.features.copy()
    spin = axis_rotation(2, angles)
    features[:, :GROUP] = matrix_to_six(spin @ six_to_matrix(features[:, :GROUP]))
    plane = slice(motion.skeleton.root_channel, motion.skeleton.root_channel + 2)
    features[:, plane] = np.einsum("tij,tj->ti", spin[:, :2, :2], features[:, plane])
    return replace(motion, features=features)


def turn_between(one: Array, other: Array) -> float:
    """The turn about the vertical that brings one rotation (3, 3) closest to another, in radians."""
    return float(_turn_of(other @ one.T))


def wrapped(angles: Array) -> Array:
    """Angles in radians as the shortest way round, from -π to π."""
    return np.asarray((angles + np.pi) % (2.0 * np.pi) - np.pi)
