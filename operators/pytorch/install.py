"""Operators that install PyTorch, cancel that, and remove it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ...core.errors import RiffError
from ...core.torch_install.folder import TorchFolder, find_folders
from ...core.torch_install.hardware import runs_under_rosetta
from ...core.torch_install.install import without_hashes
from ...core.torch_install.plan import TorchRelease, python_tag
from ...rig.background.install_job import InstallJob
from ...rig.compat import EXTENSION
from ...rig.library.models import torch_root
from ...state import timer
from ...state.poll_messages import set_poll_message
from ...state.pytorch.installation import BUNDLED_WHEELS, chosen_plan, refresh, torch_state
from .try_torch import busy_problem


def _preferences(context: bpy.types.Context) -> Any:
    return context.preferences.addons[EXTENSION].preferences


def _begin(job: InstallJob) -> None:
    torch_state.job, torch_state.problem = job, ""
    job.start()
    timer.ensure_running()
    timer.redraw()


def _reading_problem() -> str:
    return "The graphics card is being read; some seconds" if torch_state.reading else ""


class RIFF_OT_install_torch(bpy.types.Operator):
    """Install PyTorch, which only training needs, into Riff's own folder; Blender's Python is not changed"""

    bl_idname = "riff.install_torch"
    bl_label = "Install PyTorch"

    source: EnumProperty(
        name="From",
        description="Source of PyTorch",
        items=[
            ("INDEX", "Package Index", "Download it"),
            ("WHEELS", "Folder of Wheels", "Install it from a folder, without a network"),
        ],
        default="INDEX",
    )
    directory: StringProperty(
        name="Folder",
        description="Folder with the wheels of PyTorch and its dependencies",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, busy_problem() or _reading_problem())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if self.source == "WHEELS" and not self.directory:
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> Any:
        refresh()
        plan = chosen_plan(_preferences(context).backend)
        wheels = Path(bpy.path.abspath(self.directory)) if self.source == "WHEELS" else None
        if wheels is None and torch_state.bundled:
            wheels = BUNDLED_WHEELS
        problem = torch_state.problem or _refusal(plan, wheels)
        if problem:
            self.report({"ERROR"}, problem)
            return {"CANCELLED"}
        if plan is None:
            # a studio's own wheels, for a machine without a pinned release
            plan = TorchRelease(Path(), "", "own", "", "", 0, 0, "")
        _begin(InstallJob(plan, TorchFolder(Path(torch_state.root), python_tag(), plan.backend), wheels))
        return {"FINISHED"}


def _refusal(plan: TorchRelease | None, wheels: Path | None) -> str:
    """Return the reason why PyTorch cannot be installed, as a sentence; empty if it can."""
    if wheels is not None:
        return ""
    if plan is None and runs_under_rosetta():
        return "This Blender is the one for Macs with Intel; install the one for Apple silicon, which has a PyTorch."
    if plan is None:
        version = ".".join(map(str, sys.version_info[:2]))
        return (
            f"PyTorch is not available for this system and Python {version}; generating works without it. Train on "
            "another machine, or use an existing Python environment."
        )
    if not plan.hashed:
        return without_hashes(plan)
    if not bpy.app.online_access:
        return (
            "Blender may not go online; allow it in Preferences › System › Network, or install from a folder of wheels."
        )
    return ""


class RIFF_OT_cancel_install(bpy.types.Operator):
    """Stop; downloaded files are kept, and the next installation continues from there"""

    bl_idname = "riff.cancel_install"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, "" if torch_state.working else "Nothing is being installed")

    def execute(self, context: bpy.types.Context) -> Any:
        if torch_state.job is not None:
            torch_state.job.cancel()
        return {"FINISHED"}


class RIFF_OT_remove_torch(bpy.types.Operator):
    """Delete Riff's own PyTorch; models are kept, and generating still works"""

    bl_idname = "riff.remove_torch"
    bl_label = "Remove"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(
            cls, busy_problem() or ("" if torch_state.folder is not None else "PyTorch is not installed")
        )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> Any:
        try:
            for folder in find_folders(torch_root(), python_tag()):
                folder.remove()
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            torch_state.job = None
            refresh()
            timer.redraw()
        return {"FINISHED"}


CLASSES = (RIFF_OT_install_torch, RIFF_OT_cancel_install, RIFF_OT_remove_torch)
