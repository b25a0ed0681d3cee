"""What a crowd is asked for: settings of the panel, and the same as properties of the operator."""

from __future__ import annotations

import math
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from .settings import WORD_CONTEXT

KIND_ITEMS = [
    ("GRID", "Grid", "Rows about the 3D cursor"),
    ("SURFACE", "Scatter on Surface", "Random places on an object's faces; paths do not leave them"),
    ("CURVE", "Along Curve", "Evenly along a curve"),
    ("POINTS", "Points of Object", "On the points of an object"),
    ("EMPTIES", "Selected Empties", "On the empties that are selected beside the armature"),
]
LOOKS_ITEMS = [
    ("RANDOM", "Random", "Anywhere"),
    ("SAME", "As the Character", "The way the character looks in its own action"),
    ("TARGET", "At Object", "Towards an object"),
    ("ALONG", "Along", "Along the curve, or the way the empty points"),
]


class CrowdChoices:
    """Settings that panel and operator share by name."""

    count: IntProperty(name="Count", description="How many members to make", default=50, min=1, max=5000, soft_max=1000)
    kind: EnumProperty(name="Placement", description="Where members stand", items=KIND_ITEMS, default="GRID")
    ground: StringProperty(name="Object", description="Name of the object that members stand on")
    distance: FloatProperty(
        name="Distance",
        description="How near two roots may come at any time; 0 for as much as bodies of this kind need",
        default=0.0,
        min=0.0,
        subtype="DISTANCE",
    )
    spacing: FloatProperty(
        name="Spacing",
        description="From one place of the grid to the next; 0 for what the motion needs",
        default=0.0,
        min=0.0,
        subtype="DISTANCE",
    )
    centred: BoolProperty(
        name="Centre Paths", description="Put the middle of each path on its place, not its start", default=True
    )
    looks: EnumProperty(name="Looking", description="Where members look", items=LOOKS_ITEMS, default="RANDOM")
    target: StringProperty(name="Target", description="Name of the object that members face")
    spread: FloatProperty(
        name="Turn",
        description="How much members are turned at random, either way",
        default=math.radians(20.0),
        min=0.0,
        max=math.pi,
        subtype="ANGLE",
    )
    uneven: FloatProperty(
        name="Size Variation",
        description="How much larger or smaller members are at random",
        default=0.0,
        min=0.0,
        max=0.5,
        subtype="FACTOR",
    )
    frames: IntProperty(
        name="Frames",
        description="How many frames members move for, or the length of their loops",
        default=250,
        min=30,
        max=100_000,
        soft_max=2000,
    )
    phase: IntProperty(
        name="Phase",
        description="Up to so many frames of its motion are over when a member is first seen",
        default=0,
        min=0,
        max=10_000,
        soft_max=250,
    )
    loop: BoolProperty(
        name="Loops", description="Short motions that repeat without end, each begun at a random frame", default=False
    )
    seed: IntProperty(
        name="Seed", description="The same model, seed and settings always give the same crowd", default=1, min=0
    )
    pool: FloatProperty(
        name="Candidates",
        description="Motions of which the most different are taken, for each member",
        default=4.0,
        min=1.0,
        max=20.0,
        soft_max=8.0,
    )
    light: BoolProperty(
        name="Light",
        description="A quarter of the keys, and none for bones that hardly move: for large crowds",
        default=False,
        translation_context=WORD_CONTEXT,
    )
    nla: BoolProperty(
        name="As NLA Strips", description="Put each member's action on an NLA track of its own", default=False
    )


def fill(operator: Any, settings: Any) -> None:
    """Hand the panel's settings over to the operator, which keeps them for the redo panel."""
    for name in CrowdChoices.__annotations__:
        setattr(operator, name, getattr(settings, name))


class RiffCrowdSettings(CrowdChoices, bpy.types.PropertyGroup):
    """Settings of the box Crowd, saved with the scene."""

    more: IntProperty(name="More", description="How many members to add", default=10, min=1, max=1000)
    keep: FloatProperty(
        name="Keep",
        description="Share of the members that stay when thinning out",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )


CLASSES = (RiffCrowdSettings,)


def register() -> None:
    bpy.types.Scene.riff_crowd = PointerProperty(type=RiffCrowdSettings)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Scene.riff_crowd  # type: ignore[attr-defined]
