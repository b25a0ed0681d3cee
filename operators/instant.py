"""Operator Instant Model: a model of the action without training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..state import timer
from ..state.poll_messages import armature_problem, set_poll_message
from ..state.rig_settings import active_armature
from ..state.settings import chosen_model
from .runs.instant_run import InstantRun


class RIFF_OT_instant_model(InstantRun, bpy.types.Operator):
    """Make a model of the armature's action at once, without training and without PyTorch"""

    bl_idname = "riff.instant_model"
    bl_label = "Instant Model"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, armature_problem(active_armature(context)))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        yield from self.make_instant_model(context)

    def finished(self, context: bpy.types.Context) -> Any:
        row = chosen_model(context)
        self.report({"INFO"}, f"Made the model “{row.label if row is not None else ''}”")
        timer.redraw()
        return {"FINISHED"}

    def cancelled(self, context: bpy.types.Context) -> None:
        self.cancel_instant_model()
        timer.redraw()


CLASSES = (RIFF_OT_instant_model,)
