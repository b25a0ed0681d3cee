"""Operators that show generated actions: one by its name, the next and the previous one of the list."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from ...core.errors import RiffError
from ...state.poll_messages import selection_problem, set_poll_message
from ...state.rig_settings import active_armature
from ...state.session import rows_of
from ...state.settings import session_of
from ...state.source import active_action
from ...state.variations.show import show_action
from .on_variation import OnVariation


class RIFF_OT_show_action(OnVariation, bpy.types.Operator):
    """Assign this action to the armature and play it; the previous action stays in the file"""

    bl_idname = "riff.show_action"
    bl_label = "Show Action"
    bl_options = {"REGISTER", "UNDO"}

    action: StringProperty(name="Action", description="Name of the action to show")

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        try:
            show_action(context, active_armature(context), action)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class _Step:
    """Mixin of operators that show the variation `step` rows further down in the list."""

    step = 1
    at_end = ""

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        problem = selection_problem(ob)
        if not problem and not rows_of(session_of(context), ob):
            problem = "There is no variation; generate some first"
        return set_poll_message(cls, problem)

    def execute(self: Any, context: bpy.types.Context) -> Any:
        ob = active_armature(context)
        names, shown = [row.name for row in rows_of(session_of(context), ob)], active_action(ob)
        if shown is None or shown.name not in names:
            place = 0 if self.step > 0 else len(names) - 1
        else:
            place = names.index(shown.name) + self.step
        if not 0 <= place < len(names):
            self.report({"INFO"}, self.at_end)
            return {"CANCELLED"}
        action = bpy.data.actions.get(names[place])
        if action is None:
            self.report({"ERROR"}, f"The action “{names[place]}” is no longer in the file")
            return {"CANCELLED"}
        try:
            show_action(context, ob, action)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RIFF_OT_next_variation(_Step, bpy.types.Operator):
    """Show and play the next variation of the list"""

    bl_idname = "riff.next_variation"
    bl_label = "Next Variation"
    bl_options = {"REGISTER", "UNDO"}
    at_end = "This is the last variation"


class RIFF_OT_previous_variation(_Step, bpy.types.Operator):
    """Show and play the previous variation of the list"""

    bl_idname = "riff.previous_variation"
    bl_label = "Previous Variation"
    bl_options = {"REGISTER", "UNDO"}
    step = -1
    at_end = "This is the first variation"


CLASSES = (RIFF_OT_show_action, RIFF_OT_next_variation, RIFF_OT_previous_variation)
