"""Settings of the Compose panel, saved with the scene."""

from __future__ import annotations

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..rig.compat import MAX_FRAME
from .settings import WORD_CONTEXT
from .shown.automatic import automatic

KIND_ITEMS = [
    ("PARTS", "Body Parts", "New motion for some body parts", "ARMATURE_DATA", 0),
    ("REGIONS", "Regions", "New motion in regions of the timeline", "ARROW_LEFTRIGHT", 1),
    ("KEYS", "Selected Keys", "New motion between kept poses", "KEYFRAME", 2),
    ("MOMENTS", "Moments", "Moments of the action in a new order", "MARKER", 3),
    ("EXTEND", "Extend", "A longer take", "TRACKING_FORWARDS", 4),
    ("LOOP", "Loop", "A take that can be repeated", "FILE_REFRESH", 5),
    ("PLACES", "Pins and Waypoints", "New motion that is at places in time", "PINNED", 7),
    ("STYLE", "Re-style", "Another action in the style of the model", "BRUSH_DATA", 6),
]

ENTRY_ITEMS = [
    ("1", "From the Start", "Kept motion guides the whole course of the new motion"),
    ("2", "Early", "Kept motion guides the course and all details; right for most takes"),
    ("3", "Late", "Kept motion guides the details, while the course is free"),
    ("4", "At the End", "Kept motion guides only the finest details; transitions are less smooth"),
]

ROOT_ITEMS = [
    ("FREE", "Free", "The root follows the new motion"),
    ("SOURCE", "Keep Path", "The root keeps its path from the action"),
    ("CURVE", "Follow Curve", "The root follows a curve object"),
]

TRAVEL_ITEMS = [
    ("AUTO", "Automatic", "Return to the start if there is time, otherwise travel on"),
    ("RETURN", "Return", "The last frame is at the position of the first"),
    ("TRAVEL", "Travel", "Each repetition continues from the end of the last"),
]


NOT_REMEMBERED = {"SKIP_SAVE"}
"""Options of properties with which an operator starts at their defaults each time: scripts get only what they ask for.

The properties of a scene are saved with its file all the same.
"""


class TakeChoices:
    """Settings of every composition, shared by the panel and the operators."""

    count: IntProperty(
        name="Count", description="Number of alternatives to make", default=1, min=1, max=100, options=NOT_REMEMBERED
    )
    seed: IntProperty(
        name="Seed",
        description="The same model, seed and choices always give the same result",
        default=1,
        min=0,
        options=NOT_REMEMBERED,
    )
    entry: EnumProperty(
        name="Guidance",
        description="How early the kept motion starts to guide the new motion",
        items=ENTRY_ITEMS,
        default="2",
        options=NOT_REMEMBERED,
    )
    root: EnumProperty(
        name="Root Path",
        description="Path of the root where it is not kept",
        items=ROOT_ITEMS,
        default="FREE",
        options=NOT_REMEMBERED,
    )
    use_places: BoolProperty(
        name="Pins and Waypoints",
        description="Hold the armature's pins and lead the root through its waypoints",
        default=False,
        options=NOT_REMEMBERED,
    )


class MaskChoices:
    """Settings of body parts, regions and keys."""

    use_parts: BoolProperty(
        name="Body Parts Only",
        description="Make new motion for some body parts only",
        default=False,
        options=NOT_REMEMBERED,
    )
    collection: StringProperty(
        name="Collection", description="Bone collection that gets new motion", options=NOT_REMEMBERED
    )
    mirror: BoolProperty(
        name="Mirror", description="Use the bones on the other side instead", default=False, options=NOT_REMEMBERED
    )
    use_regions: BoolProperty(
        name="In Regions Only",
        description="Make new motion only in regions of the timeline",
        default=False,
        options=NOT_REMEMBERED,
    )
    use_keys: BoolProperty(
        name="Keep Selected Keys",
        description="Keep the poses of selected keyframes",
        default=False,
        options=NOT_REMEMBERED,
    )
    firmness: FloatProperty(
        name="Pose Strength",
        description="How closely the poses of the keys are kept",
        default=1.0,
        min=0.01,
        max=1.0,
        subtype="FACTOR",
        options=NOT_REMEMBERED,
    )


class LengthChoices:
    """Setting of the length of a take."""

    length: IntProperty(
        name="Length",
        description="Length of the take in frames; 0 for the length of the action and the frames added",
        default=0,
        min=0,
        max=100_000,
        options=NOT_REMEMBERED,
    )


class ExtendChoices:
    """Settings of an extension."""

    before: IntProperty(
        name="Before", description="Frames to add at the start", default=0, min=0, max=100_000, options=NOT_REMEMBERED
    )
    after: IntProperty(
        name="After", description="Frames to add at the end", default=90, min=0, max=100_000, options=NOT_REMEMBERED
    )
    fit_range: BoolProperty(
        name="Extend Scene Range",
        description="Move the first and last frame of the scene outwards, so that the whole take plays",
        default=False,
        options=NOT_REMEMBERED,
    )


class LoopChoices:
    """Settings of a loop."""

    transition: IntProperty(
        name="Transition",
        description="Number of new frames at the end that lead back to the first; 0 for all",
        default=30,
        min=0,
        max=10_000,
        options=NOT_REMEMBERED,
    )
    travel: EnumProperty(
        name="Travel",
        description="Position at the end of each repetition",
        items=TRAVEL_ITEMS,
        default="AUTO",
        options=NOT_REMEMBERED,
    )


class StyleChoices:
    """Setting of the strength of a style."""

    style: FloatProperty(
        name="Style",
        description="Strength of the model's style; 0 keeps the action, 1 is the full style",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options=NOT_REMEMBERED,
    )


class RiffPart(bpy.types.PropertyGroup):
    """A body part, by `name`."""

    use: BoolProperty(name="Vary", description="Make new motion for this body part")


class RiffMoment(bpy.types.PropertyGroup):
    """A region of interest placed at a frame of the new take."""

    region: StringProperty(name="Region", description="Region of interest to place")
    frame: IntProperty(
        name="Frame",
        description="Frame of the new take at which the moment begins",
        default=1,
        min=-MAX_FRAME,
        max=MAX_FRAME,
    )


class RiffBonePair(bpy.types.PropertyGroup):
    """A bone of the model, by `name`, and its counterpart in the other rig."""

    other: StringProperty(name="Bone", description="Bone of the other rig; empty if there is none")


def _is_curve(_owner: object, ob: bpy.types.Object) -> bool:
    return ob.type in ("CURVE", "CURVES")


def _is_armature(_owner: object, ob: bpy.types.Object) -> bool:
    return ob.type == "ARMATURE"


class RiffCompose(
    TakeChoices, MaskChoices, LengthChoices, ExtendChoices, LoopChoices, StyleChoices, bpy.types.PropertyGroup
):
    """Settings of the Compose panel."""

    kind: EnumProperty(
        name="Compose",
        description="Which motion is new and which is kept",
        items=KIND_ITEMS,
        translation_context=WORD_CONTEXT,
    )
    count: IntProperty(name="Count", description="Number of alternatives to make", default=3, min=1, max=100)
    fit_range: BoolProperty(
        name="Extend Scene Range",
        description="Move the first and last frame of the scene outwards, so that the whole take plays",
        default=True,
    )
    auto_length: automatic("length", 250)
    curve: PointerProperty(
        name="Curve", description="Curve that the root follows", type=bpy.types.Object, poll=_is_curve
    )
    which: EnumProperty(
        name="Vary",
        description="Which bones get new motion",
        items=[
            ("UPPER", "Upper Body", "All but root, legs and tail"),
            ("LOWER", "Lower Body", "Root, legs and tail"),
            ("CHOSEN", "Chosen Parts", "The body parts enabled in the list"),
            ("SELECTED", "Selected Bones", "The bones selected in Pose Mode"),
            ("COLLECTION", "Bone Collection", "The bones of a bone collection"),
        ],
    )
    parts: CollectionProperty(type=RiffPart)
    active_part: IntProperty(name="Part", description="Body part", min=0)
    moments: CollectionProperty(type=RiffMoment)
    active_moment: IntProperty(name="Moment", description="Moment to place", min=0)
    content: PointerProperty(name="Action", description="Action to re-style", type=bpy.types.Action)
    armature: PointerProperty(
        name="Armature",
        description="Armature that the action belongs to; empty for the active one",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    bones: CollectionProperty(type=RiffBonePair)
    active_bone: IntProperty(name="Bone", description="Pair of bones", min=0)


def compose_settings(context: bpy.types.Context) -> RiffCompose:
    return context.scene.riff_compose  # type: ignore[attr-defined, no-any-return]


CLASSES = (RiffPart, RiffMoment, RiffBonePair, RiffCompose)


def register() -> None:
    bpy.types.Scene.riff_compose = PointerProperty(type=RiffCompose)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Scene.riff_compose  # type: ignore[attr-defined]
