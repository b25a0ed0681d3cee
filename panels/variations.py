"""Variations panel: the list, in which a click shows and plays, and what can be done with the one that plays."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.rig_settings import active_armature
from ..state.session import chosen_variation, is_variation_of
from ..state.settings import copy_choices
from ..state.variations.compare_settings import GhostChoices
from ..state.variations.pose_pictures import pose_icons
from .comparing.ghosts import draw_ghosts
from .comparing.history import draw_history
from .comparing.strip import draw_strip
from .tab import ForArmature, RowList, say

POSE_UNITS = 0.85
"""Width of the picture of a pose, in units of the interface."""


LENGTH_UNITS, MODEL_UNITS = 2.4, 8.0
"""Widths of a variation's length and of its model's name, in units of the interface."""

MODEL_WIDTH = 380
"""Width of a sidebar in pixels, before the scale of the interface, from which on a row tells its model."""


class RIFF_UL_variations(RowList, bpy.types.UIList):
    """List of the active armature's generated actions."""

    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row, action = layout.row(align=True), item.name
        row.emboss = "NONE"
        icons = pose_icons(item)
        if icons:
            poses = row.row(align=True)
            poses.scale_x = POSE_UNITS
            for icon in icons:
                poses.label(text="", icon_value=icon)
        row.prop(item, "title", text="")
        region = context.region
        if region is not None and region.width >= MODEL_WIDTH * context.preferences.system.ui_scale:
            model = row.row()
            model.ui_units_x, model.active = MODEL_UNITS, False
            model.label(text=item.model, translate=False)
        length = row.row()
        length.ui_units_x, length.alignment = LENGTH_UNITS, "RIGHT"
        length.label(text=f"{_seconds(context, item):.1f} s", translate=False)
        ghost = "GHOST_ENABLED" if item.ghost else "GHOST_DISABLED"
        row.operator("riff.toggle_ghost", text="", icon=ghost).action = action
        row.operator("riff.more_like_this", text="", icon="DUPLICATE").action = action
        star = "SOLO_ON" if item.kept else "SOLO_OFF"
        row.operator("riff.keep_variation", text="", icon=star).action = action
        row.operator("riff.discard_variation", text="", icon="X").action = action

    def filter_items(self, context: Any, data: Any, propname: str) -> Any:
        ob, shown = active_armature(context), self.bitflag_filter_item
        return [shown if is_variation_of(item, ob) else 0 for item in getattr(data, propname)], []


class RIFF_PT_variations(ForArmature, bpy.types.Panel):
    bl_label = "Variations"
    bl_order = 2
    side = "MAKE"

    def draw(self, context: Any) -> None:
        draw_variations(self.layout, context)
        header, body = self.layout.panel("RIFF_PT_variations_compare", default_closed=True)
        header.label(text="Compare")
        if body is not None:
            draw_strip(body, context, active_armature(context))
            draw_ghosts(body, context)
        header, body = self.layout.panel("RIFF_PT_variations_history", default_closed=True)
        header.label(text="History")
        if body is not None:
            draw_history(body, active_armature(context))


def draw_variations(layout: Any, context: Any) -> None:
    """Draw the list, a line on the variation that plays, and the buttons below."""
    session, chosen = context.window_manager.riff, chosen_variation(context)
    layout.template_list("RIFF_UL_variations", "", session, "variations", session, "active_variation", rows=5)
    _draw_detail(layout, context, chosen)
    row = layout.row(align=True)
    row.operator("riff.previous_variation", text="", icon="TRIA_LEFT")
    row.operator("riff.next_variation", text="", icon="TRIA_RIGHT")
    source = chosen.source if chosen is not None else ""
    back = row.row(align=True)
    back.enabled = bool(source)
    words = say("Back to {}").format(source) if source else say("Back to Source")
    back.operator("riff.show_action", text=words, icon="LOOP_BACK", translate=False).action = source
    row.operator("riff.discard_others", text="", icon="TRASH")
    row.menu("RIFF_MT_variations", text="", icon="DOWNARROW_HLT")


def _draw_detail(layout: Any, context: Any, chosen: Any) -> None:
    """Draw length and model of the variation that plays, or what to do; one line in any case."""
    action = bpy.data.actions.get(chosen.name) if chosen is not None else None
    if action is None:
        layout.label(text="Click a variation to show and play it", icon="INFO")
        return
    # Blender looks through all keys for an action's range: the row knows it
    words = say("{:.0f} frames, {:.1f} s, {}").format(chosen.frames + 1, _seconds(context, chosen), chosen.model)
    icon = "ASSET_MANAGER" if action.asset_data is not None else "TIME"
    layout.label(text=words, icon=icon, translate=False)


def _seconds(context: Any, item: Any) -> float:
    """Return the length of a variation at the scene's rate, which may change at any time, and no handler tells it."""
    render = context.scene.render
    seconds: float = item.frames * render.fps_base / render.fps
    return seconds


class RIFF_MT_variations(bpy.types.Menu):
    """Menu of what can be done with the variation that plays"""

    bl_label = "Variation"

    def draw(self, context: Any) -> None:
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("riff.set_amount", icon="IPO_EASE_IN_OUT")
        layout.operator("riff.more_like_this", icon="DUPLICATE")
        layout.operator("riff.reduce_keys", icon="MOD_DECIM")
        layout.operator("riff.variation_to_nla", icon="NLA_PUSHDOWN")
        layout.separator()
        show = layout.operator("riff.show_ghosts", icon="GHOST_ENABLED")
        copy_choices(GhostChoices, context.scene.riff_compare, show)
        layout.operator("riff.hide_ghosts", icon="GHOST_DISABLED")
        layout.separator()
        layout.operator("riff.mark_asset", icon="ASSET_MANAGER")
        layout.operator("riff.mark_kept", icon="SOLO_ON")
        layout.operator("riff.export_takes", icon="EXPORT")
        layout.separator()
        layout.operator("riff.discard_others", icon="TRASH")


CLASSES = (RIFF_UL_variations, RIFF_PT_variations, RIFF_MT_variations)
