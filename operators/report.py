"""Operator Copy Report: facts that help to find an error, without any name, for the clipboard."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import bpy

from ..core import HAS_INSTALLER
from ..core.system.report import report
from ..rig.background import jobs
from ..rig.library.names_in_file import names_of_file
from ..state.guard import prepare_log, show_problem
from ..state.preferences import training_device, training_python
from ..state.pytorch.trial import trial_state
from ..state.settings import settings_of

if HAS_INSTALLER:
    from ..state.pytorch.installation import torch_state


def text_of_report(context: bpy.types.Context) -> str:
    """Return the report for the clipboard."""
    facts = {
        "Riff": _version(),
        "Blender": f"{bpy.app.version_string}, {bpy.app.build_platform.decode(errors='replace')}",
        "PyTorch": str(_torch_facts().get("torch", "")),
        "Device": _device(),
        "Recipe": _recipe(context),
        "Latest training": _training(),
    }
    return report(facts, names_of_file())


def _version() -> str:
    manifest = Path(__file__).resolve().parents[1] / "blender_manifest.toml"
    return str(tomllib.loads(manifest.read_text(encoding="utf-8"))["version"])


def _torch_facts() -> dict[str, Any]:
    """Return the facts of the last trial, else those of the installation."""
    return trial_state.facts or (torch_state.facts if HAS_INSTALLER else {})


def _device() -> str:
    own = training_python() is not None
    used = [job.device_name for job in jobs.trainings() if job.device_name]
    known = str(_torch_facts().get("device", "")) or (torch_state.device.name if HAS_INSTALLER else "")
    found = [known] if known else []
    return ", ".join([f"wanted {training_device()}", *found, *used[-1:], "own process" if own else "Blender's process"])


def _recipe(context: bpy.types.Context) -> str:
    settings = settings_of(context)
    if settings.recipe != "custom":
        return str(settings.recipe)
    numbers = (
        f"{name} {getattr(settings, name):g}" for name in ("effort", "faithfulness", "foot_weight", "last_level")
    )
    return ", ".join([f"custom of {settings.base}", *numbers])


def _training() -> str:
    job = jobs.latest_training()
    if job is None:
        return ""
    progress = job.progress
    how_far = f", {progress.fraction:.0%}, {progress.steps_per_second:.1f} steps/s" if progress else ""
    return f"{job.state.value}{how_far}"


class RIFF_OT_copy_report(bpy.types.Operator):
    """Copy versions, device, recipe and the last lines of Riff's log to the clipboard, without names"""

    bl_idname = "riff.copy_report"
    bl_label = "Copy Report"

    def execute(self, context: bpy.types.Context) -> Any:
        prepare_log()
        text = text_of_report(context)
        show_problem("")
        if bpy.app.background:  # there is no clipboard without a window
            print(text)
            return {"FINISHED"}
        context.window_manager.clipboard = text
        self.report({"INFO"}, "Copied the report; it contains no names of files, bones, actions or people")
        return {"FINISHED"}


CLASSES = (RIFF_OT_copy_report,)
