"""Pins and waypoints of an armature, saved with it, and how they are read into a direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ...core.errors import ClipError
from ...rig.compat import MAX_FRAME
from ...rig.reading.held_places import (
    MAX_HELD_FRAMES,
    heading_of,
    places_of_bone,
    places_of_object,
    timed_places,
    turns_from_rest,
)
from ..rig_settings import keep_order

SOURCE_ITEMS = [
    ("PLACE", "Here", "The place where the bone was when the pin was set", "PINNED", 0),
    ("OBJECT", "Object", "The place of an object, such as an empty; a moving one is followed", "EMPTY_AXIS", 1),
    ("BONE", "Bone", "The place of a bone of another armature, as it moves there", "BONE_DATA", 2),
]


def _is_armature(_owner: object, ob: bpy.types.Object) -> bool:
    return ob.type == "ARMATURE"


class RiffPin(bpy.types.PropertyGroup):
    """A bone at a place from frame `start` to frame `end`, both included."""

    use: BoolProperty(name="Use", description="Hold this pin in new takes", default=True)
    bone: StringProperty(name="Bone", description="Bone that is held")
    start: IntProperty(
        name="Start", description="First frame of the pin", min=-MAX_FRAME, max=MAX_FRAME, update=keep_order
    )
    end: IntProperty(name="End", description="Last frame of the pin", min=-MAX_FRAME, max=MAX_FRAME, update=keep_order)
    source: EnumProperty(name="Place", description="Source of the place", items=SOURCE_ITEMS)
    place: FloatVectorProperty(
        name="Place", description="Place of the bone's head in the world", subtype="TRANSLATION", unit="LENGTH"
    )
    turn: FloatVectorProperty(size=4, default=(1.0, 0.0, 0.0, 0.0), options={"HIDDEN"})
    use_turn: BoolProperty(
        name="Direction", description="Hold the direction of the bone too, not only its place", default=False
    )
    target: PointerProperty(name="Object", description="Object that the bone is held at", type=bpy.types.Object)
    armature: PointerProperty(
        name="Armature", description="Armature with the other bone", type=bpy.types.Object, poll=_is_armature
    )
    other: StringProperty(name="Other Bone", description="Bone of the other armature that the bone is held at")


class RiffWaypoint(bpy.types.PropertyGroup):
    """A place of the root on the ground at a frame, or a curve whose evaluation time is keyed."""

    use: BoolProperty(name="Use", description="Lead new takes through this waypoint", default=True)
    target: PointerProperty(
        name="Object",
        description="Object at whose place the root is then; a curve has its own timing, its keyed evaluation time",
        type=bpy.types.Object,
    )
    frame: IntProperty(name="Frame", description="Frame of the waypoint", min=-MAX_FRAME, max=MAX_FRAME)
    use_heading: BoolProperty(
        name="Heading",
        description="Turn the body as the object is turned about the vertical, from the rest pose",
        default=False,
    )


class RiffPlaces(bpy.types.PropertyGroup):
    """Pins and waypoints of an armature object, as its property `riff_places`."""

    pins: CollectionProperty(type=RiffPin)
    active_pin: IntProperty(name="Pin", description="Pin of a bone", min=0)
    waypoints: CollectionProperty(type=RiffWaypoint)
    active_waypoint: IntProperty(name="Waypoint", description="Waypoint of the root", min=0)


def places_of(armature_object: bpy.types.Object) -> RiffPlaces:
    return armature_object.riff_places  # type: ignore[attr-defined, no-any-return]


def read_pins(armature_object: bpy.types.Object, scene: bpy.types.Scene) -> Iterator[Any]:
    """Read one after the other the pins in use, as `Direction.pins` has them. Raises ClipError."""
    for pin in places_of(armature_object).pins:
        if not pin.use:
            continue
        subject = f"The pin of “{pin.bone}” at frame {pin.start}"
        if not pin.bone:
            raise ClipError(f"The pin at frame {pin.start} has no bone; choose one.")
        if pin.end - pin.start >= MAX_HELD_FRAMES:
            raise ClipError(f"{subject} lasts more than {MAX_HELD_FRAMES:,} frames; make it shorter.")
        frames = range(pin.start, pin.end + 1)
        turns: Any = ()
        if pin.source == "PLACE":
            places: Any = (tuple(pin.place),)
            turns = (tuple(pin.turn),) if pin.use_turn else ()
        else:
            target = pin.target if pin.source == "OBJECT" else pin.armature
            if target is None:
                raise ClipError(f"{subject} has no object to be held at; choose one.")
            if target == armature_object:
                raise ClipError(f"{subject} is held at its own armature; choose another object.")
            if pin.source == "OBJECT":
                places, matrices = places_of_object(target, frames, scene)
            else:
                places, matrices = places_of_bone(target, pin.other, frames, scene)
            turns = turns_from_rest(matrices, armature_object, pin.bone) if pin.use_turn else ()
        yield (pin.bone, pin.start, pin.end, places, turns)


def read_waypoints(armature_object: bpy.types.Object, scene: bpy.types.Scene) -> Iterator[Any]:
    """Read one after the other the waypoints in use, as `Direction.waypoints` has them. Raises ClipError."""
    for point in places_of(armature_object).waypoints:
        if not point.use:
            continue
        if point.target is None:
            raise ClipError(f"The waypoint at frame {point.frame} has no object; choose one.")
        if point.target.type == "CURVE":
            for frame, place in timed_places(point.target, scene):
                yield (frame, place, None)
            continue
        places, matrices = places_of_object(point.target, (point.frame,), scene)
        yield (point.frame, places[0][:2], heading_of(matrices[0]) if point.use_heading else None)


CLASSES = (RiffPin, RiffWaypoint, RiffPlaces)


def register() -> None:
    bpy.types.Object.riff_places = PointerProperty(type=RiffPlaces)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Object.riff_places  # type: ignore[attr-defined]
