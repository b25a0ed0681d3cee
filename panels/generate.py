"""Generate panel: the model, how many, from which seed, and the button."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.model_fit import fit_of
from ..state.rig_settings import active_armature
from ..state.settings import chosen_model
from .tab import RiffPanel, draw_seed, say

SAME_RATE = 0.01
"""Largest difference of two frame rates that count as the same."""


class RIFF_PT_generate(RiffPanel, bpy.types.Panel):
    bl_label = "Generate"
    bl_order = 1
    side = "MAKE"

    def draw(self, context: Any) -> None:
        layout = self.layout
        draw_generate(layout, context)
        header, body = layout.panel("RIFF_PT_generate_options", default_closed=True)
        header.label(text="Options")
        if body is not None:
            _draw_options(body, context)


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
    row.menu("RIFF_MT_choose_model", text=chosen.shown, icon="ERROR" if row.alert else "NETWORK_DRIVE", translate=False)


def _draw_options(layout: Any, context: Any) -> None:
    settings = context.scene.riff
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column()
    column.prop(settings, "source_length")
    frames = column.column()
    frames.active = not settings.source_length
    frames.prop(settings, "frames")
    _draw_length(column, context, settings)
    column.prop(settings, "loop")
    column.prop(settings, "root")
    strength = layout.column(align=True)
    strength.prop(settings, "coarse", slider=True)
    strength.prop(settings, "fine", slider=True)
    layout.prop(settings, "clean_feet")


def _draw_length(layout: Any, context: Any, settings: Any) -> None:
    """Draw the length of variations in frames and seconds; the clip may have been learned at another rate."""
    rate, model = context.scene.render.fps / context.scene.render.fps_base, chosen_model(context)
    if not settings.source_length:
        frames, seconds = settings.frames, (settings.frames - 1) / rate
    elif model is not None and model.seconds and abs(model.source_fps - rate) > SAME_RATE:
        frames, seconds = round(model.seconds * rate) + 1, model.seconds
        learned = say("Learned at {:g} fps").format(round(model.source_fps, 2))
        layout.label(text=learned, icon="PREVIEW_RANGE", translate=False)
    else:
        return
    length = say("{:.0f} frames, {:.1f} s at {:g} fps").format(frames, seconds, round(rate, 2))
    layout.label(text=length, icon="TIME", translate=False)


def fill_generate(generate: Any, settings: Any) -> None:
    """Set the settings of the operator Generate to those of the panel."""
    generate.frames = 0 if settings.source_length else settings.frames
    for name in ("count", "loop", "root", "seed", "coarse", "fine", "clean_feet"):
        setattr(generate, name, getattr(settings, name))


CLASSES = (RIFF_PT_generate,)
