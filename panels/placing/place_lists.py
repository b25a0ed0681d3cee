"""Lists of pins and waypoints in the Compose panel."""

from __future__ import annotations

from typing import Any

import bpy

from ...state.rig_settings import active_armature
from ..tab import ForArmature, RowList


class RIFF_UL_pins(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.row(align=True)
        row.prop(item, "use", text="")
        row.label(text=item.bone, icon="PINNED", translate=False)
        row.label(text=f"{item.start}–{item.end}" if item.end > item.start else f"{item.start}", translate=False)


class RIFF_UL_waypoints(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.row(align=True)
        row.prop(item, "use", text="")
        row.prop(item, "target", text="")
        if item.target is None or item.target.type != "CURVE":
            row.prop(item, "frame", text="")


class _InCompose(ForArmature):
    """A box inside Compose, where pins and waypoints count."""

    bl_parent_id = "RIFF_PT_compose"
    side = "MAKE"

    @classmethod
    def poll(cls, context: Any) -> bool:
        kind = context.scene.riff_compose.kind
        return super().poll(context) and kind not in ("LOOP", "STYLE")


class RIFF_PT_pins(_InCompose, bpy.types.Panel):
    bl_label = "Pins"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, places = self.layout, active_armature(context).riff_places
        row = layout.row()
        row.template_list("RIFF_UL_pins", "", places, "pins", places, "active_pin", rows=3)
        buttons = row.column(align=True)
        buttons.operator("riff.add_pin", text="", icon="ADD")
        buttons.operator("riff.remove_pin", text="", icon="REMOVE")
        if places.active_pin < len(places.pins):
            _draw_pin(_details(layout), context, places.pins[places.active_pin])


def _details(layout: Any) -> Any:
    """Return the column of a chosen row's properties; the list above has its labels in the rows themselves."""
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    return column


def _draw_pin(layout: Any, context: Any, pin: Any) -> None:
    layout.prop_search(pin, "bone", active_armature(context).data, "bones")
    frames = layout.column(align=True)
    frames.prop(pin, "start")
    frames.prop(pin, "end")
    layout.prop(pin, "source")
    if pin.source == "PLACE":
        layout.prop(pin, "place", text="")
        layout.operator("riff.set_pin", icon="PINNED")
    elif pin.source == "OBJECT":
        layout.prop(pin, "target")
    else:
        layout.prop(pin, "armature")
        if pin.armature is not None:
            layout.prop_search(pin, "other", pin.armature.data, "bones")
    layout.prop(pin, "use_turn")


class RIFF_PT_waypoints(_InCompose, bpy.types.Panel):
    bl_label = "Waypoints"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, places = self.layout, active_armature(context).riff_places
        row = layout.row()
        row.template_list("RIFF_UL_waypoints", "", places, "waypoints", places, "active_waypoint", rows=3)
        buttons = row.column(align=True)
        buttons.operator("riff.add_waypoint", text="", icon="ADD")
        buttons.operator("riff.remove_waypoint", text="", icon="REMOVE")
        if places.active_waypoint < len(places.waypoints):
            point = places.waypoints[places.active_waypoint]
            if point.target is None or point.target.type != "CURVE":
                _details(layout).prop(point, "use_heading")


CLASSES = (RIFF_UL_pins, RIFF_UL_waypoints, RIFF_PT_pins, RIFF_PT_waypoints)
