"""Train panel: recipe, expected time, the trainings with their curves; and the panel of unfinished ones."""

from __future__ import annotations

from typing import Any

import bpy
from bl_ui.utils import PresetPanel

from ..state.armature_summary import summary_of
from ..state.loss_picture import loss_icon
from ..state.rig_settings import active_armature
from ..state.source import is_variation
from ..state.trainings import is_cancelled, is_done, trainings
from .pytorch.standing import draw_hint
from .tab import RiffPanel, draw_problem, draw_sentence, in_words, say


class RIFF_PT_train(RiffPanel, bpy.types.Panel):
    bl_label = "Train"
    bl_order = 2
    side = "LEARN"

    def draw_header_preset(self, context: Any) -> None:
        RIFF_PT_training_presets.draw_panel_header(self.layout)

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.riff
        _draw_recipe(layout, settings)
        if not draw_hint(layout):
            _draw_price(layout, active_armature(context), settings)
        train = layout.operator("riff.train", icon="PLAY")
        train.recipe, train.seed = settings.recipe, settings.training_seed
        several = layout.operator("riff.train_on_actions", icon="ACTION_TWEAK")
        several.recipe, several.seed = settings.recipe, settings.training_seed
        header, body = layout.panel("RIFF_PT_progress", default_closed=True)
        header.label(text="Progress")
        if body is not None:
            _draw_trainings(body)


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
        for name in ("base", "effort", "faithfulness", "foot_weight", "last_level", "training_seed"):
            body.prop(settings, name)


def _draw_price(layout: Any, ob: Any, settings: Any) -> None:
    """Draw the expected training time: one line, also where nothing is known yet."""
    action = ob.animation_data.action if ob and ob.animation_data else None
    summary = summary_of(ob) if action is not None and not is_variation(action) else None
    if summary is not None and summary.seconds:
        custom = settings.recipe == "custom"
        seconds = summary.seconds[settings.base] * settings.effort if custom else summary.seconds[settings.recipe]
        words = say("About {} on {}") if settings.recipe == "paper" else say("Up to {} on {}")  # fast may end early
        label = words.format(in_words(seconds), summary.device)
        layout.label(text=label, icon="TIME", translate=False)
    elif summary is not None and summary.estimate is not None and summary.estimate.running:
        layout.label(text="Estimating the training time…", icon="TIME")
    elif summary is not None and summary.estimate is not None and summary.estimate.error:
        draw_problem(layout, summary.estimate.error)
    else:
        layout.label(text="", icon="BLANK1")


def _draw_trainings(layout: Any) -> None:
    """Draw the trainings that run or wait, else the latest, with its curves."""
    known = trainings()
    shown = [training for training in known if training.running] or known[-1:]
    if not shown:
        layout.label(text="There was no training yet", icon="INFO")
    for training in shown:
        _draw_training(layout.box(), training)


def _draw_training(box: Any, training: Any) -> None:
    progress = training.progress
    top = box.row()
    top.label(text=training.name, icon="ACTION", translate=False)
    if training.running:
        top.operator("riff.cancel_training", text="", icon="X", emboss=False).name = training.name
    if training.running and not training.begun:
        box.label(text="Waiting for the other training", icon="SORTTIME")
        return
    if training.running:
        box.label(text=training.device_name, icon="DESKTOP", translate=False)
    elif is_done(training) and progress is not None:
        words = say("Trained in {}").format(in_words(progress.seconds))
        box.label(text=words, icon="CHECKMARK", translate=False)
    elif is_cancelled(training):
        box.label(text="Training was cancelled", icon="INFO")
    if training.problem:
        draw_sentence(box, training.problem, "ERROR", alert=True)
    if training.error:
        draw_problem(box, training.error)
    if progress is not None and progress.rate_cuts:
        words = say("Training diverged; continuing from an earlier state with lower learning rates")
        draw_sentence(box, words, "INFO")
    icon = loss_icon(training)
    if icon:
        box.template_icon(icon_value=icon, scale=5.0)
        legend = box.column(align=True)
        legend.label(text="Blue: the critic's loss")
        legend.label(text="Orange: the generator's loss")
        legend.label(text="Green: distance from the source")


class RIFF_PT_unfinished(RiffPanel, bpy.types.Panel):
    """Panel of unfinished trainings: the last of the tab, so that it moves no other one when it comes"""

    bl_label = "Unfinished Trainings"
    bl_order = 5
    side = "LEARN"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return super().poll(context) and len(context.window_manager.riff.unfinished) > 0

    def draw(self, context: Any) -> None:
        for row in context.window_manager.riff.unfinished:
            _draw_unfinished(self.layout, row)


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


CLASSES = (RIFF_PT_training_presets, RIFF_PT_train, RIFF_PT_unfinished)
