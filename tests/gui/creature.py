"""Armatures to work on: one as large as the bar asks for, and the sample dancer for a few seconds."""

from __future__ import annotations

import math
from typing import Any

import bpy
import numpy as np

FRAMES, CHAINS, LINKS = 648, 16, 4


def add_short_dancer(seconds: int) -> Any:
    """The sample dancer alone in the scene, with the first seconds of her action; returns the action."""
    ops: Any = bpy.ops
    bpy.data.batch_remove(list(bpy.data.objects))
    ops.riff.add_sample_dancer()
    ob: Any = bpy.data.objects["Dancer"]
    action = ob.animation_data.action
    action.use_frame_range, action.frame_end = True, action.frame_start + 30 * seconds
    return action


def add_creature(frames: int = FRAMES) -> Any:
    """An armature of 65 bones with every bone keyed on each of 648 frames, walking along."""
    data = bpy.data.armatures.new("Creature")
    ob: Any = bpy.data.objects.new("Creature", data)
    context: Any = bpy.context
    context.collection.objects.link(ob)
    context.view_layer.objects.active = ob
    ob.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    hips = data.edit_bones.new("hips")
    hips.head, hips.tail = (0, 0, 1.0), (0, 0, 1.1)
    for chain in range(CHAINS):
        parent, angle = hips, chain * 2 * math.pi / CHAINS
        for link in range(LINKS):
            bone = data.edit_bones.new(f"chain{chain:02}.{link}")
            bone.parent = parent
            bone.head = parent.tail
            reach = 0.15 * (link + 1)
            rise = (0.1 if chain % 2 else -0.25) * (link + 1)
            bone.tail = (math.cos(angle) * reach, math.sin(angle) * reach, 1.1 + rise)
            parent = bone
    bpy.ops.object.mode_set(mode="POSE")
    action = bpy.data.actions.new("Creep")
    slot = action.slots.new(id_type="OBJECT", name=ob.name)
    ob.animation_data_create().action = action
    ob.animation_data.action_slot = slot
    layer: Any = action.layers.new("Layer")
    bag = layer.strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    times = np.arange(frames)
    for number, bone in enumerate(ob.pose.bones):
        bone.rotation_mode = "XYZ"
        for axis in range(3):
            _key(bag, bone.path_from_id("rotation_euler"), axis, 0.4 * np.sin(times / (9 + number % 7) + axis + number))
    _key(bag, ob.pose.bones["hips"].path_from_id("location"), 1, times * 0.002)
    bpy.ops.object.mode_set(mode="OBJECT")
    context.scene.render.fps, context.scene.frame_end = 30, frames
    return ob


def _key(bag: Any, path: str, axis: int, values: Any) -> None:
    curve = bag.fcurves.new(path, index=axis)
    curve.keyframe_points.add(len(values))
    keys = np.stack([np.arange(1, len(values) + 1), values], 1).astype(np.float32)
    curve.keyframe_points.foreach_set("co", keys.ravel())
    curve.update()
