"""Operators that fill the list of pairs of an armature's bones and its driver's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ...core.driving.roles import MIN_PAIRS, pair_by_role
from ...core.errors import ClipError
from ...rig.reading.actions import source_of
from ...rig.reading.read import ReadOptions, read_steps
from ...rig.steps import part_of, stride
from ...state.driving.drive_settings import driving_of, set_pairs
from ...state.poll_messages import armature_problem, set_poll_message, settings_problem
from ...state.rig_settings import active_armature
from ...state.source import active_action, glance_steps
from ..list_remove import ListRemove
from ..placing.place_lists import active_bone
from ..runs.stepwise import Stepwise

GLANCE_FRAMES = 60
"""Frames of an action to look at for finding feet and body parts."""


def driver_problem(ob: bpy.types.Object | None) -> str:
    """Return the reason why the driver that an armature's settings name cannot drive it; empty if it can."""
    if ob is None or ob.type != "ARMATURE":
        return "Select an armature, or a mesh that it deforms"
    driver = driving_of(ob).driver
    if driver is None:
        return "Choose a driver first, the armature of another body"
    if not driver.users_scene:  # deleted in the viewport; this setting keeps it in the file
        return f"The driver “{driver.name}” is in no scene any more; choose another one"
    return ""


def driver_action(ob: bpy.types.Object, driver: bpy.types.Object, action: bpy.types.Action | None) -> bpy.types.Action:
    """Return the driver's action, its active one unless given. Raises ClipError for none, or the armature itself."""
    if driver == ob:
        raise ClipError(f"“{ob.name}” cannot drive itself; choose the armature of another body.")
    found = action or active_action(driver)
    if found is None:
        raise ClipError(f"The driver “{driver.name}” has no action; assign one, or choose one in the panel.")
    return found


class RIFF_OT_pair_bones(Stepwise, bpy.types.Operator):
    """Pair the bones that have the same role in both bodies: hips, head, feet, hands; correct the list afterwards"""

    bl_idname = "riff.pair_bones"
    bl_label = "Pair by Name"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        return set_poll_message(cls, armature_problem(ob) or settings_problem(ob) or driver_problem(ob))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        ob = active_armature(context)
        self._armature = ob.name
        settings = driving_of(ob)
        driver, action = settings.driver, driver_action(ob, settings.driver, settings.action)
        own = yield from part_of(glance_steps(ob, context.scene, GLANCE_FRAMES), 0, 2)
        step = stride(0, len(source_of(driver, action).frames()) - 1, GLANCE_FRAMES)
        reading = read_steps(driver, action, scene=context.scene, options=ReadOptions(step=step))
        other = yield from part_of(reading, 1, 2)
        self._pairs = pair_by_role(own.skeleton, other.skeleton)

    def finished(self, context: bpy.types.Context) -> Any:
        ob = context.scene.objects.get(self._armature)
        if ob is None:
            self.report({"ERROR"}, "The armature was deleted or renamed meanwhile")
            return {"CANCELLED"}
        set_pairs(ob, self._pairs)
        if len(self._pairs) < MIN_PAIRS:
            self.report({"WARNING"}, f"Found {len(self._pairs)} pairs; add others by hand, {MIN_PAIRS} at least")
        else:
            self.report({"INFO"}, f"Found {len(self._pairs)} pairs of bones")
        return {"FINISHED"}


class RIFF_OT_add_bone_pair(bpy.types.Operator):
    """Add a pair with the active bone; choose the driver's bone for it in the list"""

    bl_idname = "riff.add_bone_pair"
    bl_label = "Add Pair"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, settings_problem(active_armature(context)))

    def execute(self, context: bpy.types.Context) -> Any:
        settings = driving_of(active_armature(context))
        pair = settings.pairs.add()
        pair.name = active_bone(context)
        driver = settings.driver
        if driver is not None and driver.mode == "POSE" and driver.data.bones.active is not None:
            pair.other = driver.data.bones.active.name
        settings.active_pair = len(settings.pairs) - 1
        return {"FINISHED"}


class RIFF_OT_remove_bone_pair(ListRemove, bpy.types.Operator):
    """Remove the chosen pair of bones"""

    bl_idname = "riff.remove_bone_pair"
    bl_label = "Remove Pair"
    rows, active = "pairs", "active_pair"
    nothing_chosen = "Choose a pair from the list"

    @classmethod
    def owner(cls, context: bpy.types.Context) -> Any:
        return driving_of(active_armature(context))


CLASSES = (RIFF_OT_pair_bones, RIFF_OT_add_bone_pair, RIFF_OT_remove_bone_pair)
