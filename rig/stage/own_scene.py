"""A copy of an armature in a scene of its own, where it plays an action unseen, at any frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import bpy

from ..compat import assign_action, hold_by_driver
from ..unseen import unseen
from .scene_drivers import follow_own_scene, reads_scene, redirect
from .stand_ins import StandIns


@contextmanager
def copy_in_own_scene(
    armature_object: bpy.types.Object,
    action: bpy.types.Action | None,
    slot: bpy.types.ActionSlot | None,
    scene: bpy.types.Scene,
    stacked: bool,
    held_scale: float | None,
) -> Iterator[tuple[bpy.types.Object, bpy.types.Scene]]:
    """Provide a copy of the armature object in a scene of its own, and that scene, unseen by the user's handlers.

    This is 50 times faster beside a heavy mesh and leaves the user's frame, active action, slot and NLA as they are.
    `ID.copy` redirects constraints and drivers from the original to the copy. Drivers that read the user's scene read
    the new one. With `held_scale` the object keeps that scale, whatever is keyed. Raises ClipError for a driver
    that the copy cannot follow.
    """
    with unseen():
        data: bpy.types.Armature | None = None
        copy = armature_object.copy()
        own = bpy.data.scenes.new("Riff")
        stand_ins = StandIns()
        try:
            _set(own.render, "fps", scene.render.fps)
            _set(own.render, "fps_base", scene.render.fps_base)
            own.collection.objects.link(copy)
            _set(copy, "hide_viewport", False)  # Blender does not evaluate objects that are disabled in viewports
            # at rest or in Edit Mode Blender evaluates the rest pose, whatever is keyed
            resting = copy.data.pose_position == "REST" or copy.data.is_editmode
            if resting or reads_scene(copy.data, scene):
                data = cast(bpy.types.Armature, copy.data.copy())
                copy.data = data
                redirect(copy, armature_object.data, data)
                data.pose_position = "POSE"
            stand_ins.replace_targets(armature_object, copy, scene)
            follow_own_scene([copy, *([data] if data else []), *stand_ins.copies], scene, own)
            own.view_layers[0].update()
            _play_alone(copy, action, slot, stacked)
            if held_scale is not None:
                _hold_scale(copy, held_scale)
            yield copy, own
        finally:
            bpy.data.objects.remove(copy)
            stand_ins.remove()
            bpy.data.scenes.remove(own)
            if data is not None:
                bpy.data.armatures.remove(data)


def _play_alone(
    copy: bpy.types.Object, action: bpy.types.Action | None, slot: bpy.types.ActionSlot | None, stacked: bool
) -> None:
    """Play the action alone at full influence, outside any tweaked strip; or the NLA as it is if `stacked`."""
    animation = copy.animation_data or copy.animation_data_create()
    _set(animation, "use_tweak_mode", False)
    _set(animation, "use_nla", stacked)
    if stacked:
        return
    if action is None:
        _set(animation, "action", None)
    elif animation.action != action or animation.action_slot != slot:
        assign_action(copy, action, slot)


def _set(owner: Any, name: str, value: Any) -> None:
    """Set a property that differs: add-ons can subscribe to assignments, by type, and hear of those to a copy, too."""
    if getattr(owner, name) != value:
        setattr(owner, name, value)


def _hold_scale(copy: bpy.types.Object, scale: float) -> None:
    """Hold an object at an even scale, whatever is keyed."""
    copy.delta_scale = (1.0, 1.0, 1.0)
    for path, value in (("scale", scale), ("delta_scale", 1.0)):
        for index in range(3):
            copy.driver_remove(path, index)
            hold_by_driver(copy, path, index, value)
