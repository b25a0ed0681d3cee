"""What the Compose box of the panel shows, saved with the scene, and the small operators that fill its lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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

from ..core.model.model_file import load_model
from ..core.motion.body_parts import body_halves, find_parts
from ..core.motion.retarget import guess_bones
from ..rig.reading.read import read_steps
from ..rig.steps import stride
from .compose_run import ENTRY_ITEMS, ROOT_ITEMS, TRAVEL_ITEMS
from .poll import answer, selection_problem
from .rig_settings import regions_of, rig_settings
from .settings import WORDS, chosen_model
from .stepwise import Stepwise
from .train import armature_problem, glance_steps

KIND_ITEMS = [
    ("PARTS", "Body Parts", "New motion for some body parts", "ARMATURE_DATA", 0),
    ("REGIONS", "Regions", "New motion in regions of the timeline", "ARROW_LEFTRIGHT", 1),
    ("KEYS", "Selected Keys", "New motion between poses that stay", "KEYFRAME", 2),
    ("MOMENTS", "Moments", "Moments of the action in a new order", "MARKER", 3),
    ("EXTEND", "Extend", "A longer take", "TRACKING_FORWARDS", 4),
    ("LOOP", "Loop", "A take that can be repeated", "FILE_REFRESH", 5),
    ("STYLE", "Re-style", "Another action in the style of the model", "BRUSH_DATA", 6),
]

GLANCE = 60
"""Frames of an action that are looked at to tell the body parts."""


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
        name="Compose", description="What to make new and what to keep", items=KIND_ITEMS, translation_context=WORDS
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


class RIFF_OT_find_parts(Stepwise, bpy.types.Operator):
    """List the armature's body parts, which Riff tells by the skeleton and the feet"""

    bl_idname = "riff.find_parts"
    bl_label = "Find Body Parts"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = armature_problem(context.object)
        return answer(cls, problem)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        motion = yield from glance_steps(context.object, context.scene, GLANCE)
        self._skeleton = motion.skeleton

    def finished(self, context: bpy.types.Context) -> Any:
        skeleton = self._skeleton
        parts = compose_settings(context).parts
        used = {part.name: part.use for part in parts}
        upper = set(body_halves(skeleton)["Upper Body"])
        parts.clear()
        for found in find_parts(skeleton):
            part = parts.add()
            part.name = found.name
            part.use = used.get(found.name, set(found.joints) <= upper)
        return {"FINISHED"}


class RIFF_OT_add_moment(bpy.types.Operator):
    """Add a moment: the chosen region of interest, at the current frame"""

    bl_idname = "riff.add_moment"
    bl_label = "Add Moment"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = selection_problem(context.object)
        if not problem and not regions_of(context.object, only_used=False):
            problem = "Mark the moment as a region first"
        return answer(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        settings, regions = compose_settings(context), regions_of(context.object, only_used=False)
        chosen = rig_settings(context.object)
        moment = settings.moments.add()
        active = chosen.active_region < len(chosen.regions)
        moment.region = chosen.regions[chosen.active_region].name if active else regions[0].name
        moment.frame = context.scene.frame_current
        settings.active_moment = len(settings.moments) - 1
        return {"FINISHED"}


class RIFF_OT_remove_moment(bpy.types.Operator):
    """Remove the chosen moment; its region stays"""

    bl_idname = "riff.remove_moment"
    bl_label = "Remove Moment"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = compose_settings(context)
        chosen = bool(settings.active_moment < len(settings.moments))
        return answer(cls, "" if chosen else "Choose a moment from the list")

    def execute(self, context: bpy.types.Context) -> Any:
        settings = compose_settings(context)
        settings.moments.remove(settings.active_moment)
        settings.active_moment = max(0, min(settings.active_moment, len(settings.moments) - 1))
        return {"FINISHED"}


class RIFF_OT_guess_bones(Stepwise, bpy.types.Operator):
    """Guess which bone of the other armature does what each bone of the model does; correct the list where it errs"""

    bl_idname = "riff.guess_bones"
    bl_label = "Guess Bones"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = armature_problem(compose_settings(context).armature)
        if chosen_model(context) is None:
            problem = "Choose a model from the list"
        return answer(cls, problem)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        settings = compose_settings(context)
        wanted = load_model(chosen_model(context).path).skeleton
        yield 0.0
        action = settings.content or settings.armature.animation_data.action
        step = stride(action.frame_range[0], action.frame_range[1], GLANCE)
        motion = yield from read_steps(settings.armature, action, scene=context.scene, step=step)
        yield 1.0
        guessed = guess_bones(wanted, motion.skeleton)
        self._pairs = [(name, guessed.get(name, "")) for name in wanted.names]

    def finished(self, context: bpy.types.Context) -> Any:
        bones = compose_settings(context).bones
        bones.clear()
        for name, other in self._pairs:
            pair = bones.add()
            pair.name, pair.other = name, other
        self.report({"INFO"}, f"Found {sum(bool(other) for _, other in self._pairs)} of {len(self._pairs)} bones")
        return {"FINISHED"}


CLASSES = (
    RiffPart,
    RiffMoment,
    RiffBonePair,
    RiffCompose,
    RIFF_OT_find_parts,
    RIFF_OT_add_moment,
    RIFF_OT_remove_moment,
    RIFF_OT_guess_bones,
)


def register() -> None:
    bpy.types.Scene.riff_compose = PointerProperty(type=RiffCompose)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Scene.riff_compose  # type: ignore[attr-defined]
