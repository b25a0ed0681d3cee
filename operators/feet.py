"""Operators for the user's lists of feet and of learned bones."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.armature_summary import feet_found, rows_found
from ..state.poll_messages import set_poll_message, settings_problem
from ..state.rig_settings import active_armature, rig_settings
from .list_remove import ListRemove


class RIFF_OT_add_foot(bpy.types.Operator):
    """Add a bone that touches the ground; the first click adds those that Riff found"""

    bl_idname = "riff.add_foot"
    bl_label = "Add Foot"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, settings_problem(active_armature(context)))

    def execute(self, context: bpy.types.Context) -> Any:
        ob = active_armature(context)
        settings = rig_settings(ob)
        active = context.active_pose_bone.name if context.mode == "POSE" and context.active_pose_bone else ""
        names = [active] if active or len(settings.feet) else feet_found(ob) or [""]
        for name in names:
            settings.feet.add().name = name
        settings.active_foot = len(settings.feet) - 1
        return {"FINISHED"}


class RIFF_OT_remove_foot(ListRemove, bpy.types.Operator):
    """Remove the chosen bone from the feet"""

    bl_idname = "riff.remove_foot"
    bl_label = "Remove Foot"
    rows, active = "feet", "active_foot"
    nothing_chosen = "Choose a foot from the list"


class RIFF_OT_list_learned(bpy.types.Operator):
    """List the bones that Riff learns, each with its other side and body part, to leave some out or correct them"""

    bl_idname = "riff.list_learned"
    bl_label = "List Learned Bones"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = settings_problem(active_armature(context))
        if not problem and not rows_found(active_armature(context)):
            problem = "Riff has not analyzed this armature yet"
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        settings = rig_settings(active_armature(context))
        left_out = [row.name for row in settings.controls if not row.learn]
        settings.controls.clear()
        for name, partner, part in rows_found(active_armature(context)):
            row = settings.controls.add()
            row.name, row.found_partner, row.found_part, row.partner, row.part = name, partner, part, partner, part
        for name in left_out:
            if name in active_armature(context).pose.bones and name not in settings.controls:
                row = settings.controls.add()
                row.name, row.learn = name, False
        settings.active_control = 0
        return {"FINISHED"}


class RIFF_OT_forget_learned(bpy.types.Operator):
    """Discard all changes to the learned bones, their other sides and body parts"""

    bl_idname = "riff.forget_learned"
    bl_label = "Let Riff Find Them"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = settings_problem(active_armature(context))
        if not problem and not len(rig_settings(active_armature(context)).controls):
            problem = "Riff already finds the bones itself"
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        rig_settings(active_armature(context)).controls.clear()
        return {"FINISHED"}


CLASSES = (RIFF_OT_add_foot, RIFF_OT_remove_foot, RIFF_OT_list_learned, RIFF_OT_forget_learned)
