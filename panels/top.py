"""Top of the tab: the switch between Make and Learn, and a line for the running training, a note or the armature."""

from __future__ import annotations

from typing import Any

import bpy

from ..state import rig_marks
from ..state.rig_settings import active_armature
from ..state.session import chosen_variation
from ..state.trainings import note_drawn, running_training, time_left
from .generate import draw_generate
from .tab import RiffPanel, draw_problem, in_words, say
from .variations import draw_variations


class RIFF_PT_top(RiffPanel, bpy.types.Panel):
    bl_label = "Make and Learn"
    bl_order = 0
    bl_options = {"HIDE_HEADER"}

    def draw(self, context: Any) -> None:
        rig_marks.header_drawn()
        layout, session = self.layout, context.window_manager.riff
        row = layout.row()
        row.prop(session, "tab", expand=True)
        draw_line(layout, context)
        if session.problem:
            draw_problem(layout, session.problem)
        if active_armature(context) is None:
            _draw_hint(layout)


def draw_line(layout: Any, context: Any) -> None:
    """Draw one line, as high in each state: the running training, else the note on one, else what is worked on."""
    session, training = context.window_manager.riff, running_training()
    row = layout.row(align=True)
    if training is not None:
        _draw_progress(row, training)
    elif session.note:
        note_drawn()
        icon = "ERROR" if session.note_problem else "CHECKMARK"
        words = row.row(align=True)
        words.alert = bool(session.note_problem)
        words.operator("riff.read_note", text=session.note, icon=icon, translate=False)
        row.operator("riff.close_note", text="", icon="X")
    else:
        _draw_subject(row, context)


def _draw_progress(row: Any, training: Any) -> None:
    progress = training.progress
    if not training.begun:
        row.progress(factor=0.0, text=say("Waiting"))
    elif progress is None:
        expected = training.expected
        words = say("Loading PyTorch") if expected is None else say("About {}").format(in_words(expected))
        row.progress(factor=0.0, text=words)
    elif training.phase:
        row.progress(factor=1.0, text=say(training.phase))
    elif training.ends_early:
        row.progress(factor=progress.fraction, text=say("Ending"))
    else:
        words = say("Level {} of {}, {} left").format(progress.level, progress.levels, time_left(training))
        row.progress(factor=progress.fraction, text=words)
    enough = row.row(align=True)
    enough.enabled = progress is not None and not training.phase and not training.ends_early
    enough.operator("riff.end_training", text="", icon="CHECKMARK").name = training.name
    row.operator("riff.cancel_training", text="", icon="X").name = training.name


def _draw_subject(row: Any, context: Any) -> None:
    ob, variation = active_armature(context), chosen_variation(context)
    if ob is None:
        row.label(text="No armature is selected", icon="INFO")
        return
    action = ob.animation_data.action if ob.animation_data else None
    played = variation.label if variation is not None else action.name if action is not None else ""
    words = f"{ob.name}: {played}" if played else ob.name
    row.label(text=words, icon="ARMATURE_DATA", translate=False)


def _draw_hint(layout: Any) -> None:
    layout.label(text="Select an armature, or try it out:")
    column = layout.column()
    column.scale_y = 1.3
    column.operator("riff.add_sample_dancer", icon="ADD")
    steps = layout.column(align=True)
    steps.active = False
    steps.label(text="1. Add Sample Dancer", icon="BLANK1")
    steps.label(text="2. Generate", icon="BLANK1")
    steps.label(text="3. Click a variation to see it", icon="BLANK1")


class RIFF_PT_dope_sheet(RiffPanel, bpy.types.Panel):
    """Panel in the sidebar of dope sheet and timeline, where the parts of Make that one needs beside the keys are"""

    bl_label = "Make"
    bl_space_type = "DOPESHEET_EDITOR"

    def draw(self, context: Any) -> None:
        draw_line(self.layout, context)
        draw_generate(self.layout, context)
        if active_armature(context) is not None:
            draw_variations(self.layout, context)


CLASSES = (RIFF_PT_top, RIFF_PT_dope_sheet)
