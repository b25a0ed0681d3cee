"""The driver of an armature and the pairs of their bones, saved with the armature."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
from bpy.props import CollectionProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from ...core.driving.drive import MOST_SCALE, VARIATION
from ..compose_settings import NOT_REMEMBERED


class DriveChoices:
    """Settings of a take that another body drives, shared by the panel and the operator."""

    count: IntProperty(
        name="Count", description="Number of alternatives to make", default=1, min=1, max=100, options=NOT_REMEMBERED
    )
    length: IntProperty(
        name="Length",
        description="Length of the take in frames; a cycle of the driver is repeated. 0 for as long as the driver",
        default=0,
        min=0,
        max=100_000,
        options=NOT_REMEMBERED,
    )
    variation: FloatProperty(
        name="Variation",
        description="How far poses depart from the learned action; 0 takes them from it alone",
        default=VARIATION,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options=NOT_REMEMBERED,
    )
    scale: FloatProperty(
        name="Course Scale",
        description="Size of the driver's course, 1 by the length of the legs; 0 keeps it to what the action steps",
        default=0.0,
        min=0.0,
        soft_max=2.0,
        max=MOST_SCALE,
        options=NOT_REMEMBERED,
    )


class RiffDrivenPair(bpy.types.PropertyGroup):
    """A bone of the armature, by `name`, and one of the driver."""

    name: StringProperty(name="Bone", description="Bone of this armature")
    other: StringProperty(name="Bone", description="Bone of the driver that it follows")


def _is_armature(_owner: object, ob: bpy.types.Object) -> bool:
    return ob.type == "ARMATURE"


class RiffDriving(DriveChoices, bpy.types.PropertyGroup):
    """The driver of an armature object, as its property `riff_driving`."""

    driver: PointerProperty(
        name="Driver",
        description="Armature of another body, whose timing and course the take follows",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    action: PointerProperty(
        name="Action", description="Action of the driver; empty for its active one", type=bpy.types.Action
    )
    pairs: CollectionProperty(type=RiffDrivenPair)
    active_pair: IntProperty(name="Pair", description="Pair of bones", min=0)


def driving_of(armature_object: bpy.types.Object) -> RiffDriving:
    return armature_object.riff_driving  # type: ignore[attr-defined, no-any-return]


def set_pairs(armature_object: bpy.types.Object, pairs: Iterable[tuple[str, str]]) -> None:
    """Put pairs of bones into an armature's list in place of those that it had."""
    rows = driving_of(armature_object).pairs
    rows.clear()
    for name, other in pairs:
        row = rows.add()
        row.name, row.other = name, other


CLASSES = (RiffDrivenPair, RiffDriving)


def register() -> None:
    bpy.types.Object.riff_driving = PointerProperty(type=RiffDriving)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Object.riff_driving  # type: ignore[attr-defined]
