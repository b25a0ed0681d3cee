"""The state of PyTorch in this Blender: what is installed, what could be, the job that installs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bpy

from ..core.errors import RiffError
from ..core.generation.backends import has_torch
from ..core.torch_install.finder import TorchFinder
from ..core.torch_install.folder import InstallState, TorchFolder, find_folders
from ..core.torch_install.hardware import Device, find_device
from ..core.torch_install.install import in_gigabytes
from ..core.torch_install.plan import WHEELS, TorchRelease, plans, python_tag, suggested
from ..rig.background import jobs
from ..rig.background.install_job import InstallJob, TrialJob
from ..rig.library.models import torch_root
from . import timer

BUNDLED_WHEELS = WHEELS / "torch"
"""Where the full download carries PyTorch's wheels."""


_finder = TorchFinder()


@dataclass
class TorchState:
    """What is known of PyTorch in this Blender, looked up now and then so that drawing need not."""

    device: Device = field(default_factory=lambda: Device("", "Processor"))
    plans: list[TorchRelease] = field(default_factory=list)
    root: str = ""
    folder: TorchFolder | None = None
    standing: InstallState = InstallState.ABSENT
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

    @property
    def installing(self) -> bool:
        return isinstance(self.job, InstallJob)

    @property
    def ready(self) -> bool:
        return self.standing is InstallState.READY

    @property
    def outdated(self) -> bool:
        return self.standing is InstallState.OUTDATED

    @property
    def incomplete(self) -> bool:
        return self.standing is InstallState.INCOMPLETE


torch_state = TorchState()


def refresh() -> None:
    """Look again at the disk and at the machine: some milliseconds."""
    torch_state.device, torch_state.plans, torch_state.inside = find_device(), plans(), BUNDLED_WHEELS.is_dir()
    try:
        root = torch_root()
    except RiffError as error:
        torch_state.problem = str(error)
        return
    folders = find_folders(root, python_tag())
    torch_state.root, torch_state.folder = str(root), folders[0] if folders else None
    torch_state.standing, torch_state.facts = InstallState.ABSENT, {}
    if torch_state.folder is not None:
        pinned = {plan.backend: plan.fingerprint for plan in torch_state.plans}
        torch_state.standing = torch_state.folder.standing(pinned.get(torch_state.folder.backend, ""))
        torch_state.facts = torch_state.folder.facts()
    ready = torch_state.standing in (InstallState.READY, InstallState.OUTDATED)
    _finder.use(torch_state.folder.packages if ready and torch_state.folder else None)
    torch_state.here = has_torch()


def sizes_of(plan: TorchRelease) -> tuple[str, str]:
    """Download and place on disk of a plan, as text."""
    return in_gigabytes(plan.download), in_gigabytes(plan.disk)


def chosen_plan(backend: str) -> TorchRelease | None:
    """The plan for a backend, or for the device of this machine where it is “auto”."""
    if backend == "auto":
        return suggested(torch_state.device, torch_state.plans)
    return next((plan for plan in torch_state.plans if plan.backend == backend), None)


def backend_items(_: Any, __: Any) -> list[tuple[str, str, str]]:
    """Items of the preference that says which PyTorch to install."""
    _items[:] = [("auto", "Automatic", "What suits the device of this machine")]
    _items.extend((plan.backend, plan.title, f"PyTorch {plan.torch}, {plan.tried}") for plan in torch_state.plans)
    return _items


_items: list[tuple[str, str, str]] = []  # Blender keeps no copy of the texts


def _job_ended(job: jobs.BackgroundJob) -> None:
    """Called with each job that has ended."""
    if isinstance(job, jobs.TrainingJob) and job.state is jobs.State.FAILED and torch_state.folder is not None:
        job.error = torch_state.folder.what_is_gone() or job.error
    if job is torch_state.job:
        refresh()
        torch_state.problem = job.error
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
                torch_state.problem = str(error)


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
    torch_state.job = None
