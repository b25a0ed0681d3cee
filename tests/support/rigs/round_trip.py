"""Round trips of a rig: read, written and played by Blender, the same in all bones."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.support.rigs.biped import world_pose

RADIANS, HEIGHTS, PROPERTIES = 1e-4, 1e-4, 1e-5


def poses(ob: Any, frames: range) -> tuple[np.ndarray, np.ndarray]:
    """Unscaled world axes (T, n, 3, 3) and places (T, n, 3) of all bones as Blender evaluates them."""
    found = np.array([list(world_pose(ob, frame).values()) for frame in frames])
    axes = found[..., :3, :3]
    return axes / np.linalg.norm(axes, axis=-2, keepdims=True), found[..., :3, 3]


def assert_round_trip(door: SimpleNamespace, ob: Any) -> Any:
    """Blender plays what was written as it plays the source, in all bones; returns the motion."""
    source = ob.animation_data.action
    motion = door.read_motion(ob)
    first, last = source.frame_range
    frames = range(math.ceil(first - 1e-3), math.floor(last + 1e-3) + 1, 7)
    axes, positions = poses(ob, frames)
    action = door.write_motion(ob, motion, "Written", source_action=source)
    door.play(ob, action)
    written_axes, written_places = poses(ob, frames)
    assert door.angle_between(axes, written_axes).max() < RADIANS
    assert np.abs(positions - written_places).max() < HEIGHTS * 1.8 * motion.skeleton.unit
    again = door.read_motion(ob, action)
    assert again.skeleton.same_rig(motion.skeleton)
    np.testing.assert_allclose(again.property_values(), motion.property_values(), atol=PROPERTIES)
    return motion


def channels(door: SimpleNamespace, action: Any) -> dict[tuple[str, int], Any]:
    curves = door.channelbag_of(action, action.slots[0]).fcurves
    return {(curve.data_path, curve.array_index): curve for curve in curves}


def shaken(motion: Any, size: float = 0.1) -> Any:
    """The motion with other rotations: what a variation would be, with the same channels."""
    features = motion.features.copy()
    columns = slice(0, motion.skeleton.joints * 6)
    time = np.arange(motion.frames)[:, None] / 9.0 + np.arange(motion.skeleton.joints * 6)
    features[:, columns] += size * np.sin(time)
    return replace(motion, features=features)
