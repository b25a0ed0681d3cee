"""Install PyTorch, cancel, try, remove; and what the preferences show of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ..core.errors import RiffError
from ..core.generation.backends import has_torch
from ..core.torch_install.finder import TorchFinder
from ..core.torch_install.folder import Standing, TorchFolder, find_folders
from ..core.torch_install.hardware import Device, find_device
from ..core.torch_install.install import without_hashes
from ..core.torch_install.plan import WHEELS, Plan, plans, python_tag, suggested
from ..rig.background import jobs
from ..rig.background.install_job import InstallJob, TrialJob
from ..rig.library.models import torch_root
from . import timer
from .poll import answer

INSIDE = WHEELS / "torch"
"""Where the full download carries PyTorch's wheels."""

_finder = TorchFinder()


@dataclass
class TorchState:
    """What is known of PyTorch in this Blender, looked up now and then so that drawing need not."""

    device: Device = field(default_factory=lambda: Device("", "Processor"))
    plans: list[Plan] = field(default_factory=list)
    root: str = ""
    folder: TorchFolder | None = None
    standing: Standing = Standing.ABSENT
    facts: dict[str, Any] = field(default_factory=dict)
    here: bool = False
    """Whether `import torch` would find one, Riff's own or another."""
    inside: bool = False
    """Whether this download carries the wheels."""
    problem: str = ""
    job: InstallJob | TrialJob | None = None

    @property
    def working(self) -> bool:
        return self.job is not None and self.job.running


state = TorchState()


def refresh() -> None:
    """Look again at the disk and at the machine: some milliseconds."""
    state.device, state.plans, state.inside = find_device(), plans(), INSIDE.is_dir()
    try:
        root = torch_root()
    except RiffError as error:
        state.problem = str(error)
        return
    folders = find_folders(root, python_tag())
    state.root, state.folder = str(root), folders[0] if folders else None
    state.standing, state.facts = Standing.ABSENT, {}
    if state.folder is not None:
        pinned = {plan.backend: plan.fingerprint for plan in state.plans}
        state.standing = state.folder.standing(pinned.get(state.folder.backend, ""))
        state.facts = state.folder.facts()
    ready = state.standing in (Standing.READY, Standing.OUTDATED)
    _finder.use(state.folder.packages if ready and state.folder else None)
    state.here = has_torch()


def chosen_plan(backend: str) -> Plan | None:
    """The plan for a backend, or for the device of this machine where it is “auto”."""
    if backend == "auto":
        return suggested(state.device, state.plans)
    return next((plan for plan in state.plans if plan.backend == backend), None)


def backend_items(_: Any, __: Any) -> list[tuple[str, str, str]]:
    """Items of the preference that says which PyTorch to install."""
    _items[:] = [("auto", "Automatic", "What suits the device of this machine")]
    _items.extend((plan.backend, plan.title, f"PyTorch {plan.torch}, {plan.tried}") for plan in state.plans)
    return _items


_items: list[tuple[str, str, str]] = []  # Blender keeps no copy of the texts


def _preferences(context: bpy.types.Context) -> Any:
    return context.preferences.addons[__package__.rpartition(".")[0]].preferences


def _begin(job: InstallJob | TrialJob) -> None:
    state.job, state.problem = job, ""
    job.start()
    timer.ensure_running()
    timer.redraw()


def _busy_problem() -> str:
    if state.working:
        return "PyTorch is being installed or tried"
    if any(training.running for training in jobs.trainings()):
        return "A training runs; let it end or cancel it first"
    return ""


class RIFF_OT_install_torch(bpy.types.Operator):
    """Install PyTorch, which only training needs, into a folder of Riff's own; Blender's Python stays as it is"""

    bl_idname = "riff.install_torch"
    bl_label = "Install PyTorch"

    source: EnumProperty(
        name="From",
        description="Where PyTorch comes from",
        items=[
            ("INDEX", "Package Index", "Fetch it from the network"),
            ("WHEELS", "Folder of Wheels", "Take it from a folder, without any network"),
        ],
        default="INDEX",
    )
    directory: StringProperty(
        name="Folder",
        description="Folder of wheels of PyTorch and what it needs",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return answer(cls, _busy_problem())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if self.source == "WHEELS" and not self.directory:
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> Any:
        refresh()
        plan = chosen_plan(_preferences(context).backend)
        wheels = Path(bpy.path.abspath(self.directory)) if self.source == "WHEELS" else None
        if wheels is None and state.inside:
            wheels = INSIDE
        problem = state.problem or _refusal(plan, wheels)
        if problem:
            self.report({"ERROR"}, problem)
            return {"CANCELLED"}
        if plan is None:
            # Wheels of a studio's own for a machine that nothing is pinned for.
            plan = Plan(Path(), "", "own", "", "", 0, 0, "")
        _begin(InstallJob(plan, TorchFolder(Path(state.root), python_tag(), plan.backend), wheels))
        return {"FINISHED"}


def _refusal(plan: Plan | None, wheels: Path | None) -> str:
    """What keeps PyTorch from being installed, as a sentence; empty where nothing does."""
    if wheels is not None:
        return ""
    if plan is None:
        version = ".".join(map(str, sys.version_info[:2]))
        return (
            f"There is no PyTorch for this system and Python {version}; generating works without it. Train on another "
            "machine, or use an existing Python environment."
        )
    if not plan.hashed:
        return without_hashes(plan)
    if not bpy.app.online_access:
        return (
            "Blender may not go online; allow it in Preferences › System › Network, or install from a folder of wheels."
        )
    return ""


class RIFF_OT_cancel_install(bpy.types.Operator):
    """Stop; what has been fetched is kept, and installing goes on from there the next time"""

    bl_idname = "riff.cancel_install"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return answer(cls, "" if state.working else "Nothing is being installed")

    def execute(self, context: bpy.types.Context) -> Any:
        if state.job is not None:
            state.job.cancel()
        return {"FINISHED"}


class RIFF_OT_try_torch(bpy.types.Operator):
    """Compute a convolution and its gradient with PyTorch, and say on which device"""

    bl_idname = "riff.try_torch"
    bl_label = "Try It"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return answer(cls, _busy_problem())

    def execute(self, context: bpy.types.Context) -> Any:
        refresh()
        python = _preferences(context).python
        if python:
            _begin(TrialJob(Path(bpy.path.abspath(python))))
        elif state.folder is not None:
            _begin(TrialJob(state.folder))
        elif state.here:
            _begin(TrialJob(Path(sys.executable)))
        else:
            self.report({"ERROR"}, "PyTorch is not installed")
            return {"CANCELLED"}
        return {"FINISHED"}


class RIFF_OT_remove_torch(bpy.types.Operator):
    """Delete Riff's own PyTorch; models stay, and generating goes on without it"""

    bl_idname = "riff.remove_torch"
    bl_label = "Remove"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return answer(cls, _busy_problem() or ("" if state.folder is not None else "PyTorch is not installed"))

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
            state.job = None
            refresh()
            timer.redraw()
        return {"FINISHED"}


def _job_ended(job: jobs.Job) -> None:
    """Called with each job that has ended."""
    if isinstance(job, jobs.TrainingJob) and job.state is jobs.State.FAILED and state.folder is not None:
        job.error = state.folder.what_is_gone() or job.error
    if job is state.job:
        refresh()
        state.problem = job.error
        if isinstance(job, InstallJob) and job.state is jobs.State.DONE:
            _remove_others(job.folder)
            refresh()


def _remove_others(kept: TorchFolder) -> None:
    """One PyTorch is enough: those of other backends go when a new one works."""
    for folder in find_folders(kept.root, kept.python):
        if folder.backend != kept.backend:
            try:
                folder.remove()
            except RiffError as error:
                state.problem = str(error)


CLASSES = (RIFF_OT_install_torch, RIFF_OT_cancel_install, RIFF_OT_try_torch, RIFF_OT_remove_torch)


def register() -> None:
    timer.listeners.append(_job_ended)
    # At start-up Blender has no user folder for extensions to look into yet; a moment later it has.
    bpy.app.timers.register(refresh, first_interval=0.0)


def unregister() -> None:
    if _job_ended in timer.listeners:
        timer.listeners.remove(_job_ended)
    if bpy.app.timers.is_registered(refresh):
        bpy.app.timers.unregister(refresh)
    _finder.use(None)
    state.job = None
