"""Operators that fill the lists of pins and waypoints."""

from __future__ import annotations

from typing import Any

import bpy

from ...rig.reading.held_places import place_now
from ...state.placing.place_settings import places_of
from ...state.poll_messages import set_poll_message, settings_problem
from ...state.rig_settings import active_armature
from ..list_remove import ListRemove


def active_bone(context: bpy.types.Context) -> str:
    """Return the active bone of the armature; empty where none is."""
    ob = active_armature(context)
    bone = ob.data.bones.active if ob is not None and ob.type == "ARMATURE" else None
    return bone.name if bone is not None else ""


class RIFF_OT_add_pin(bpy.types.Operator):
    """Pin the active bone at the current frame to the place where it is now"""

    bl_idname = "riff.add_pin"
    bl_label = "Add Pin"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = settings_problem(active_armature(context))
        if not problem and not active_bone(context):
            problem = "Choose a bone in Pose Mode first"
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        ob = active_armature(context)
        places = places_of(ob)
        pin = places.pins.add()
        pin.bone, pin.start = active_bone(context), context.scene.frame_current
        pin.end = pin.start
        pin.place, pin.turn = place_now(ob, pin.bone)
        places.active_pin = len(places.pins) - 1
        return {"FINISHED"}


class RIFF_OT_set_pin(bpy.types.Operator):
    """Set the place of the chosen pin to where its bone is now"""

    bl_idname = "riff.set_pin"
    bl_label = "Set to Current Place"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        problem = settings_problem(ob)
        if not problem:
            places = places_of(ob)
            chosen = places.active_pin < len(places.pins)
            problem = "" if chosen else "Choose a pin from the list"
            if chosen and places.pins[places.active_pin].bone not in ob.pose.bones:
                problem = "The armature lacks the bone of the pin; choose another one"
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        ob = active_armature(context)
        places = places_of(ob)
        pin = places.pins[places.active_pin]
        pin.source = "PLACE"
        pin.place, pin.turn = place_now(ob, pin.bone)
        return {"FINISHED"}


class _OfPlaces(ListRemove):
    """Mixin of operators that remove from the lists of places."""

    @classmethod
    def owner(cls, context: bpy.types.Context) -> Any:
        return places_of(active_armature(context))


class RIFF_OT_remove_pin(_OfPlaces, bpy.types.Operator):
    """Remove the chosen pin; the animation is not changed"""

    bl_idname = "riff.remove_pin"
    bl_label = "Remove Pin"
    rows, active = "pins", "active_pin"
    nothing_chosen = "Choose a pin from the list"


class RIFF_OT_add_waypoint(bpy.types.Operator):
    """Add the other selected objects as waypoints at the current frame, or a new empty at the 3D cursor"""

    bl_idname = "riff.add_waypoint"
    bl_label = "Add Waypoint"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, settings_problem(active_armature(context)))

    def execute(self, context: bpy.types.Context) -> Any:
        ob, scene = active_armature(context), context.scene
        places = places_of(ob)
        chosen = [one for one in context.selected_objects if one.type in ("EMPTY", "CURVE")]
        if not chosen:
            chosen = [bpy.data.objects.new("Waypoint", None)]
            chosen[0].empty_display_type = "ARROWS"
            chosen[0].location = scene.cursor.location
            scene.collection.objects.link(chosen[0])
        for target in chosen:
            point = places.waypoints.add()
            point.target, point.frame = target, scene.frame_current
        places.active_waypoint = len(places.waypoints) - 1
        return {"FINISHED"}


class RIFF_OT_remove_waypoint(_OfPlaces, bpy.types.Operator):
    """Remove the chosen waypoint; its object is kept"""

    bl_idname = "riff.remove_waypoint"
    bl_label = "Remove Waypoint"
    rows, active = "waypoints", "active_waypoint"
    nothing_chosen = "Choose a waypoint from the list"


CLASSES = (RIFF_OT_add_pin, RIFF_OT_set_pin, RIFF_OT_remove_pin, RIFF_OT_add_waypoint, RIFF_OT_remove_waypoint)
