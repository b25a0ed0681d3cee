"""The tab Riff in the sidebar of the 3D viewport."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from ..core.progress_line import clock
from ..rig import jobs

WIDTH = 38
"""Characters of a line in a sidebar of usual width."""


def in_words(seconds: float) -> str:
    """A time as people say it: 40 s, 8 min, 3 h 20 min."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class _RiffPanel:
    bl_space_type: Any = "VIEW_3D"
    bl_region_type: Any = "UI"
    bl_category = "Riff"


class RIFF_PT_source(_RiffPanel, bpy.types.Panel):
    bl_label = "Source"

    def draw(self, context: Any) -> None:
        layout, ob = self.layout, context.object
        if ob is None or ob.type != "ARMATURE":
            layout.label(text="Select an armature", icon="INFO")
            layout.operator("riff.add_sample_dancer", icon="ADD")
            return
        layout.label(text=ob.name, icon="ARMATURE_DATA")
        action = ob.animation_data.action if ob.animation_data else None
        if action is None:
            layout.label(text="No action to learn from", icon="INFO")
            return
        start, end = action.frame_range
        rate = context.scene.render.fps / context.scene.render.fps_base
        layout.label(text=action.name, icon="ACTION")
        layout.label(text=f"{end - start + 1:.0f} frames, {(end - start) / rate:.1f} s at {rate:g} fps", icon="TIME")


class RIFF_PT_train(_RiffPanel, bpy.types.Panel):
    bl_label = "Train"

    def draw(self, context: Any) -> None:
        layout, training = self.layout, jobs.latest_training()
        if training is not None and training.running:
            _draw_progress(layout, training)
            return
        layout.prop(context.scene.riff, "recipe")
        layout.operator("riff.train", icon="PLAY").recipe = context.scene.riff.recipe
        if training is not None:
            _draw_outcome(layout, training)


def _draw_progress(layout: Any, training: jobs.TrainingJob) -> None:
    progress = training.progress
    layout.label(text=training.name, icon="ACTION")
    if progress is None:
        text = "Loading PyTorch" if training.expected is None else f"About {in_words(training.expected)}"
        layout.progress(factor=0.0, text=text)
    else:
        text = f"Level {progress.level} of {progress.levels}, {clock(progress.seconds_left)} left"
        layout.progress(factor=progress.fraction, text=text)
    layout.operator("riff.cancel_training", icon="CANCEL")


def _draw_outcome(layout: Any, training: jobs.TrainingJob) -> None:
    if training.state is jobs.State.DONE and training.progress is not None:
        layout.label(text=f"Trained in {in_words(training.progress.seconds)}", icon="CHECKMARK")
    elif training.state is jobs.State.CANCELLED:
        layout.label(text="Training was cancelled", icon="INFO")
    if training.error:
        column = layout.column(align=True)
        column.alert = True
        for number, line in enumerate(textwrap.wrap(training.error, WIDTH)):
            column.label(text=line, icon="BLANK1" if number else "ERROR")


class RIFF_PT_generate(_RiffPanel, bpy.types.Panel):
    bl_label = "Generate"

    def draw(self, context: Any) -> None:
        layout, session, settings = self.layout, context.window_manager.riff, context.scene.riff
        row = layout.row()
        row.template_list("RIFF_UL_models", "", session, "models", session, "active_model", rows=3)
        buttons = row.column(align=True)
        buttons.operator("riff.refresh_models", text="", icon="FILE_REFRESH")
        buttons.operator("riff.remove_model", text="", icon="TRASH")
        layout.use_property_split = True
        layout.use_property_decorate = False  # these are no properties to animate
        column = layout.column()
        column.prop(settings, "count")
        column.prop(settings, "source_length")
        length = column.row()
        length.active = not settings.source_length
        length.prop(settings, "frames")
        column.prop(settings, "seed")
        generate = layout.operator("riff.generate", icon="RNDCURVE")
        generate.count, generate.seed = settings.count, settings.seed
        generate.frames = 0 if settings.source_length else settings.frames


class RIFF_PT_variations(_RiffPanel, bpy.types.Panel):
    bl_label = "Variations"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return context.object is not None and context.object.type == "ARMATURE"

    def draw(self, context: Any) -> None:
        session = context.window_manager.riff
        self.layout.template_list("RIFF_UL_variations", "", session, "variations", session, "active_variation", rows=5)
        if session.active_variation < len(session.variations):
            source = session.variations[session.active_variation].source
            if source:
                back = self.layout.operator("riff.show_action", text=f"Back to {source}", icon="LOOP_BACK")
                back.action = source


CLASSES = (RIFF_PT_source, RIFF_PT_train, RIFF_PT_generate, RIFF_PT_variations)
