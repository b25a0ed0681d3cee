"""Steps of a pose from frame to frame, from the keys alone: fast enough for every frame of a long action."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.hints.curve_keys import CurveKeys
from ...core.hints.jumps import turned
from ...core.numeric.euler import quaternion_from_euler
from ...core.numeric.rotation import Array
from ..reading.actions import Source, channel_owner, keyed_channels, object_channels, rotation_modes
from ..reading.bone_settings import armature_size
from ..reading.evaluate import read_rest
from ..reading.keys import keys_of

Channel = tuple[str, str]
"""Bone (“” for the object) and property."""


def pose_steps(
    armature_object: bpy.types.Object, find_source: Callable[[], Source], frames: range
) -> Generator[float, None, tuple[Array, Array]]:
    """Compute two steps from each frame to the next (T - 1,), bone by bone: of rotations and of the root's place.

    Rotations are in radians, as the root mean square over the bones that turn; places in body sizes. The source is
    found anew after each bone, since slots and F-curves may be freed in between. Raises ClipError as it does.
    """
    source = find_source()
    modes = rotation_modes(armature_object, source)
    channels = keyed_channels(armature_object, source) | object_channels(armature_object, source)
    moving = [channel for channel, moves in channels.items() if moves]
    root = _root_channel(armature_object, moving)
    size = armature_size(armature_object, read_rest(armature_object))
    size *= 1.0 if root is None or root[0] else max(abs(float(armature_object.scale[0])), 1e-9)
    yield 0.0
    at = np.arange(frames.start, frames.stop, dtype=np.float64)
    squares, bones, ways = np.zeros(len(at) - 1), 0, np.zeros(len(at) - 1)
    for channel in moving:
        if channel != root and not channel[1].startswith("rotation_"):
            continue
        if channel[0] and channel[0] not in armature_object.pose.bones:
            raise ClipError(f"“{armature_object.name}” was changed while it was read.")
        rows = _rows(_keys(armature_object, find_source(), channel), _values(armature_object, channel), at)
        if channel == root:
            ways = np.linalg.norm(np.diff(rows, axis=0), axis=1) / max(size, 1e-9)
        else:
            mode = modes[channel[0]]
            squares += turned(_quaternions(rows, mode)) ** 2
            bones += 1
        yield 0.5
    return np.sqrt(squares / max(bones, 1)), ways


def _keys(armature_object: bpy.types.Object, source: Source, channel: Channel) -> dict[int, CurveKeys]:
    path = channel_owner(armature_object, channel[0]).path_from_id(channel[1])
    curves = {curve.array_index: curve for curve in source.curves if curve.data_path == path}
    return {k: keys_of(curve) for k, curve in curves.items() if not curve.mute and len(curve.keyframe_points)}


def _values(armature_object: bpy.types.Object, channel: Channel) -> list[float]:
    values: Any = getattr(channel_owner(armature_object, channel[0]), channel[1])
    return list(values)


def _rows(keys: Mapping[int, CurveKeys], stands: list[float], at: Array) -> Array:
    """Return the channel's values (T, n): of its keys, and where it stands in components without any."""
    return np.stack([keys[k].at(at) if k in keys else np.full(len(at), value) for k, value in enumerate(stands)], 1)


def _quaternions(rows: Array, mode: str) -> Array:
    if mode == "QUATERNION":
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    if mode == "AXIS_ANGLE":
        axes = rows[:, 1:] / np.maximum(np.linalg.norm(rows[:, 1:], axis=1, keepdims=True), 1e-9)
        return np.concatenate([np.cos(0.5 * rows[:, :1]), np.sin(0.5 * rows[:, :1]) * axes], axis=1)
    return quaternion_from_euler(rows, mode)


def _root_channel(armature_object: bpy.types.Object, moving: list[Channel]) -> Channel | None:
    """Return the moving location that is highest in the hierarchy: the object's, else that of a bone."""

    def depth(channel: Channel) -> int:
        return len(armature_object.pose.bones[channel[0]].parent_recursive) + 1 if channel[0] else 0

    return min((one for one in moving if one[1] == "location"), key=depth, default=None)
