"""Arms of the sample dance: from named shapes to rotations of shoulder, upper arm, forearm and hand."""

import numpy as np

from ..core.numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix
from .bones import rest_bones
from .curves import smoothed, through_keys
from .gestures import ARM_SHAPES, ARMS

FRONT = np.array([0.0, -1.0, 0.0])
"""Direction that the dancer faces at rest."""

HAND_DRAG_BEATS = 0.16
"""Beats by which a hand trails behind its forearm."""


def arm_turns(side: str, beats: Array, frames_per_beat: float) -> dict[str, Array]:
    """Return the rotations from rest (n, 3, 3) of one arm's bones, relative to the chest, by name without side."""
    times = np.array([key[0] for key in ARMS])
    shapes = [_directions(ARM_SHAPES[left if side == "L" else right], side) for _, left, right in ARMS]
    rest = _elbow_frame(_rest_direction(side), FRONT)
    upper_keys = np.array([_elbow_frame(upper, fore) @ rest.T for upper, fore in shapes])
    flex_keys = np.array([np.arccos(np.clip(upper @ fore, -1.0, 1.0)) for upper, fore in shapes])

    upper = _blended(times, upper_keys, beats, frames_per_beat)
    flex = smoothed(through_keys(times, flex_keys, beats - 0.05), 0.05 * frames_per_beat)
    forearm = upper @ rest @ axis_rotation(1, flex) @ rest.T
    trailing = _delayed(forearm, HAND_DRAG_BEATS * frames_per_beat)
    wrist = rest @ axis_rotation(1, np.full(len(beats), np.radians(12.0))) @ rest.T
    hand = six_to_matrix(0.4 * matrix_to_six(forearm) + 0.6 * matrix_to_six(trailing)) @ wrist
    shoulder = _shrug(upper @ _rest_direction(side), side)
    return {"shoulder": shoulder, "upper_arm": upper, "forearm": forearm, "hand": hand}


def _blended(times: Array, rotations: Array, beats: Array, frames_per_beat: float) -> Array:
    six = through_keys(times, matrix_to_six(rotations), beats)
    return six_to_matrix(smoothed(six, 0.06 * frames_per_beat))


def _delayed(rotations: Array, frames: float) -> Array:
    rows = np.arange(len(rotations), dtype=float)
    six = matrix_to_six(rotations)
    return six_to_matrix(through_keys(rows, six, rows - frames))


def _directions(shape: tuple[tuple[float, ...], tuple[float, ...]], side: str) -> list[Array]:
    outside = 1.0 if side == "L" else -1.0
    vectors = [np.array([outside * out, -front, up]) for out, front, up in shape]
    return [vector / np.linalg.norm(vector) for vector in vectors]


def _rest_direction(side: str) -> Array:
    bone = rest_bones()[f"upper_arm.{side}"]
    along = np.subtract(bone.tail, bone.head)
    return along / np.linalg.norm(along)


def _elbow_frame(upper: Array, fore: Array) -> Array:
    """Return a frame with the columns: upper arm, axis of the elbow, and their cross product."""
    axis = np.cross(upper, fore)
    axis /= np.linalg.norm(axis)
    return np.stack([upper, axis, np.cross(upper, axis)], axis=-1)


def _shrug(upper: Array, side: str) -> Array:
    """Return the shoulder's rotation: it lifts with a rising arm and follows an arm that crosses to the front."""
    outside = 1.0 if side == "L" else -1.0
    lift = np.radians(24.0) * np.clip(upper[:, 2] + 0.25, 0.0, 1.2)
    swing = np.radians(14.0) * np.clip(-upper[:, 1], -0.6, 1.0)
    return axis_rotation(2, -outside * swing) @ axis_rotation(1, -outside * lift)
