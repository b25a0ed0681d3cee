"""Train panel: recipe and expected time, progress, results and unfinished trainings."""

from __future__ import annotations

from typing import Any

import bpy
from bl_ui.utils import PresetPanel

from ..state.armature_summary import summary_of
from ..state.loss_picture import loss_icon
from ..state.source import is_variation
from ..state.trainings import is_cancelled, is_done, time_left, trainings
from .install import draw_hint
from .tab import RiffPanel, draw_problem, draw_sentence, in_words, say


class RIFF_PT_train(RiffPanel, bpy.types.Panel):
    bl_label = "Train"
    bl_order = 1

    def draw_header_preset(self, context: Any) -> None:
        RIFF_PT_training_presets.draw_panel_header(self.layout)

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.riff
        if context.window_manager.riff.problem:
            draw_problem(layout, context.window_manager.riff.problem)
        known = trainings()
        for training in known:
            if training.running:
                _draw_progress(layout, training)
        _draw_recipe(layout, settings)
        if not draw_hint(layout):
            _draw_price(layout, context.object, settings)
        train = layout.operator("riff.train", icon="PLAY")
        train.recipe, train.seed = settings.recipe, settings.training_seed
        several = layout.operator("riff.train_on_actions", icon="ACTION_TWEAK")
        several.recipe, several.seed = settings.recipe, settings.training_seed
        if known and not known[-1].running:
            _draw_outcome(layout, known[-1])
        for row in context.window_manager.riff.unfinished:
            _draw_unfinished(layout, row)


def _draw_recipe(layout: Any, settings: Any) -> None:
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False  # settings cannot be animated
    column.prop(settings, "recipe")
    if settings.recipe != "custom":
        return
    header, body = layout.panel("RIFF_PT_custom_recipe", default_closed=True)
    header.label(text="Custom Recipe")
    if body is not None:
        body.use_property_split = True
        body.use_property_decorate = False
        for name in ("base", "effort", "faithfulness", "foot_weight", "training_seed"):
            body.prop(settings, name)


def _draw_price(layout: Any, ob: Any, settings: Any) -> None:
    action = ob.animation_data.action if ob and ob.type == "ARMATURE" and ob.animation_data else None
    if action is None or is_variation(action):
        return
    summary = summary_of(ob)
    if summary is None:
        return
    if summary.seconds:
        custom = settings.recipe == "custom"
        seconds = summary.seconds[settings.base] * settings.effort if custom else summary.seconds[settings.recipe]
        label = say("About {} on {}").format(in_words(seconds), summary.device)
        layout.label(text=label, icon="TIME", translate=False)
    elif summary.estimate is not None and summary.estimate.running:
        layout.label(text="Estimating the training time…", icon="TIME")
    elif summary.estimate is not None and summary.estimate.error:
        draw_problem(layout, summary.estimate.error)


def _draw_progress(layout: Any, training: Any) -> None:
    box = layout.box()
    box.label(text=training.name, icon="ACTION", translate=False)
    progress = training.progress
    if not training.begun:
        box.label(text="Waiting for the other training", icon="SORTTIME")
    elif progress is None:
        expected = training.expected
        words = say("Loading PyTorch") if expected is None else say("About {}").format(in_words(expected))
        box.progress(factor=0.0, text=words)
    elif training.phase:
        box.progress(factor=1.0, text=say(training.phase))
    else:
        words = say("Level {} of {}, {} left").format(progress.level, progress.levels, time_left(training))
        box.progress(factor=progress.fraction, text=words)
        icon = loss_icon(training)
        if icon:
            box.template_icon(icon_value=icon, scale=5.0)
            box.label(text=training.device_name, icon="DESKTOP", translate=False)
    if training.problem:
        draw_sentence(box, training.problem, "ERROR", alert=True)
    if progress is not None and progress.rate_cuts:
        words = say("Training diverged; continuing from an earlier state with lower learning rates")
        draw_sentence(box, words, "INFO")
    buttons = box.row(align=True)
    if progress is not None and not training.phase:
        buttons.operator("riff.end_training", icon="CHECKMARK").name = training.name
    buttons.operator("riff.cancel_training", text="Cancel", icon="CANCEL").name = training.name


def _draw_outcome(layout: Any, training: Any) -> None:
    if is_done(training) and training.progress is not None:
        words = say("Trained in {}").format(in_words(training.progress.seconds))
        layout.label(text=words, icon="CHECKMARK", translate=False)
    elif is_cancelled(training):
        layout.label(text="Training was cancelled", icon="INFO")
    if training.error:
        draw_problem(layout, training.error)


def _draw_unfinished(layout: Any, row: Any) -> None:
    box = layout.box()
    top = box.row()
    top.label(text=row.name, icon="ERROR" if row.problem else "PAUSE", translate=False)
    top.operator("riff.discard_training", text="", icon="TRASH", emboss=False).name = row.name
    if row.problem:
        draw_sentence(box, row.problem, "BLANK1", alert=True)
        return
    line = box.split(factor=0.6)
    line.label(text=row.detail, translate=False)
    line.operator("riff.resume_training", icon="FORWARD").name = row.name


class RIFF_PT_training_presets(PresetPanel, bpy.types.Panel):
    bl_label = "Training Presets"
    preset_subdir = "riff/training"
    preset_operator = "script.execute_preset"
    preset_add_operator = "riff.add_training_preset"


CLASSES = (RIFF_PT_training_presets, RIFF_PT_train)
