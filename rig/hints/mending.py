"""Mending of an action that a person asked for: another frame rate, fewer frames, one action for each take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from ..compat import assign_action, channelbag_of, name_of_two
from ..reading.actions import Source, slot_of, split_bone_path


def leave_out(action: bpy.types.Action, first: float, last: float) -> None:
    """Set the action's manual frame range; its keys stay."""
    action.use_frame_range, action.frame_start, action.frame_end = True, first, last


def split_takes(
    armature_object: bpy.types.Object, source: Source, takes: Sequence[tuple[float, float]]
) -> list[bpy.types.Action]:
    """Copy an action once for each take (first and last frame), each with a manual frame range, and play the longest.

    The source stays as it is and is kept with the file.
    """
    action, handle = source.action, source.slot.handle
    action.use_fake_user = True
    made = []
    for number, (first, last) in enumerate(takes, start=1):
        take = action.copy()
        take.name = name_of_two(action.name, f"Take {number}")
        take.use_fake_user = True
        leave_out(take, first, last)
        made.append(take)
    longest = max(range(len(takes)), key=lambda one: takes[one][1] - takes[one][0])
    assign_action(armature_object, made[longest], slot_of(made[longest], handle))
    return made


def plays_alone(armature_object: bpy.types.Object, source: Source, scene: bpy.types.Scene) -> bool:
    """Return True if nothing but this action would change its speed with the scene's frame rate.

    Other objects of the scene with an action or strips would, and other actions for this armature's bones.
    """
    for ob in scene.objects:
        data = ob.animation_data
        if ob != armature_object and data is not None and (data.action is not None or len(data.nla_tracks)):
            return False
    others = [action for action in bpy.data.actions if action != source.action]
    return not any(_keys_bones(armature_object, action) for action in others)


def _keys_bones(armature_object: bpy.types.Object, action: bpy.types.Action) -> bool:
    bags = [channelbag_of(action, slot) for slot in action.slots]
    paths = [split_bone_path(curve.data_path) for bag in bags if bag is not None for curve in bag.fcurves]
    return any(path is not None and path[0] in armature_object.pose.bones for path in paths)


def set_rate(scene: bpy.types.Scene, rate: float) -> None:
    """Set the scene's frame rate, exactly for whole numbers."""
    scene.render.fps = max(1, round(rate))
    scene.render.fps_base = round(rate) / rate if rate >= 1.0 else 1.0 / rate


def scale_keys(source: Source, factor: float) -> None:
    """Move all keys and the manual frame range by a factor towards the first frame (above 1: away from it)."""
    first = float(source.frames()[0])
    for curve in source.curves:
        for name in ("co", "handle_left", "handle_right"):
            places = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
            curve.keyframe_points.foreach_get(name, places)
            places[::2] = first + factor * (places[::2] - first)
            curve.keyframe_points.foreach_set(name, places)
        curve.update()
    action: Any = source.action
    if action.use_frame_range:
        action.frame_start = first + factor * (action.frame_start - first)
        action.frame_end = first + factor * (action.frame_end - first)
