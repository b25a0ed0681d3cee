"""Actions of a rig to choose several of, with check boxes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty

from ...core.errors import ClipError
from ...rig.library.blend_files import keyed_bones, source_actions
from ...rig.reading.actions import range_of


class RiffActionChoice(bpy.types.PropertyGroup):
    """A row of the list of actions to choose from; `name` is the action's."""

    use: BoolProperty(name="Use", description="Learn this action together with the others")
    frames: IntProperty()
    seconds: FloatProperty()


def fill_choices(rows: Any, ob: bpy.types.Object, scene: bpy.types.Scene) -> None:
    """List the actions whose bones an armature has, but for its own and those that Riff made."""
    rate, own = scene.render.fps / scene.render.fps_base, ob.animation_data.action if ob.animation_data else None
    bones = ob.data.bones.keys()
    rows.clear()
    for action in source_actions():
        if action == own or not keyed_bones(action).issubset(bones):
            continue
        with suppress(ClipError):  # no action to learn
            first, last = range_of(action)
            row = rows.add()
            row.name, row.frames, row.seconds = action.name, last - first + 1, (last - first) / rate


CLASSES = (RiffActionChoice,)
