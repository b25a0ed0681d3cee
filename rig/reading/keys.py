"""Keys of F-curves as arrays."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ...core.hints.curve_keys import CurveKeys
from ...core.hints.moving_range import MIN_REST_FRAMES

HELD, BEZIER = 0, 2
"""Values of the enum Keyframe.interpolation in 4.5 and 5.2; `foreach_get` gives numbers only."""

MIN_MOVEMENT = 1e-3
"""Smallest change of a value that is movement without a look at all keys, relative to it or to 1, if that is larger."""

_POSES = ("location", "rotation_", "scale")
"""Beginnings of the properties that pose a bone or an object."""


def keys_of(curve: bpy.types.FCurve) -> CurveKeys:
    """Read the keys of an F-curve, which has at least one."""
    points = curve.keyframe_points
    count = len(points)
    places, interpolation = np.empty(2 * count, dtype=np.float32), np.empty(count, dtype=np.int32)
    points.foreach_get("co", places)
    points.foreach_get("interpolation", interpolation)
    frames, values = places.reshape(count, 2).T.astype(np.float64)
    unmuted: list[Any] = [modifier for modifier in curve.modifiers if not modifier.mute]
    acting = [modifier for modifier in unmuted if modifier.type != "CYCLES"]
    steps = [modifier.frame_step for modifier in acting if modifier.type == "STEPPED"]
    stepping = int(steps[0]) if len(acting) == 1 and len(steps) == 1 and steps[0] == int(steps[0]) else 0
    return CurveKeys(
        frames,
        values,
        interpolation == HELD,
        _bent(points, values, interpolation),
        curve.data_path.rpartition(".")[2].startswith(_POSES),
        stepping,
        bool(acting) and not stepping,
        len(unmuted) > len(acting),
    )


def moves_at(curve: bpy.types.FCurve, end: int, frame: float) -> bool:
    """Return True if a curve has its first (`end` 0) or last (-1) key at a frame and moves right beside it.

    Only what poses the rig counts, and only movement from one key to the next within MIN_REST_FRAMES.
    """
    points = curve.keyframe_points
    if len(points) < 2 or not curve.data_path.rpartition(".")[2].startswith(_POSES):
        return False
    key: Any = points[end].co
    beside: Any = points[1 if end == 0 else -2].co
    near = key[0] == frame and abs(key[0] - beside[0]) < MIN_REST_FRAMES
    return near and abs(key[1] - beside[1]) > MIN_MOVEMENT * max(1.0, abs(key[1]))


def _bent(points: Any, values: np.ndarray, interpolation: np.ndarray) -> np.ndarray:
    """Return a mask (K,) of the keys after which handles bend the curve between two equal values."""
    bent = np.zeros(len(values), dtype=bool)
    if len(values) > 1 and (interpolation[:-1] > HELD + 1).any():
        handles = np.empty((2, 2 * len(values)), dtype=np.float32)
        points.foreach_get("handle_right", handles[0])
        points.foreach_get("handle_left", handles[1])
        off = np.abs(handles[0, 1:-1:2] - values[:-1]) + np.abs(handles[1, 3::2] - values[1:])
        bent[:-1] = (interpolation[:-1] == BEZIER) & (off > 1e-6 * max(1.0, float(np.abs(values).max())))
    return bent
