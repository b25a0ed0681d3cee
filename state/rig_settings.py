"""The active armature, and settings saved with one: regions of interest, corrections to what Riff learns."""

from __future__ import annotations

import uuid
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..core.directing.timed_clips import VARIATION
from ..rig.compat import MAX_FRAME
from ..rig.ghosts.ghosts import character_behind
from ..rig.parents import object_and_above
from ..rig.reading.read import ReadOptions

REGION_COLOURS = (
    (0.90, 0.49, 0.13),
    (0.20, 0.60, 0.86),
    (0.30, 0.69, 0.31),
    (0.61, 0.35, 0.71),
    (0.95, 0.77, 0.06),
    (0.10, 0.74, 0.61),
)
"""Colours of regions, used in turn."""


def _redraw_timelines(_owner: object, _context: bpy.types.Context) -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"DOPESHEET_EDITOR", "VIEW_3D"}:
                area.tag_redraw()


def keep_order(region: Any, context: bpy.types.Context) -> None:
    """Move the end along with a start that is moved behind it."""
    if region.end < region.start:
        region.end = region.start
    _redraw_timelines(region, context)


class RiffRegion(bpy.types.PropertyGroup):
    """A region of interest on the armature's timeline: frames `start` to `end`, both included."""

    name: StringProperty(name="Name", description="Name of the region", update=_redraw_timelines)
    start: IntProperty(
        name="Start", description="First frame of the region", min=-MAX_FRAME, max=MAX_FRAME, update=keep_order
    )
    end: IntProperty(
        name="End", description="Last frame of the region", min=-MAX_FRAME, max=MAX_FRAME, update=keep_order
    )
    color: FloatVectorProperty(
        name="Color",
        description="Color of the region's strip in the timeline and the dope sheet",
        subtype="COLOR",
        min=0.0,
        max=1.0,
        default=REGION_COLOURS[0],
        update=_redraw_timelines,
    )
    use: BoolProperty(
        name="Use",
        description="Use this region in operators that work on regions",
        default=True,
        update=_redraw_timelines,
    )


class RiffClipSpan(bpy.types.PropertyGroup):
    """Frames `start` to `end`, both included, in which an action of the armature plays."""

    action: StringProperty(name="Action", description="Action that plays in the span", update=_redraw_timelines)
    start: IntProperty(
        name="Start", description="First frame of the span", min=-MAX_FRAME, max=MAX_FRAME, update=keep_order
    )
    end: IntProperty(name="End", description="Last frame of the span", min=-MAX_FRAME, max=MAX_FRAME, update=keep_order)
    speed: FloatProperty(
        name="Speed", description="Speed of the action in the span; 1 is its own", default=1.0, min=0.25, max=4.0
    )
    color: FloatVectorProperty(
        name="Color",
        description="Color of the span's strip in the timeline and the dope sheet",
        subtype="COLOR",
        min=0.0,
        max=1.0,
        default=REGION_COLOURS[0],
        update=_redraw_timelines,
    )


class SpanChoices:
    """Settings of takes made of spans, shared by the panel and the operator."""

    variation: FloatProperty(
        name="Variation",
        description="Strength of variation in the spans; 0 keeps to the actions",
        default=VARIATION,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options={"SKIP_SAVE"},
    )
    played_by: EnumProperty(
        name="Played By",
        description="Model that plays the actions in the spans",
        items=[
            ("AUTO", "Automatic", "The chosen model if it was trained on all of the actions, else instant models"),
            ("MODEL", "Chosen Model", "The model chosen in the panel, which was trained on all of the actions"),
            ("INSTANT", "Instant Models", "A model of each action, made at once from what it is now"),
        ],
        default="AUTO",
        options={"SKIP_SAVE"},
    )


class RiffSpans(SpanChoices, bpy.types.PropertyGroup):
    """Settings of takes made of the spans of an armature."""


class RiffFoot(bpy.types.PropertyGroup):
    """A bone that touches the ground, by `name`."""


class RiffClosedHint(bpy.types.PropertyGroup):
    """A hint that the user closed: the action's `name`, and the kind of the hint."""

    kind: StringProperty()


class RiffRun(bpy.types.PropertyGroup):
    """An entry of the history: what was generated, as JSON in `order`, and how the list shows it."""

    number: IntProperty()
    label: StringProperty()
    titles: StringProperty()
    model: StringProperty()
    source: StringProperty()
    seed: StringProperty()
    order: StringProperty()


def _look_again(_owner: object, _context: bpy.types.Context) -> None:
    """Redraw the panel, which then requests a new summary: it depends on these settings."""
    _redraw_timelines(_owner, _context)


class RiffControl(bpy.types.PropertyGroup):
    """A bone that Riff would learn, by `name`, with the user's corrections."""

    learn: BoolProperty(
        name="Learn",
        description="Vary this bone; a bone that is left out keeps its first key",
        default=True,
        update=_look_again,
    )
    partner: StringProperty(name="Other Side", description="Bone on the other side of the body", update=_look_again)
    part: StringProperty(name="Body Part", description="Body part that the bone belongs to", update=_look_again)
    found_partner: StringProperty(name="", options={"HIDDEN"})
    found_part: StringProperty(name="", options={"HIDDEN"})


class RiffArmature(bpy.types.PropertyGroup):
    """Settings of an armature object, as its property `riff`."""

    regions: CollectionProperty(type=RiffRegion)
    active_region: IntProperty(name="Region", description="Region of interest", min=0, update=_redraw_timelines)
    spans: CollectionProperty(type=RiffClipSpan)
    active_span: IntProperty(name="Span", description="Span in which an action plays", min=0, update=_redraw_timelines)
    span_choices: PointerProperty(
        name="Takes of Spans", description="How variations of clips in time are made", type=RiffSpans
    )
    root: StringProperty(name="Root", description="Bone that carries the body; empty to let Riff find it")
    own_feet: BoolProperty(
        name="Choose Feet",
        description="Choose the bones that touch the ground instead of letting Riff find them",
        default=False,
    )
    feet: CollectionProperty(type=RiffFoot)
    active_foot: IntProperty(name="Foot", description="Bone that touches the ground", min=0)
    whole_nla: BoolProperty(
        name="Whole NLA",
        description="Learn the combined result of the NLA strips and the active action, not the active action alone",
        default=False,
    )
    smooth_steps: BoolProperty(
        name="Smooth Steps",
        description="Write variations of stepped keys smooth, with a key on every frame, instead of stepped alike",
        default=False,
        update=_redraw_timelines,
    )
    runs: CollectionProperty(type=RiffRun)
    active_run: IntProperty(name="History", description="Entry of the history of this armature", min=0)
    closed_hints: CollectionProperty(type=RiffClosedHint)
    # number by which variations know their armature, and the model last used for it
    identity: StringProperty(name="", options={"HIDDEN"})
    model: StringProperty(name="", options={"HIDDEN"})
    controls: CollectionProperty(type=RiffControl)
    active_control: IntProperty(name="Bone", description="Bone that Riff learns", min=0)


def active_armature(context: Any) -> Any:
    """Return the armature object that Riff works on; None if there is none.

    It is the active object, or the armature that deforms it, or the next armature above it: animators click meshes. A
    ghost stands for its character.
    """
    found = armature_behind(getattr(context, "object", None))
    return character_behind(found) if found is not None else None


def armature_behind(ob: bpy.types.Object | None) -> bpy.types.Object | None:
    """Return the armature that an object is, is deformed by, or hangs below; None if there is none."""
    for one in object_and_above(ob):
        if one.type == "ARMATURE":
            return one
        deforming = [getattr(modifier, "object", None) for modifier in one.modifiers if modifier.type == "ARMATURE"]
        armatures = (found for found in deforming if found is not None and found.type == "ARMATURE")
        armature: bpy.types.Object | None = next(armatures, None)
        if armature is not None:
            return armature
    return None


def rig_settings(armature_object: bpy.types.Object) -> RiffArmature:
    return armature_object.riff  # type: ignore[attr-defined, no-any-return]


def identity_of(armature_object: bpy.types.Object) -> str:
    """Return the number by which variations know an armature, whatever it is called; made when it is first needed.

    A duplicate of the armature shares it: the same variations fit it.
    """
    settings = rig_settings(armature_object)
    if not settings.identity:
        settings.identity = uuid.uuid4().hex
    return settings.identity


def regions_of(armature_object: bpy.types.Object, only_used: bool = True) -> list[RiffRegion]:
    """Return the armature's regions of interest, sorted by start; only the enabled ones unless asked for all."""
    regions = rig_settings(armature_object).regions
    return sorted((r for r in regions if r.use or not only_used), key=lambda r: (r.start, r.end))


def chosen_feet(armature_object: bpy.types.Object) -> list[str] | None:
    """Return the bones that the user chose as feet; None to let Riff find them."""
    settings = rig_settings(armature_object)
    return [foot.name for foot in settings.feet if foot.name] if settings.own_feet else None


def plays_nla(armature_object: bpy.types.Object) -> bool:
    """Return True if the user wants the whole NLA learned and there is one."""
    data = armature_object.animation_data
    return rig_settings(armature_object).whole_nla and data is not None and len(data.nla_tracks) > 0


def read_options(armature_object: bpy.types.Object, *, nla: bool = False, step: int = 1) -> ReadOptions:
    """Return the user's choices for reading an armature; `nla` and `step` as in `ReadOptions`."""
    settings = rig_settings(armature_object)
    return ReadOptions(
        root=settings.root,
        feet=chosen_feet(armature_object),
        ignore=tuple(row.name for row in settings.controls if not row.learn),
        pairs={row.name: row.partner or row.name for row in settings.controls if row.partner != row.found_partner},
        parts={row.name: row.part for row in settings.controls if row.part != row.found_part},
        nla=nla,
        step=step,
    )


CLASSES = (RiffRegion, RiffClipSpan, RiffSpans, RiffFoot, RiffClosedHint, RiffControl, RiffRun, RiffArmature)


def register() -> None:
    bpy.types.Object.riff = PointerProperty(type=RiffArmature)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Object.riff  # type: ignore[attr-defined]
