"""Models: the list, how the chosen one fits the armature, and the menus."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.model_fit import Fit, fit_of
from ..state.rig_settings import active_armature
from .tab import RiffPanel, RowList, draw_problem, draw_sentence, say


class RIFF_UL_models(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.split(factor=0.75)
        row.alert = bool(item.problem)
        fit = fit_of(active_armature(context), item)
        row.active = fit is None or not fit.problem
        row.label(text=item.shown, icon="ERROR" if item.problem else "NETWORK_DRIVE", translate=False)
        if item.problem:
            row.label(text="Cannot be read")
        else:
            row.operator("riff.model_figures", text=item.quality or "?", emboss=False).name = item.name


class RIFF_PT_models(RiffPanel, bpy.types.Panel):
    bl_label = "Models"
    bl_order = 3
    side = "LEARN"

    def draw(self, context: Any) -> None:
        session = context.window_manager.riff
        row = self.layout.row()
        if not session.models:
            row.operator("riff.import_model", icon="IMPORT")
            row.operator("riff.refresh_models", text="", icon="FILE_REFRESH")
            self.layout.operator("riff.instant_model", icon="ADD")
            self.layout.label(text="No model yet; Generate makes an instant one", icon="INFO")
            return
        row.template_list("RIFF_UL_models", "", session, "models", session, "active_model", rows=3)
        buttons = row.column(align=True)
        buttons.operator("riff.instant_model", text="", icon="ADD")
        buttons.operator("riff.refresh_models", text="", icon="FILE_REFRESH")
        buttons.operator("riff.remove_model", text="", icon="TRASH")
        buttons.menu("RIFF_MT_models", text="", icon="DOWNARROW_HLT")
        if session.active_model < len(session.models):
            chosen = session.models[session.active_model]
            if chosen.problem:
                draw_problem(self.layout, chosen.problem)
            else:
                text = f"{chosen.rig}: {chosen.detail}" if chosen.rig else chosen.detail
                self.layout.label(text=text, translate=False)
                if chosen.quality != "Good" and chosen.advice:
                    draw_sentence(self.layout, say(chosen.advice.splitlines()[0]), "LIGHT")
                _draw_fit(self.layout, fit_of(active_armature(context), chosen))


def _draw_fit(layout: Any, fit: Fit | None) -> None:
    if fit is not None and fit.problem:
        draw_sentence(layout, fit.problem)
    elif fit is not None and fit.sentence:
        draw_sentence(layout, fit.sentence, "CHECKMARK")


class RIFF_MT_models(bpy.types.Menu):
    bl_label = "Model"

    def draw(self, context: Any) -> None:
        layout = self.layout
        layout.operator("riff.rename_model", icon="GREASEPENCIL")
        layout.separator()
        layout.operator("riff.import_model", icon="IMPORT")
        layout.operator("riff.export_model", icon="EXPORT")
        layout.operator("riff.reveal_models", icon="FILE_FOLDER")


class RIFF_MT_choose_model(bpy.types.Menu):
    """Menu of the models to generate from"""

    bl_label = "Model"

    def draw(self, context: Any) -> None:
        layout, ob = self.layout, active_armature(context)
        for model in context.window_manager.riff.models:
            fit = fit_of(ob, model)
            row = layout.row()
            row.active = not model.problem and (fit is None or not fit.problem)
            row.operator("riff.choose_model", text=model.name, icon="NETWORK_DRIVE", translate=False).name = model.name


CLASSES = (RIFF_UL_models, RIFF_PT_models, RIFF_MT_models, RIFF_MT_choose_model)
