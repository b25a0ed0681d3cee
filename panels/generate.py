"""Panels Models, Generate and Variations."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.model_fit import Fit, fit_of
from ..state.session import chosen_variation
from .tab import ForArmature, RiffPanel, draw_problem, draw_seed, draw_sentence, say


class RIFF_PT_models(RiffPanel, bpy.types.Panel):
    bl_label = "Models"
    bl_order = 2

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
                _draw_fit(self.layout, fit_of(context.object, chosen))


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


class RIFF_PT_generate(RiffPanel, bpy.types.Panel):
    bl_label = "Generate"
    bl_order = 3

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.riff
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(settings, "count")
        column.prop(settings, "source_length")
        if not settings.source_length:
            column.prop(settings, "frames")
        column.prop(settings, "loop")
        draw_seed(column, settings, settings)
        strength = layout.column(align=True)
        strength.prop(settings, "coarse", slider=True)
        strength.prop(settings, "fine", slider=True)
        layout.prop(settings, "clean_feet")
        generate = layout.column()
        generate.scale_y = 1.3
        fill_generate(generate.operator("riff.generate", icon="RNDCURVE"), settings)


def fill_generate(generate: Any, settings: Any) -> None:
    """Set the settings of the operator Generate to those of the panel."""
    generate.frames = 0 if settings.source_length else settings.frames
    for name in ("count", "loop", "seed", "coarse", "fine", "clean_feet"):
        setattr(generate, name, getattr(settings, name))


class RIFF_PT_variations(ForArmature, bpy.types.Panel):
    bl_label = "Variations"
    bl_order = 5

    def draw(self, context: Any) -> None:
        layout, session = self.layout, context.window_manager.riff
        row = layout.row()
        row.template_list("RIFF_UL_variations", "", session, "variations", session, "active_variation", rows=5)
        chosen = chosen_variation(context)
        buttons = row.column(align=True)
        buttons.enabled = chosen is not None
        buttons.operator("riff.more_like_this", text="", icon="DUPLICATE")
        buttons.operator("riff.reduce_keys", text="", icon="MOD_DECIM")
        buttons.operator("riff.variation_to_nla", text="", icon="NLA_PUSHDOWN")
        buttons.operator("riff.mark_asset", text="", icon="ASSET_MANAGER")
        layout.operator("riff.discard_others", icon="TRASH")
        if chosen is not None and chosen.source:
            back = say("Back to {}").format(chosen.source)
            layout.operator("riff.show_action", text=back, icon="LOOP_BACK", translate=False).action = chosen.source


CLASSES = (RIFF_PT_models, RIFF_MT_models, RIFF_PT_generate, RIFF_PT_variations)
