"""Compose panel: which motion is new, which is kept, and the button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ..state.compose_settings import ExtendChoices, LengthChoices, LoopChoices, MaskChoices, StyleChoices, TakeChoices
from ..state.rig_settings import active_armature
from ..state.settings import copy_choices
from .automatic import draw_number
from .tab import ForArmature, RowList, draw_seed, say


class RIFF_UL_parts(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.row()
        row.prop(item, "use", text="")
        row.label(text=item.name, translate=False)


class RIFF_UL_moments(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.split(factor=0.65, align=True)
        row.prop_search(item, "region", active_armature(context).riff, "regions", text="", icon="ARROW_LEFTRIGHT")
        row.prop(item, "frame", text="")


class RIFF_UL_bone_pairs(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.split(factor=0.5, align=True)
        row.label(text=item.name, icon="BONE_DATA", translate=False)
        other = owner.armature
        if other is None:
            row.prop(item, "other", text="")
        else:
            row.prop_search(item, "other", other.data, "bones", text="")


class RIFF_PT_compose(ForArmature, bpy.types.Panel):
    bl_label = "Compose"
    bl_order = 4
    side = "MAKE"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.riff_compose
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "kind", text="")
        operator, draw = _KINDS[settings.kind]
        draw(layout.column(), context, settings)
        column = layout.column()
        column.prop(settings, "count")
        draw_seed(column, settings, context.scene.riff)
        if settings.kind not in ("PLACES", "LOOP", "STYLE"):
            column.prop(settings, "use_places")
        column.prop(settings, "entry")
        column.prop(settings, "root")
        if settings.root == "CURVE":
            column.prop(settings, "curve")
        button = layout.column()
        button.scale_y = 1.3
        _fill(button.operator(operator, icon="RNDCURVE"), settings)


def _draw_parts(layout: Any, context: Any, settings: Any) -> None:
    _draw_which(layout, context, settings)
    layout.prop(settings, "use_regions")
    _draw_keys(layout, settings)


def _draw_which(layout: Any, context: Any, settings: Any) -> None:
    layout.prop(settings, "which")
    if settings.which == "CHOSEN":
        if settings.parts:
            layout.template_list("RIFF_UL_parts", "", settings, "parts", settings, "active_part", rows=4)
        layout.operator("riff.find_parts", icon="VIEWZOOM")
    if settings.which == "COLLECTION":
        layout.prop_search(settings, "collection", active_armature(context).data, "collections_all")
    if settings.which not in ("UPPER", "LOWER"):
        layout.prop(settings, "mirror")


def _draw_keys(layout: Any, settings: Any) -> None:
    layout.prop(settings, "use_keys")
    if settings.use_keys:
        layout.prop(settings, "firmness", slider=True)


def _draw_regions(layout: Any, context: Any, settings: Any) -> None:
    used = sum(region.use for region in active_armature(context).riff.regions)
    text = "{} regions are enabled" if used > 1 else "1 region is enabled"
    text = say(text if used else "Add a region under Regions first").format(used)
    layout.label(text=text, icon="ARROW_LEFTRIGHT", translate=False)
    layout.prop(settings, "use_parts")
    if settings.use_parts:
        _draw_which(layout, context, settings)
    _draw_keys(layout, settings)


def _draw_only_keys(layout: Any, context: Any, settings: Any) -> None:
    layout.label(text="Poses of selected keys are kept", icon="KEYFRAME")
    layout.prop(settings, "firmness", slider=True)
    layout.prop(settings, "use_parts")
    if settings.use_parts:
        _draw_which(layout, context, settings)


def _draw_moments(layout: Any, context: Any, settings: Any) -> None:
    row = layout.row()
    row.template_list("RIFF_UL_moments", "", settings, "moments", settings, "active_moment", rows=3)
    buttons = row.column(align=True)
    buttons.operator("riff.add_moment", text="", icon="ADD")
    buttons.operator("riff.remove_moment", text="", icon="REMOVE")
    draw_number(layout, settings, "length")


def _draw_extend(layout: Any, context: Any, settings: Any) -> None:
    draw_number(layout, settings, "length")
    layout.prop(settings, "before")
    after = layout.column()
    after.active = settings.length == 0
    after.prop(settings, "after")
    layout.prop(settings, "fit_range")


def _draw_loop(layout: Any, context: Any, settings: Any) -> None:
    layout.prop(settings, "transition")
    layout.prop(settings, "travel")


def _draw_places(layout: Any, context: Any, settings: Any) -> None:
    places = active_armature(context).riff_places
    pins, points = sum(pin.use for pin in places.pins), sum(point.use for point in places.waypoints)
    text = say("Pins: {}, waypoints: {}" if pins or points else "Add pins or waypoints below").format(pins, points)
    layout.label(text=text, icon="PINNED", translate=False)


def _draw_style(layout: Any, context: Any, settings: Any) -> None:
    layout.prop(settings, "content")
    layout.prop(settings, "armature")
    layout.prop(settings, "style", slider=True)
    if settings.armature is not None and settings.armature != active_armature(context):
        layout.operator("riff.guess_bones", icon="GROUP_BONE")
        if settings.bones:
            layout.template_list("RIFF_UL_bone_pairs", "", settings, "bones", settings, "active_bone", rows=5)


def _fill(operator: Any, settings: Any) -> None:
    """Copy the settings to the operator, which keeps them for the redo panel."""
    copy_choices(TakeChoices, settings, operator)
    operator.curve = settings.curve.name if settings.curve else ""
    kind = settings.kind
    operator.use_places = kind == "PLACES" or (settings.use_places and kind not in ("LOOP", "STYLE"))
    if kind in ("PARTS", "REGIONS", "KEYS"):
        copy_choices(MaskChoices, settings, operator)
        operator.use_parts = kind == "PARTS" or settings.use_parts
        operator.use_regions = kind == "REGIONS" or (kind == "PARTS" and settings.use_regions)
        operator.use_keys = kind == "KEYS" or settings.use_keys
        named = settings.which in ("UPPER", "LOWER", "CHOSEN")
        operator.which = "PARTS" if named else settings.which
        halves = {"UPPER": "Upper Body", "LOWER": "Lower Body"}
        chosen = ", ".join(part.name for part in settings.parts if part.use)
        operator.parts = halves.get(settings.which, chosen)
        operator.mirror = settings.mirror and settings.which not in halves
    elif kind in ("MOMENTS", "EXTEND"):
        copy_choices(LengthChoices, settings, operator)
        if kind == "EXTEND":
            copy_choices(ExtendChoices, settings, operator)
    elif kind == "LOOP":
        copy_choices(LoopChoices, settings, operator)
    elif kind == "STYLE":
        copy_choices(StyleChoices, settings, operator)
        operator.action = settings.content.name if settings.content else ""
        operator.armature = settings.armature.name if settings.armature else ""


_KINDS: dict[str, tuple[str, Callable[[Any, Any, Any], None]]] = {
    "PARTS": ("riff.vary_parts", _draw_parts),
    "REGIONS": ("riff.fill_regions", _draw_regions),
    "KEYS": ("riff.keep_keys", _draw_only_keys),
    "MOMENTS": ("riff.place_moments", _draw_moments),
    "EXTEND": ("riff.extend_action", _draw_extend),
    "LOOP": ("riff.loop_action", _draw_loop),
    "PLACES": ("riff.reach_places", _draw_places),
    "STYLE": ("riff.restyle", _draw_style),
}

CLASSES = (RIFF_UL_parts, RIFF_UL_moments, RIFF_UL_bone_pairs, RIFF_PT_compose)
