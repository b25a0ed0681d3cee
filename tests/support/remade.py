"""Variations of the file as they are, to compare them with those that the history makes again."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np


def rows() -> Any:
    return bpy.context.window_manager.riff.variations


def made() -> list[bpy.types.Action]:
    return [bpy.data.actions[row.name] for row in rows()]


def keys(action: bpy.types.Action) -> dict[tuple[str, str, int], np.ndarray]:
    """Every number of every key of every F-curve, by slot and path."""
    found = {}
    for slot in action.slots:
        for curve in action.layers[0].strips[0].channelbag(slot).fcurves:
            points = curve.keyframe_points
            numbers = np.empty((3, 2 * len(points)), dtype=np.float32)
            for row, name in zip(numbers, ("co", "handle_left", "handle_right"), strict=True):
                points.foreach_get(name, row)
            kinds = np.empty(len(points), dtype=np.uint8)
            points.foreach_get("interpolation", kinds)
            held = (slot.identifier, curve.data_path, curve.array_index)
            found[held] = np.concatenate([numbers.ravel(), kinds])
    assert found
    return found


def told(action: bpy.types.Action) -> dict[str, Any]:
    """Riff's id-properties of an action, but for what its pictures are made of."""
    return {
        key: list(value) if hasattr(value, "__len__") and not isinstance(value, str) else value
        for key, value in action.items()
        if key.startswith("riff_") and not isinstance(value, bytes)
    }


def same(one: dict[Any, np.ndarray], other: dict[Any, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def remembered(actions: list[bpy.types.Action]) -> dict[str, tuple[Any, Any]]:
    return {action.name: (keys(action), told(action)) for action in actions}


def made_again(before: dict[str, tuple[Any, Any]]) -> None:
    """Discard the actions, make them again, and compare each with what it was."""
    for name in before:
        if name in bpy.data.actions:
            assert bpy.ops.riff.discard_variation(action=name) == {"FINISHED"}
    assert bpy.ops.riff.make_again("EXEC_DEFAULT", True) == {"FINISHED"}
    for name, (curves, properties) in before.items():
        action = bpy.data.actions[name]
        assert same(keys(action), curves), name
        assert told(action) == properties, name
