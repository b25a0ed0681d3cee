"""Operators that show variations as ghosts beside the character, and hide them."""

from __future__ import annotations

from typing import Any

import bpy

from ...core.errors import RiffError
from ...rig.ghosts.ghosts import (
    abandoned_ghosts,
    add_ghosts,
    all_ghosts,
    ghosts_of,
    ghosts_playing,
    has_ghosts,
    remove_ghosts,
    replace_ghosts,
)
from ...rig.ownership import Removal
from ...state.live import end, is_live
from ...state.poll_messages import selection_problem, set_poll_message
from ...state.rig_settings import active_armature, identity_of, rig_settings
from ...state.session import refresh_variations, rows_of
from ...state.settings import session_of
from ...state.variations.compare_settings import GhostChoices, arrangement_of, compare_settings
from ...state.variations.ghosts import chosen_for_ghosts
from .on_variation import OnVariation


def identity_known(ob: bpy.types.Object) -> str:
    """Return the number by which variations know an armature; made where it can be stored."""
    return identity_of(ob) if ob.is_editable else rig_settings(ob).identity


class RIFF_OT_show_ghosts(GhostChoices, bpy.types.Operator):
    """Show variations as ghosts side by side beside the character, each moving; its own action stays as it is"""

    bl_idname = "riff.show_ghosts"
    bl_label = "Show Ghosts"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        problem = selection_problem(ob)
        if not problem and not rows_of(session_of(context), ob):
            problem = "There is no variation; generate some first"
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        ob = active_armature(context)
        names = chosen_for_ghosts(context, ob, self.which, self.number)
        found = [bpy.data.actions.get(name) for name in names]
        actions = [action for action in found if action is not None]
        if not actions:
            self.report({"ERROR"}, "No variation is kept; keep some by the star in their row")
            return {"CANCELLED"}
        if is_live():
            end()
        identity = identity_known(ob)
        try:
            replace_ghosts(ob, actions, context.scene, arrangement_of(self), identity)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        refresh_variations(session_of(context))
        return {"FINISHED"}


class RIFF_OT_toggle_ghost(OnVariation, bpy.types.Operator):
    """Show this variation as a ghost beside the character, or hide its ghost"""

    bl_idname = "riff.toggle_ghost"
    bl_label = "Ghost"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        ob = active_armature(context)
        identity = identity_known(ob)
        shown = [ghost for ghost in ghosts_of(ob, identity) if ghost in ghosts_playing(action)]
        if shown:
            _tell_those_that_stay(self, remove_ghosts(shown))
        else:
            if is_live():
                end()
            try:
                add_ghosts(ob, [action], context.scene, arrangement_of(compare_settings(context)), identity)
            except RiffError as error:
                self.report({"ERROR"}, str(error))
                return {"CANCELLED"}
        refresh_variations(session_of(context))
        return {"FINISHED"}


class RIFF_OT_hide_ghosts(bpy.types.Operator):
    """Remove the ghosts of this character, and those whose character is gone; variations stay"""

    bl_idname = "riff.hide_ghosts"
    bl_label = "Hide Ghosts"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, "" if has_ghosts() else "There is no ghost to hide")

    def execute(self, context: bpy.types.Context) -> Any:
        ob = active_armature(context)
        found = ghosts_of(ob, rig_settings(ob).identity) if ob is not None else all_ghosts()
        _tell_those_that_stay(self, remove_ghosts(dict.fromkeys([*found, *abandoned_ghosts()])))
        refresh_variations(session_of(context))
        return {"FINISHED"}


def _tell_those_that_stay(operator: Any, removal: Removal) -> None:
    count = len(removal.stay)
    if count:
        which = "ghosts that your objects depend on stay" if count > 1 else "ghost that your objects depend on stays"
        operator.report({"WARNING"}, f"{count} {which}; unlink them first")


CLASSES = (RIFF_OT_show_ghosts, RIFF_OT_toggle_ghost, RIFF_OT_hide_ghosts)
