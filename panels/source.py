"""Source panel: what Riff would learn, and the user's corrections."""

from __future__ import annotations

from typing import Any

import bpy

from ..state import rig_marks
from ..state.armature_summary import summary_of
from ..state.rig_settings import active_armature, plays_nla
from ..state.shown.short_names import without_namespace
from ..state.source import is_variation
from ..state.source_hints import offered_actions, open_hints
from .hints import draw_hint, draw_strips
from .tab import RiffPanel, RowList, draw_sentence, say

MAX_SHOWN_NAMES = 2
"""Feet or properties to show by name."""


class RIFF_PT_source(RiffPanel, bpy.types.Panel):
    bl_label = "Source"
    bl_order = 1
    side = "LEARN"

    def draw(self, context: Any) -> None:
        layout, ob = self.layout, active_armature(context)
        if ob is None:
            layout.label(text="Select an armature to learn from", icon="INFO")
            return
        layout.label(text=ob.name, icon="ARMATURE_DATA", translate=False)
        action = ob.animation_data.action if ob.animation_data else None
        if plays_nla(ob):
            layout.label(text="All NLA strips combined", icon="NLA")
            _draw_what_is_learned(layout, ob)
            return
        if action is None:
            draw_strips(layout, ob)
            return
        start, end = action.frame_range
        rate = context.scene.render.fps / context.scene.render.fps_base
        layout.label(text=action.name, icon="ACTION", translate=False)
        length = say("{:.0f} frames, {:.1f} s at {:g} fps")
        layout.label(
            text=length.format(end - start + 1, (end - start) / rate, round(rate, 2)), icon="TIME", translate=False
        )
        if offered_actions(ob):
            layout.menu("RIFF_MT_strip_actions", icon="NLA")
        if is_variation(action):
            _draw_source_of(layout, action)
            return
        _draw_what_is_learned(layout, ob)


def _draw_source_of(layout: Any, variation: Any) -> None:
    source = str(variation.get("riff_source", ""))
    if source in bpy.data.actions:
        layout.label(text=say("A variation; learned is {}").format(source), icon="RNDCURVE", translate=False)
    else:
        layout.label(text="A variation whose source is gone", icon="RNDCURVE")


def _draw_what_is_learned(layout: Any, ob: Any) -> None:
    summary = summary_of(ob)
    if summary is None:
        layout.label(text="Analyzing the armature…", icon="VIEWZOOM")
    elif summary.problem:
        draw_sentence(layout, summary.problem, "ERROR", alert=True)
    else:
        _draw_summary(layout, summary)
    if summary is not None:
        for hint in open_hints(ob, summary.hints):
            draw_hint(layout, hint)


def _draw_summary(layout: Any, summary: Any) -> None:
    column = layout.column(align=True)
    joints = say("{} controls, root {}") if summary.controls else say("{} joints, root {}")
    icon = "CON_ARMATURE" if summary.controls else "BONE_DATA"
    column.label(text=joints.format(summary.joints, without_namespace(summary.root)), icon=icon, translate=False)
    feet = ", ".join(without_namespace(foot) for foot in summary.feet[:MAX_SHOWN_NAMES])
    if len(summary.feet) > MAX_SHOWN_NAMES:
        feet = say("{} and {} more").format(feet, len(summary.feet) - MAX_SHOWN_NAMES)
    words = say("Feet: {}").format(feet) if feet else say("No feet found")
    column.label(text=words, icon="CON_FLOOR", translate=False)
    if summary.properties:
        names = ", ".join(summary.properties[:MAX_SHOWN_NAMES])
        if len(summary.properties) > MAX_SHOWN_NAMES:
            names = say("{} and {} more").format(names, len(summary.properties) - MAX_SHOWN_NAMES)
        column.label(text=say("Properties: {}").format(names), icon="PROPERTIES", translate=False)


class RIFF_PT_roles(RiffPanel, bpy.types.Panel):
    """Panel for the user's own choice of root and feet."""

    bl_label = "Root and Feet"
    bl_parent_id = "RIFF_PT_source"
    bl_options = {"DEFAULT_CLOSED"}
    side = "LEARN"

    @classmethod
    def poll(cls, context: Any) -> bool:
        ob = active_armature(context)
        return super().poll(context) and ob is not None and ob.animation_data is not None

    def draw(self, context: Any) -> None:
        layout, ob = self.layout, active_armature(context)
        settings = ob.riff
        rig_marks.box_drawn()
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop_search(settings, "root", ob.data, "bones", icon="BONE_DATA")
        summary = summary_of(ob)
        if not settings.root and summary is not None and summary.root:
            layout.label(text=say("Found: {}").format(summary.root), icon="BLANK1", translate=False)
        layout.prop(settings, "own_feet")
        if settings.own_feet:
            row = layout.row()
            row.template_list("RIFF_UL_feet", "", settings, "feet", settings, "active_foot", rows=3)
            buttons = row.column(align=True)
            buttons.operator("riff.add_foot", text="", icon="ADD")
            buttons.operator("riff.remove_foot", text="", icon="REMOVE")
        if len(ob.animation_data.nla_tracks):
            layout.prop(settings, "whole_nla")
        if settings.smooth_steps:
            layout.prop(settings, "smooth_steps")


class RIFF_PT_learned(RiffPanel, bpy.types.Panel):
    """Panel of the learned bones, their other sides and body parts."""

    bl_label = "Learned Bones"
    bl_parent_id = "RIFF_PT_source"
    bl_options = {"DEFAULT_CLOSED"}
    side = "LEARN"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return RIFF_PT_roles.poll(context)

    def draw(self, context: Any) -> None:
        layout, ob = self.layout, active_armature(context)
        settings = ob.riff
        if not len(settings.controls):
            layout.operator("riff.list_learned", icon="PRESET")
            return
        layout.template_list("RIFF_UL_controls", "", settings, "controls", settings, "active_control", rows=5)
        if settings.active_control < len(settings.controls):
            chosen = settings.controls[settings.active_control]
            column = layout.column(align=True)
            column.use_property_split = True
            column.use_property_decorate = False
            column.prop_search(chosen, "partner", ob.data, "bones", icon="MOD_MIRROR")
            column.prop(chosen, "part", icon="OUTLINER_OB_ARMATURE")
        row = layout.row(align=True)
        row.operator("riff.list_learned", text="Refresh List", icon="FILE_REFRESH")
        row.operator("riff.forget_learned", icon="LOOP_BACK")


class RIFF_UL_feet(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        layout.prop_search(item, "name", active_armature(context).data, "bones", text="", icon="BONE_DATA")


class RIFF_UL_controls(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.row()
        row.prop(item, "learn", text="")
        names = row.row()
        names.active = item.learn
        names.label(text=item.name, translate=False)
        names.label(text=item.part, translate=False)


CLASSES = (RIFF_PT_source, RIFF_PT_roles, RIFF_PT_learned, RIFF_UL_feet, RIFF_UL_controls)
