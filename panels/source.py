"""The box Source: what Riff would learn, and what of it the user wants otherwise."""

from __future__ import annotations

from typing import Any

import bpy

from ..operators.source import is_variation, summary_of
from .tab import RiffPanel, draw_sentence, say

SHOWN_FEET = 2


class RIFF_PT_source(RiffPanel, bpy.types.Panel):
    bl_label = "Source"
    bl_order = 0

    def draw(self, context: Any) -> None:
        layout, ob = self.layout, context.object
        if ob is None or ob.type != "ARMATURE":
            _draw_hint(layout, context)
            return
        layout.label(text=ob.name, icon="ARMATURE_DATA", translate=False)
        action = ob.animation_data.action if ob.animation_data else None
        if action is None:
            layout.label(text="No action to learn from", icon="INFO")
            return
        start, end = action.frame_range
        rate = context.scene.render.fps / context.scene.render.fps_base
        layout.label(text=action.name, icon="ACTION", translate=False)
        length = say("{:.0f} frames, {:.1f} s at {:g} fps")
        layout.label(text=length.format(end - start + 1, (end - start) / rate, rate), icon="TIME", translate=False)
        if is_variation(action):
            layout.label(text="A variation made by Riff", icon="RNDCURVE")
            return
        summary = summary_of(ob)
        if summary is None:
            layout.label(text="Looking at the armature…", icon="VIEWZOOM")
        elif summary.problem:
            draw_sentence(layout, summary.problem, "ERROR", alert=True)
        else:
            _draw_summary(layout, summary)


def _draw_hint(layout: Any, context: Any) -> None:
    layout.label(text="Select an armature, or try it out:", icon="INFO")
    column = layout.column()
    column.scale_y = 1.3
    column.operator("riff.add_sample_dancer", icon="ADD")
    steps = layout.column(align=True)
    steps.active = False
    steps.label(text="1. Add Sample Dancer", icon="BLANK1")
    steps.label(text="2. Train on Action", icon="BLANK1")
    steps.label(text="3. Generate", icon="BLANK1")


def _draw_summary(layout: Any, summary: Any) -> None:
    column = layout.column(align=True)
    joints = say("{} joints below {}").format(summary.joints, summary.root)
    column.label(text=joints, icon="BONE_DATA", translate=False)
    feet = ", ".join(summary.feet[:SHOWN_FEET])
    if len(summary.feet) > SHOWN_FEET:
        feet = say("{} and {} more").format(feet, len(summary.feet) - SHOWN_FEET)
    words = say("Feet: {}").format(feet) if feet else say("No feet found")
    column.label(text=words, icon="CON_FLOOR", translate=False)


class RIFF_PT_roles(RiffPanel, bpy.types.Panel):
    """Root and feet, where the user knows better."""

    bl_label = "Root and Feet"
    bl_parent_id = "RIFF_PT_source"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        ob = context.object
        return ob is not None and ob.type == "ARMATURE" and ob.animation_data is not None

    def draw(self, context: Any) -> None:
        layout, ob = self.layout, context.object
        settings = ob.riff
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop_search(settings, "root", ob.data, "bones", icon="BONE_DATA")
        layout.prop(settings, "own_feet")
        if not settings.own_feet:
            return
        row = layout.row()
        row.template_list("RIFF_UL_feet", "", settings, "feet", settings, "active_foot", rows=3)
        buttons = row.column(align=True)
        buttons.operator("riff.add_foot", text="", icon="ADD")
        buttons.operator("riff.remove_foot", text="", icon="REMOVE")


class RIFF_UL_feet(bpy.types.UIList):
    def draw_item(
        self, context: Any, layout: Any, data: Any, item: Any, icon: Any, active_data: Any, active_property: Any,
        index: Any, flt_flag: Any,
    ) -> None:  # fmt: skip
        layout.prop_search(item, "name", context.object.data, "bones", text="", icon="BONE_DATA")


CLASSES = (RIFF_PT_source, RIFF_PT_roles, RIFF_UL_feet)
