"""Lists of trained models and of generated actions."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.model_fit import fit_of
from ..state.session import is_variation_of
from .tab import RowList


class RIFF_UL_models(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.split(factor=0.75)
        row.alert = bool(item.problem)
        fit = fit_of(context.object, item)
        row.active = fit is None or not fit.problem
        row.label(text=item.name, icon="ERROR" if item.problem else "NETWORK_DRIVE", translate=False)
        if item.problem:
            row.label(text="Cannot be read")
        else:
            row.operator("riff.model_figures", text=item.quality or "?", emboss=False).name = item.name


class RIFF_UL_variations(RowList, bpy.types.UIList):
    """List of the active armature's generated actions."""

    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.row(align=True)
        shown = context.object.animation_data
        is_shown = shown is not None and shown.action is not None and shown.action.name == item.name
        play = row.operator("riff.show_action", text="", icon="RADIOBUT_ON" if is_shown else "PLAY", emboss=False)
        play.action = item.name
        row.label(text=item.label, translate=False)
        keep = row.operator(
            "riff.keep_variation", text="", icon="CHECKBOX_HLT" if item.kept else "CHECKBOX_DEHLT", emboss=False
        )
        keep.action = item.name
        row.operator("riff.discard_variation", text="", icon="X", emboss=False).action = item.name

    def filter_items(self, context: Any, data: Any, propname: str) -> Any:
        ob, shown = context.object, self.bitflag_filter_item
        return [shown if is_variation_of(item, ob) else 0 for item in getattr(data, propname)], []


CLASSES = (RIFF_UL_models, RIFF_UL_variations)
