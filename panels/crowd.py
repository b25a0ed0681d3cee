"""Crowd panel: settings, the button that makes a crowd, and the tools for an existing one."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.crowd_settings import CrowdChoices
from ..state.crowds import crowd_summary
from ..state.rig_settings import active_armature
from ..state.settings import copy_choices
from .automatic import draw_number
from .tab import ForArmature, say


class RIFF_PT_crowd(ForArmature, bpy.types.Panel):
    bl_label = "Crowd"
    bl_order = 6
    side = "MAKE"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.riff_crowd
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(settings, "count")
        column.prop(settings, "scene_range")
        if not settings.scene_range:
            column.prop(settings, "frames")
        _draw_place(layout.column(), context.scene, settings)
        _draw_looks(layout.column(), context.scene, settings)
        column = layout.column()
        column.prop(settings, "uneven", slider=True)
        column.prop(settings, "loop")
        column.prop(settings, "phase")
        column.prop(settings, "pool")
        column.prop(settings, "seed")
        column.prop(settings, "light")
        column.prop(settings, "nla")
        button = layout.column()
        button.scale_y = 1.3
        duplicate = button.operator("riff.duplicate_as_crowd", icon="COMMUNITY")
        copy_choices(CrowdChoices, settings, duplicate)
        duplicate.scene_range = settings.scene_range
        crowd = crowd_summary(active_armature(context) or context.object)
        if crowd is not None:
            _draw_crowd(layout, crowd, settings)


def _draw_place(layout: Any, scene: Any, settings: Any) -> None:
    layout.prop(settings, "kind")
    if settings.kind in ("SURFACE", "CURVE", "POINTS"):
        layout.prop_search(settings, "ground", scene, "objects")
    if settings.kind == "GRID":
        draw_number(layout, settings, "spacing")
    draw_number(layout, settings, "distance")
    layout.prop(settings, "centred")


def _draw_looks(layout: Any, scene: Any, settings: Any) -> None:
    layout.prop(settings, "looks")
    if settings.looks == "TARGET":
        layout.prop_search(settings, "target", scene, "objects")
    if settings.looks != "RANDOM":
        layout.prop(settings, "spread")


def _draw_crowd(layout: Any, crowd: Any, settings: Any) -> None:
    box = layout.box()
    box.label(text=crowd.name, icon="OUTLINER_COLLECTION", translate=False)
    if crowd.smallest:
        text = say("Variety: {:.0%}").format(crowd.variety)
        box.label(text=text, translate=False)
    row = box.row(align=True)
    row.operator("riff.add_to_crowd", icon="ADD").count = settings.more
    row.prop(settings, "more", text="")
    row = box.row(align=True)
    row.operator("riff.reroll_crowd", text="Re-Roll Selected", icon="FILE_REFRESH").which = "SELECTED"
    row.operator("riff.reroll_crowd", text="Re-Roll All").which = "ALL"
    row = box.row(align=True)
    row.operator("riff.thin_out_crowd", icon="REMOVE").keep = settings.keep
    row.prop(settings, "keep", text="", slider=True)
    box.operator("riff.remove_crowd", icon="TRASH")


CLASSES = (RIFF_PT_crowd,)
