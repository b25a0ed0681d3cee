"""The list of feet that the user chose."""

from __future__ import annotations

from typing import Any

import bpy

from .poll import answer, selection_problem
from .rig_settings import rig_settings
from .source import feet_found


class RIFF_OT_add_foot(bpy.types.Operator):
    """Add a bone that touches the ground; the first click adds those that Riff found"""

    bl_idname = "riff.add_foot"
    bl_label = "Add Foot"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return answer(cls, selection_problem(context.object))

    def execute(self, context: bpy.types.Context) -> Any:
        ob = context.object
        settings = rig_settings(ob)
        active = context.active_pose_bone.name if context.mode == "POSE" and context.active_pose_bone else ""
        names = [active] if active or len(settings.feet) else feet_found(ob) or [""]
        for name in names:
            settings.feet.add().name = name
        settings.active_foot = len(settings.feet) - 1
        return {"FINISHED"}


class RIFF_OT_remove_foot(bpy.types.Operator):
    """Remove the chosen bone from the feet"""

    bl_idname = "riff.remove_foot"
    bl_label = "Remove Foot"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not answer(cls, selection_problem(context.object)):
            return False
        settings = rig_settings(context.object)
        chosen = settings.active_foot < len(settings.feet)
        return answer(cls, "" if chosen else "Choose a foot from the list")

    def execute(self, context: bpy.types.Context) -> Any:
        settings = rig_settings(context.object)
        settings.feet.remove(settings.active_foot)
        settings.active_foot = max(0, settings.active_foot - 1)
        return {"FINISHED"}


CLASSES = (RIFF_OT_add_foot, RIFF_OT_remove_foot)
