"""Generate panel: the model, how many, from which seed, and the button."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.model_fit import fit_of
from ..state.rig_settings import active_armature
from .tab import RiffPanel, draw_seed


class RIFF_PT_generate(RiffPanel, bpy.types.Panel):
    bl_label = "Generate"
    bl_order = 1
    side = "MAKE"

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.riff
        draw_generate(layout, context)
        header, body = layout.panel("RIFF_PT_generate_options", default_closed=True)
        header.label(text="Options")
        if body is not None:
            _draw_options(body, settings)


def draw_generate(layout: Any, context: Any) -> None:
    """Draw what every click on Generate needs: model, count, seed, and the button."""
    settings = context.scene.riff
    _draw_model(layout, context)
    row = layout.row(align=True)
    row.prop(settings, "count")
    draw_seed(row, settings, settings)
    button = layout.column()
    button.scale_y = 1.3
    fill_generate(button.operator("riff.generate", icon="RNDCURVE"), settings)


def _draw_model(layout: Any, context: Any) -> None:
    session = context.window_manager.riff
    if session.active_model >= len(session.models):
        layout.label(text="No model yet; Generate makes an instant one", icon="INFO")
        return
    chosen = session.models[session.active_model]
    fit = fit_of(active_armature(context), chosen)
    row = layout.row()
    row.alert = bool(chosen.problem or (fit is not None and fit.problem))
    row.menu("RIFF_MT_choose_model", text=chosen.name, icon="ERROR" if row.alert else "NETWORK_DRIVE", translate=False)


def _draw_options(layout: Any, settings: Any) -> None:
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column()
    column.prop(settings, "source_length")
    frames = column.column()
    frames.active = not settings.source_length
    frames.prop(settings, "frames")
    column.prop(settings, "loop")
    strength = layout.column(align=True)
    strength.prop(settings, "coarse", slider=True)
    strength.prop(settings, "fine", slider=True)
    layout.prop(settings, "clean_feet")


def fill_generate(generate: Any, settings: Any) -> None:
    """Set the settings of the operator Generate to those of the panel."""
    generate.frames = 0 if settings.source_length else settings.frames
    for name in ("count", "loop", "seed", "coarse", "fine", "clean_feet"):
        setattr(generate, name, getattr(settings, name))


CLASSES = (RIFF_PT_generate,)
