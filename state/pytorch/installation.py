"""Installation of PyTorch in this Blender: the installed and the available releases, the job that installs one."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from ...core.errors import RiffError
from ...core.torch_install.builds import BuildChoice, choose_build
from ...core.torch_install.finder import TorchFinder
from ...core.torch_install.folder import InstallState, TorchFolder, find_folders
from ...core.torch_install.hardware import Device, find_device
from ...core.torch_install.install import in_gigabytes
from ...core.torch_install.plan import WHEELS, TorchRelease, plans, python_tag, suggested
from ...rig.background import jobs
from ...rig.background.install_job import CardsJob, InstallJob
from ...rig.background.trial_job import TrialJob
from ...rig.library.models import torch_root
from .. import timer
from .trial import trial_state

BUNDLED_WHEELS = WHEELS / "torch"
"""Folder of PyTorch's wheels in the full download."""

_finder = TorchFinder()


@dataclass
class TorchState:
    """Facts about PyTorch in this Blender, updated at certain times so that drawing need not look them up."""

    device: Device = field(default_factory=lambda: Device("", "Processor"))
    plans: list[TorchRelease] = field(default_factory=list)
    root: str = ""
    folder: TorchFolder | None = None
    standing: InstallState = InstallState.ABSENT
    facts: dict[str, Any] = field(default_factory=dict)
    bundled: bool = False
    """True if this download includes the wheels."""
    problem: str = ""
    job: InstallJob | None = None
    cards: CardsJob | None = None
    """Reading of NVIDIA's cards, begun where the system has one and PyTorch is still to be installed."""
    build: BuildChoice = field(default_factory=lambda: BuildChoice("cpu"))
    """Build for this machine, and why."""

    @property
    def working(self) -> bool:
        return self.job is not None and self.job.running

    @property
    def reading(self) -> bool:
        """Return True while the graphics card is read."""
        return self.cards is not None and self.cards.running

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
    """Update the state from the disk and the machine; takes some milliseconds."""
    torch_state.device, torch_state.plans, torch_state.bundled = find_device(), plans(), BUNDLED_WHEELS.is_dir()
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
    trial_state.refresh()
    _choose_build(needed=not torch_state.ready)


def _choose_build(*, needed: bool) -> None:
    """Choose the build for this machine; NVIDIA's cards are read in the background for that, if it is needed."""
    job, folder = torch_state.cards, torch_state.folder
    if torch_state.device.maker != "NVIDIA":
        hashed = {plan.backend for plan in torch_state.plans if plan.hashed}
        torch_state.build = choose_build(torch_state.device, [], hashed)
    elif job is not None and not job.running:
        torch_state.build = choose_build(torch_state.device, job.cards)
    elif job is None and needed:
        torch_state.cards = CardsJob()
        torch_state.cards.start()
        timer.ensure_running()
    elif job is None and folder is not None:
        torch_state.build = BuildChoice(folder.backend)


def sizes_of(plan: TorchRelease) -> tuple[str, str]:
    """Return the sizes of a release's download and installation, as text."""
    return in_gigabytes(plan.download), in_gigabytes(plan.disk)


def chosen_plan(backend: str) -> TorchRelease | None:
    """Return the release for a backend, or for this machine's device if it is “auto”."""
    if backend == "auto":
        return suggested(torch_state.build.backend, torch_state.plans)
    return next((plan for plan in torch_state.plans if plan.backend == backend), None)


def backend_items(_: Any, __: Any) -> list[tuple[str, str, str]]:
    """Return the items of the preference for the PyTorch to install."""
    _items[:] = [("auto", "Automatic", "The build for the device of this machine")]
    _items.extend((plan.backend, plan.title, f"PyTorch {plan.torch}, {plan.tried}") for plan in torch_state.plans)
    return _items


_items: list[tuple[str, str, str]] = []  # Blender keeps no copy of the texts, so this list does


def _job_ended(job: jobs.BackgroundJob) -> None:
    """Update the state after a job has ended."""
    folder = torch_state.folder
    used = isinstance(job, jobs.TrainingJob) or (isinstance(job, TrialJob) and job.torch is not None)
    if used and job.state is jobs.State.FAILED and folder is not None:
        job.error = folder.what_is_gone() or job.error
    if job is torch_state.cards:
        _choose_build(needed=False)
    if job is torch_state.job:
        refresh()
        torch_state.problem = job.error
        if torch_state.job is not None and job.state is jobs.State.DONE:
            _remove_others(torch_state.job.folder)
            refresh()


def tested_folder() -> tuple[Path, Path] | None:
    """Return Blender's Python and the folder of Riff's own PyTorch; None where none was begun."""
    return (Path(sys.executable), torch_state.folder.packages) if torch_state.folder is not None else None


def _remove_others(kept: TorchFolder) -> None:
    """Remove the PyTorch of other backends once a new one works."""
    for folder in find_folders(kept.root, kept.python):
        if folder.backend != kept.backend:
            try:
                folder.remove()
            except RiffError as error:
                torch_state.problem = str(error)


def register() -> None:
    timer.listeners.append(_job_ended)
    # at start-up Blender cannot name the extension's user folder yet; a moment later it can.
    # Persistent, since a file named on the command line is loaded before that moment.
    bpy.app.timers.register(refresh, first_interval=0.0, persistent=True)


def unregister() -> None:
    if _job_ended in timer.listeners:
        timer.listeners.remove(_job_ended)
    if bpy.app.timers.is_registered(refresh):
        bpy.app.timers.unregister(refresh)
    _finder.use(None)
    torch_state.job = torch_state.cards = None
