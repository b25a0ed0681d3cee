"""Panels of the timeline: regions of interest, and spans in which actions play."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.model_fit import fit_of
from ..state.rig_settings import SpanChoices, active_armature
from ..state.settings import chosen_model, copy_choices
from ..state.span_model import knows_clips, span_model
from .tab import ForArmature, RowList, draw_sentence, say

SHORT_LABELS = {"PREVIEW": "Preview", "MARKERS": "Markers", "KEYS": "Keys"}
"""Button labels by the source of a region's frames."""


class RIFF_UL_regions(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.row(align=True)
        row.prop(item, "use", text="")
        swatch = row.row()
        swatch.ui_units_x = 1.0
        swatch.prop(item, "color", text="")
        row.prop(item, "name", text="", emboss=False)
        row.label(text=f"{item.start}–{item.end}", translate=False)


class RIFF_PT_regions(ForArmature, bpy.types.Panel):
    bl_label = "Regions"
    bl_order = 5
    side = "MAKE"

    def draw(self, context: Any) -> None:
        layout: Any = self.layout
        settings = active_armature(context).riff
        row = layout.row()
        row.template_list("RIFF_UL_regions", "", settings, "regions", settings, "active_region", rows=3)
        buttons = row.column(align=True)
        buttons.operator("riff.remove_region", text="", icon="REMOVE")
        if settings.active_region < len(settings.regions):
            frames = layout.row(align=True)
            frames.prop(settings.regions[settings.active_region], "start")
            frames.prop(settings.regions[settings.active_region], "end")
        layout.label(text="Add a region from:")
        add = layout.row(align=True)
        for source, icon in (("PREVIEW", "PREVIEW_RANGE"), ("MARKERS", "MARKER_HLT"), ("KEYS", "KEYFRAME_HLT")):
            add.operator("riff.add_region", text=SHORT_LABELS[source], icon=icon).source = source
        add.operator("riff.drag_region", text="", icon="RESTRICT_SELECT_OFF")


class RIFF_UL_spans(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.row(align=True)
        swatch = row.row()
        swatch.ui_units_x = 1.0
        swatch.prop(item, "color", text="")
        row.label(text=item.action, translate=False)
        row.label(text=f"{item.start}–{item.end}", translate=False)


class RIFF_PT_spans(ForArmature, bpy.types.Panel):
    bl_label = "Clips in Time"
    bl_order = 5
    bl_options = {"DEFAULT_CLOSED"}
    side = "MAKE"

    def draw(self, context: Any) -> None:
        layout: Any = self.layout
        settings = active_armature(context).riff
        row = layout.row()
        row.template_list("RIFF_UL_spans", "", settings, "spans", settings, "active_span", rows=3)
        buttons = row.column(align=True)
        buttons.operator("riff.add_span", text="", icon="ADD")
        buttons.operator("riff.remove_span", text="", icon="REMOVE")
        if settings.active_span < len(settings.spans):
            span = settings.spans[settings.active_span]
            model = chosen_model(context)
            if settings.span_choices.played_by != "INSTANT" and knows_clips(model):
                layout.prop_search(span, "action", model, "clips", icon="ACTION")
            else:
                layout.prop_search(span, "action", bpy.data, "actions")
            frames = layout.row(align=True)
            frames.prop(span, "start")
            frames.prop(span, "end")
            layout.prop(span, "speed")
        choices = layout.column()
        choices.use_property_split, choices.use_property_decorate = True, False
        choices.prop(settings.span_choices, "variation")
        choices.prop(settings.span_choices, "played_by")
        if len(settings.spans):
            _draw_model(layout, context, settings)
        operator = layout.operator("riff.generate_spans", icon="ACTION")
        copy_choices(SpanChoices, settings.span_choices, operator)
        operator.seed = context.scene.riff.seed


def _draw_model(layout: Any, context: Any, settings: Any) -> None:
    """Say which model plays the spans, and if it is not the chosen one, why."""
    played_by, chosen = settings.span_choices.played_by, chosen_model(context)
    if played_by == "INSTANT" or (played_by == "AUTO" and not knows_clips(chosen)):
        draw_sentence(layout, say("Played by instant models"))
        return
    fit = fit_of(active_armature(context), chosen) if chosen is not None else None
    found = span_model(context, [span.action for span in settings.spans], fit)
    if found.row is not None:
        draw_sentence(layout, say("Played by “{}”").format(found.row.name), "CHECKMARK")
        return
    reason = say(found.reason).format(*found.values)
    if played_by == "AUTO":
        draw_sentence(layout, say("Played by instant models: {}").format(reason))
    else:
        draw_sentence(layout, reason, "ERROR", alert=True)


CLASSES = (RIFF_UL_regions, RIFF_PT_regions, RIFF_UL_spans, RIFF_PT_spans)
