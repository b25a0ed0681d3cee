"""Operator Add Sample Dancer: a character to train on without a clip at hand."""

from __future__ import annotations

from typing import Any

import bpy

from ..sample.dancer import add_sample_dancer
from ..state.poll_messages import set_poll_message


class RIFF_OT_add_sample_dancer(bpy.types.Operator):
    """Add an armature with a simple body and a dance of 20 seconds, and set the scene to its length and frame rate"""

    bl_idname = "riff.add_sample_dancer"
    bl_label = "Add Sample Dancer"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        in_object_mode = context.mode == "OBJECT"
        return set_poll_message(cls, "" if in_object_mode else "Switch to Object Mode first")

    def execute(self, context: bpy.types.Context) -> Any:
        scene = context.scene
        scene.render.fps, scene.render.fps_base = 30, 1.0
        action = add_sample_dancer(context).animation_data.action
        scene.frame_start, scene.frame_end = int(action.frame_range[0]), int(action.frame_range[1])
        scene.frame_set(scene.frame_start)
        return {"FINISHED"}


CLASSES = (RIFF_OT_add_sample_dancer,)
