"""Settings of the box Compose, saved with the scene."""

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

from .settings import WORD_CONTEXT

KIND_ITEMS = [
    ("PARTS", "Body Parts", "New motion for some body parts", "ARMATURE_DATA", 0),
    ("REGIONS", "Regions", "New motion in regions of the timeline", "ARROW_LEFTRIGHT", 1),
    ("KEYS", "Selected Keys", "New motion between poses that stay", "KEYFRAME", 2),
    ("MOMENTS", "Moments", "Moments of the action in a new order", "MARKER", 3),
    ("EXTEND", "Extend", "A longer take", "TRACKING_FORWARDS", 4),
    ("LOOP", "Loop", "A take that can be repeated", "FILE_REFRESH", 5),
    ("STYLE", "Re-style", "Another action in the style of the model", "BRUSH_DATA", 6),
]


class RiffPart(bpy.types.PropertyGroup):
    """A body part by its `name`."""

    use: BoolProperty(name="Vary", description="Make new motion for this body part")


class RiffMoment(bpy.types.PropertyGroup):
    """A region of interest that is played at a frame of the new take."""

    region: StringProperty(name="Region", description="Region of interest to play")
    frame: IntProperty(name="Frame", description="Frame of the new take at which it begins", default=1)


class RiffBonePair(bpy.types.PropertyGroup):
    """A bone of the model by its `name`, and the bone of the other rig that does the same."""

    other: StringProperty(name="Bone", description="Bone of the other rig; empty where it has none")


def _is_curve(_owner: object, ob: bpy.types.Object) -> bool:
    return ob.type in ("CURVE", "CURVES")


def _is_armature(_owner: object, ob: bpy.types.Object) -> bool:
    return ob.type == "ARMATURE"


class RiffCompose(bpy.types.PropertyGroup):
    """Settings of the Compose box."""

    kind: EnumProperty(
        name="Compose",
        description="What to make new and what to keep",
        items=KIND_ITEMS,
        translation_context=WORD_CONTEXT,
    )
    count: IntProperty(name="Count", description="How many alternatives to make", default=3, min=1, max=100)
    seed: IntProperty(
        name="Seed", description="The same model, seed and choices always give the same result", default=1, min=0
    )
    entry: EnumProperty(
        name="Entry Level", description="How early in the making what is kept enters", items=ENTRY_ITEMS, default="2"
    )
    root: EnumProperty(
        name="Root Path", description="Where the root goes where it is not kept", items=ROOT_ITEMS, default="FREE"
    )
    curve: PointerProperty(
        name="Curve", description="Curve that the root follows", type=bpy.types.Object, poll=_is_curve
    )
    which: EnumProperty(
        name="Vary",
        description="Which bones get new motion",
        items=[
            ("UPPER", "Upper Body", "All but root, legs and tail"),
            ("LOWER", "Lower Body", "Root, legs and tail"),
            ("CHOSEN", "Chosen Parts", "The body parts that are switched on in the list"),
            ("SELECTED", "Selected Bones", "The bones that are selected in Pose Mode"),
            ("COLLECTION", "Bone Collection", "The bones of a bone collection"),
        ],
    )
    parts: CollectionProperty(type=RiffPart)
    active_part: IntProperty(name="Part", description="Body part")
    collection: StringProperty(name="Collection", description="Bone collection that gets new motion")
    mirror: BoolProperty(name="Mirror", description="Take the same bones of the other side instead")
    use_parts: BoolProperty(name="Body Parts Only", description="Vary the body parts chosen under Body Parts only")
    use_regions: BoolProperty(name="In Regions Only", description="Make new motion in the armature's regions only")
    use_keys: BoolProperty(name="Keep Selected Keys", description="Keep the poses of selected keyframes, too")
    firmness: FloatProperty(
        name="Firmness",
        description="How exactly the poses of the keys are kept",
        default=1.0,
        min=0.01,
        max=1.0,
        subtype="FACTOR",
    )
    moments: CollectionProperty(type=RiffMoment)
    active_moment: IntProperty(name="Moment", description="Moment to place")
    length: IntProperty(
        name="Length",
        description="How many frames the take lasts; 0 for as many as the action",
        default=0,
        min=0,
        max=100_000,
    )
    before: IntProperty(name="Before", description="Frames to add at the start", default=0, min=0, max=100_000)
    after: IntProperty(name="After", description="Frames to add at the end", default=90, min=0, max=100_000)
    transition: IntProperty(
        name="Transition",
        description="How many frames at the end are new and lead back to the first; 0 for all",
        default=30,
        min=0,
        max=10_000,
    )
    travel: EnumProperty(name="Travel", description="Where a round ends", items=TRAVEL_ITEMS, default="AUTO")
    content: PointerProperty(name="Action", description="Action to re-style", type=bpy.types.Action)
    armature: PointerProperty(
        name="Armature",
        description="Armature that the action belongs to; empty for the active one",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    style: FloatProperty(
        name="Style",
        description="From the action as it is, 0, to the model's style, 1",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    bones: CollectionProperty(type=RiffBonePair)
    active_bone: IntProperty(name="Bone", description="Pair of bones")


def compose_settings(context: bpy.types.Context) -> RiffCompose:
    return context.scene.riff_compose  # type: ignore[attr-defined, no-any-return]


CLASSES = (RiffPart, RiffMoment, RiffBonePair, RiffCompose)


def register() -> None:
    bpy.types.Scene.riff_compose = PointerProperty(type=RiffCompose)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Scene.riff_compose  # type: ignore[attr-defined]


ENTRY_ITEMS = [
    ("1", "Level 1", "What is kept is there from the first strokes on"),
    ("2", "Level 2", "The paper's choice: new motion is sketched freely, then drawn to what is kept"),
    ("3", "Level 3", "What is kept enters late"),
    ("4", "Level 4", "What is kept enters at the last moment; joins are less smooth"),
]


ROOT_ITEMS = [
    ("FREE", "Free", "The root goes where the new motion takes it"),
    ("SOURCE", "Keep Path", "The root keeps the path that it has in the action"),
    ("CURVE", "Follow Curve", "The root walks along a curve object"),
]


TRAVEL_ITEMS = [
    ("AUTO", "Automatic", "Come back to the start where there is time for it, else go on travelling"),
    ("RETURN", "Return", "The last frame is in the place of the first"),
    ("TRAVEL", "Travel", "Each round goes on from where the last one ended"),
]
