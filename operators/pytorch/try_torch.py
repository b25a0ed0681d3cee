"""Operator that tests PyTorch in the Python that trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ...core import HAS_INSTALLER
from ...rig.background import jobs
from ...state.poll_messages import set_poll_message
from ...state.preferences import named_python
from ...state.pytorch.trial import begin_trial, own_python, refresh, trial_state

if HAS_INSTALLER:
    from ...state.pytorch import installation


def busy_problem() -> str:
    """Return why PyTorch can be neither tested nor changed now; empty if it can."""
    if trial_state.working or (HAS_INSTALLER and installation.torch_state.working):
        return "PyTorch is being installed or tested"
    if any(training.running for training in jobs.trainings()):
        return "A training is running; wait for it to end, or cancel it"
    return ""


class RIFF_OT_try_torch(bpy.types.Operator):
    """Test PyTorch with a convolution and its gradient, and show the device"""

    bl_idname = "riff.try_torch"
    bl_label = "Test"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, busy_problem())

    def execute(self, context: bpy.types.Context) -> Any:
        python, torch = _interpreter()
        if python is None:
            self.report({"ERROR"}, "PyTorch is not installed")
            return {"CANCELLED"}
        begin_trial(python, torch)
        return {"FINISHED"}


class RIFF_OT_cancel_trial(bpy.types.Operator):
    """Stop the test of PyTorch"""

    bl_idname = "riff.cancel_trial"
    bl_label = "Cancel Test"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, "" if trial_state.working else "PyTorch is not being tested")

    def execute(self, context: bpy.types.Context) -> Any:
        if trial_state.job is not None:
            trial_state.job.cancel()
        return {"FINISHED"}


def _interpreter() -> tuple[Path | None, Path | None]:
    """Return the interpreter that trains, and the folder of Riff's own PyTorch if that is used."""
    named = named_python()
    if named is not None:
        return named, None
    if HAS_INSTALLER:
        installation.refresh()
        own = installation.tested_folder()
        if own is not None:
            return own
    refresh()
    return own_python(), None


CLASSES = (RIFF_OT_try_torch, RIFF_OT_cancel_trial)
