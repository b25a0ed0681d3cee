"""The lists of trained models and of generated actions."""

from __future__ import annotations

from typing import Any

import bpy


class RIFF_UL_models(bpy.types.UIList):
    def draw_item(
        self, context: Any, layout: Any, data: Any, item: Any, icon: Any, active_data: Any, active_property: Any,
        index: Any, flt_flag: Any,
    ) -> None:  # fmt: skip
        row = layout.split(factor=0.65)
        row.alert = bool(item.problem)
        row.label(text=item.name, icon="ERROR" if item.problem else "NETWORK_DRIVE")
        row.label(text="Cannot be read" if item.problem else item.detail)


class RIFF_UL_variations(bpy.types.UIList):
    """Shows the actions of the active armature only."""

    def draw_item(
        self, context: Any, layout: Any, data: Any, item: Any, icon: Any, active_data: Any, active_property: Any,
        index: Any, flt_flag: Any,
    ) -> None:  # fmt: skip
        row = layout.row()
        row.label(text=item.name, icon="ACTION")
        shown = context.object.animation_data
        is_shown = shown is not None and shown.action is not None and shown.action.name == item.name
        button = "RADIOBUT_ON" if is_shown else "PLAY"
        row.operator("riff.show_action", text="", icon=button, emboss=False).action = item.name

    def filter_items(self, context: Any, data: Any, propname: str) -> Any:
        name = context.object.name
        shown = self.bitflag_filter_item
        return [shown if item.armature == name else 0 for item in getattr(data, propname)], []


CLASSES = (RIFF_UL_models, RIFF_UL_variations)
