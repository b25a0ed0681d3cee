"""Showing of an action on its armature; a click on a row of the list of variations does it."""

from __future__ import annotations

import bpy

from ...core.errors import RiffError
from ...rig.reading.actions import range_of
from ...rig.writing.play import play
from ..guard import show_problem
from ..live import end, is_live
from ..rig_settings import active_armature
from ..settings import row_click_listeners
from ..source import active_action


def show_action(context: bpy.types.Context, ob: bpy.types.Object, action: bpy.types.Action) -> None:
    """Assign an action to an armature and play it, in a window in which nothing plays yet; the one before stays in the
    file, and a live variation ends. Raises RiffError.
    """
    if is_live():
        end()
    shown = active_action(ob)
    play(ob, action)
    if shown is not None and shown.users == 0:
        # the armature was its only user: Blender would drop it on saving
        shown.use_fake_user = True
    if context.screen is not None and not context.screen.is_animation_playing and not bpy.app.background:
        context.scene.frame_set(range_of(action)[0])
        bpy.ops.screen.animation_play()


def show_clicked(context: bpy.types.Context, name: str) -> None:
    """Show the action of a clicked row, as one undo step; the panel says why it cannot be shown."""
    ob, action = active_armature(context), bpy.data.actions.get(name)
    if ob is None or action is None:
        return
    changes = action != active_action(ob)
    try:
        show_action(context, ob, action)
    except RiffError as error:
        show_problem(str(error))
        return
    if changes:
        bpy.ops.ed.undo_push(message="Show Variation")


def register() -> None:
    row_click_listeners.append(show_clicked)


def unregister() -> None:
    row_click_listeners.remove(show_clicked)
