"""Operators that keep and discard generated actions."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import bpy

from ...core.errors import RiffError
from ...rig.ghosts.ghosts import ghosts_playing, remove_ghosts
from ...rig.ownership import is_made_by_riff, is_used_elsewhere
from ...rig.stored import stored_flag, stored_text
from ...rig.writing.play import play, players_of
from ...state.poll_messages import set_poll_message
from ...state.rig_settings import active_armature
from ...state.session import refresh_variations, rows_of
from ...state.settings import session_of
from ...state.source import active_action, is_variation
from ...state.variations.show import show_action
from .on_variation import OnVariation


class RIFF_OT_keep_variation(OnVariation, bpy.types.Operator):
    """Keep this variation: Discard Others leaves it, and it can be marked as an asset; click again to undo"""

    bl_idname = "riff.keep_variation"
    bl_label = "Keep"
    bl_options = {"REGISTER", "UNDO"}
    changes_action = True

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        action["riff_kept"] = not stored_flag(action, "riff_kept")
        refresh_variations(session_of(context))
        return {"FINISHED"}


class RIFF_OT_discard_variation(OnVariation, bpy.types.Operator):
    """Delete this variation from the file; the next one is shown in its place"""

    bl_idname = "riff.discard_variation"
    bl_label = "Discard"
    bl_options = {"REGISTER", "UNDO"}
    changes_action = True

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        if not is_made_by_riff(action):
            self.report({"ERROR"}, f"“{action.name}” was copied, renamed or edited; delete it by hand")
            return {"CANCELLED"}
        if is_used_elsewhere(action, players_of(active_armature(context))):
            self.report({"ERROR"}, f"“{action.name}” is used by an NLA strip or another object; unlink it there first")
            return {"CANCELLED"}
        _show_neighbour(context, action)
        _remove(context, action)
        refresh_variations(session_of(context))
        return {"FINISHED"}


class RIFF_OT_discard_others(bpy.types.Operator):
    """Delete every variation of this armature that is not kept"""

    bl_idname = "riff.discard_others"
    bl_label = "Discard Others"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        some = ob is not None and any(not row.kept for row in rows_of(session_of(context), ob))
        return set_poll_message(cls, "" if some else "There is no variation to discard")

    def execute(self, context: bpy.types.Context) -> Any:
        session = session_of(context)
        ob = active_armature(context)
        names = [row.name for row in rows_of(session, ob) if not row.kept]
        found = [bpy.data.actions.get(name) for name in names]
        actions = [action for action in found if action is not None and is_variation(action)]
        players = players_of(ob) if ob is not None else []
        gone = [one for one in actions if is_made_by_riff(one) and not is_used_elsewhere(one, players)]
        for action in gone:
            _remove(context, action)
        refresh_variations(session)
        left = len(actions) - len(gone)
        which = "copied, renamed, edited or used elsewhere"
        stay = f"; {left} that {'are' if left != 1 else 'is'} {which} stay" if left else ""
        self.report({"INFO"}, f"Discarded {len(gone)} variation{'s' if len(gone) != 1 else ''}{stay}")
        return {"FINISHED"}


def _show_neighbour(context: bpy.types.Context, action: bpy.types.Action) -> None:
    """Show the variation below one that is shown and about to go, else the one above it, so that one can go on."""
    ob = active_armature(context)
    names = [row.name for row in rows_of(session_of(context), ob)]
    if active_action(ob) != action or action.name not in names:
        return
    place = names.index(action.name)
    for name in [*names[place + 1 :], *reversed(names[:place])]:
        other = bpy.data.actions.get(name)
        if other is not None:
            with suppress(RiffError):  # then its source is shown, or nothing
                show_action(context, ob, other)
            return


def _remove(context: bpy.types.Context, action: bpy.types.Action) -> None:
    """Remove a variation and its ghosts; if the armature shows it, assign its source again."""
    remove_ghosts(ghosts_playing(action))
    source: bpy.types.Action | None = bpy.data.actions.get(stored_text(action, "riff_source"))
    ob = active_armature(context)
    if active_action(ob) == action and source is not None:
        with suppress(RiffError):  # if the source has lost its slot, the armature plays nothing
            play(ob, source)
    bpy.data.actions.remove(action)


CLASSES = (RIFF_OT_keep_variation, RIFF_OT_discard_variation, RIFF_OT_discard_others)
