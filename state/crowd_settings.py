"""Settings of a crowd: properties of the panel, and the same of the operator."""

from __future__ import annotations

import math
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from .settings import WORD_CONTEXT

KIND_ITEMS = [
    ("GRID", "Grid", "Rows about the 3D cursor"),
    ("SURFACE", "Scatter on Surface", "Random places on an object's faces; paths stay on them"),
    ("CURVE", "Along Curve", "Evenly along a curve"),
    ("POINTS", "Points of Object", "On the points of an object"),
    ("EMPTIES", "Selected Empties", "On the empties selected together with the armature"),
]
LOOKS_ITEMS = [
    ("RANDOM", "Random", "In any direction"),
    ("SAME", "As the Character", "In the direction of the character in its own action"),
    ("TARGET", "At Object", "Towards an object"),
    ("ALONG", "Along", "Along the curve, or in the direction of the empty"),
]


class CrowdChoices:
    """Settings shared by panel and operator, by name."""

    count: IntProperty(
        name="Count", description="Number of members to make", default=50, min=1, max=5000, soft_max=1000
    )
    kind: EnumProperty(name="Placement", description="Placement of the members", items=KIND_ITEMS, default="GRID")
    ground: StringProperty(name="Object", description="Name of the object that members stand on")
    distance: FloatProperty(
        name="Distance",
        description="Smallest distance between two roots at any frame; 0 to use the size of the body",
        default=0.0,
        min=0.0,
        subtype="DISTANCE",
    )
    spacing: FloatProperty(
        name="Spacing",
        description="Distance between the places of the grid; 0 to use the extent of the motion",
        default=0.0,
        min=0.0,
        subtype="DISTANCE",
    )
    centred: BoolProperty(
        name="Centre Paths", description="Center each path on its place instead of starting there", default=True
    )
    looks: EnumProperty(
        name="Looking", description="Direction in which members look", items=LOOKS_ITEMS, default="RANDOM"
    )
    target: StringProperty(name="Target", description="Name of the object that members face")
    spread: FloatProperty(
        name="Turn",
        description="Largest random rotation of members, in either direction",
        default=math.radians(20.0),
        min=0.0,
        max=math.pi,
        subtype="ANGLE",
    )
    uneven: FloatProperty(
        name="Size Variation",
        description="Largest random difference in size",
        default=0.0,
        min=0.0,
        max=0.5,
        subtype="FACTOR",
    )
    frames: IntProperty(
        name="Frames",
        description="Length of the members' motions or loops in frames",
        default=250,
        min=30,
        max=100_000,
        soft_max=2000,
    )
    phase: IntProperty(
        name="Phase",
        description="Largest random offset, in frames, at which a member's motion starts",
        default=0,
        min=0,
        max=10_000,
        soft_max=250,
    )
    loop: BoolProperty(
        name="Loops", description="Short motions that repeat endlessly, each starting at a random frame", default=False
    )
    seed: IntProperty(
        name="Seed", description="The same model, seed and settings always give the same crowd", default=1, min=0
    )
    pool: FloatProperty(
        name="Candidates",
        description="Motions to generate for each member; the most different ones are used",
        default=4.0,
        min=1.0,
        max=20.0,
        soft_max=8.0,
    )
    light: BoolProperty(
        name="Light",
        description="For large crowds: a quarter of the keys, and none for bones that hardly move",
        default=False,
        translation_context=WORD_CONTEXT,
    )
    nla: BoolProperty(
        name="As NLA Strips", description="Put each member's action on an NLA track of its own", default=False
    )


def fill(operator: Any, settings: Any) -> None:
    """Copy the panel's settings to the operator, which keeps them for the redo panel."""
    for name in CrowdChoices.__annotations__:
        setattr(operator, name, getattr(settings, name))


class RiffCrowdSettings(CrowdChoices, bpy.types.PropertyGroup):
    """Settings of the Crowd panel, saved with the scene."""

    more: IntProperty(name="More", description="Number of members to add", default=10, min=1, max=1000)
    keep: FloatProperty(
        name="Keep",
        description="Fraction of the members to keep when thinning out",
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
