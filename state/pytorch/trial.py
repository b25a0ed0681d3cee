"""PyTorch for trainings: whether this Python has one, and the trial of it or of the Python of the preferences."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from ...core.generation.backends import has_torch
from ...rig.background import jobs
from ...rig.background.trial_job import TrialJob
from .. import timer
from ..preferences import named_python


@dataclass
class TrialState:
    """Facts about PyTorch, updated at certain times so that drawing need not look them up."""

    importable: bool = False
    """True if `import torch` finds one in Blender's Python."""
    job: TrialJob | None = None
    tried: Path | None = None
    """Interpreter of the last trial that came to an end."""
    facts: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def working(self) -> bool:
        return self.job is not None and self.job.running

    def refresh(self) -> None:
        """Look for PyTorch again; takes some milliseconds."""
        self.importable = has_torch()


trial_state = TrialState()


def can_train() -> bool:
    """Return True if a training has a PyTorch, as far as is known: one in the named Python counts until it fails."""
    python = named_python()
    if python is None:
        return trial_state.importable
    return not (trial_state.tried == python and trial_state.problem)


def begin_trial(python: Path, torch: Path | None = None, *, brief: bool = False) -> None:
    """Try an interpreter in the background; a trial that runs is cancelled."""
    if trial_state.job is not None:
        trial_state.job.cancel()
    trial_state.tried, trial_state.facts, trial_state.problem = None, {}, ""
    trial_state.job = TrialJob(python, torch, brief=brief)
    trial_state.job.start()
    timer.ensure_running()
    timer.redraw()


def try_named_python(*, brief: bool = False) -> None:
    """Try the Python of the preferences in the background; without one, forget the last trial."""
    python = named_python()
    if python is not None:
        begin_trial(python, brief=brief)
        return
    if trial_state.job is not None:
        trial_state.job.cancel()
    trial_state.job, trial_state.tried, trial_state.facts, trial_state.problem = None, None, {}, ""


def refresh() -> None:
    """Look for PyTorch, and ask a Python that the preferences name whether it has one."""
    trial_state.refresh()
    if named_python() is not None and trial_state.tried != named_python() and not trial_state.working:
        try_named_python(brief=True)


def own_python() -> Path | None:
    """Return Blender's own Python if it has PyTorch."""
    return Path(sys.executable) if trial_state.importable else None


def _job_ended(job: jobs.BackgroundJob) -> None:
    """Keep the result of a trial that has ended."""
    if isinstance(job, TrialJob) and job is trial_state.job and job.state is not jobs.State.CANCELLED:
        trial_state.tried, trial_state.facts, trial_state.problem = job.python, job.facts, job.error


def register() -> None:
    timer.listeners.append(_job_ended)
    # at start-up Blender has no preferences to read yet; a moment later it has.
    # Persistent, since a file named on the command line is loaded before that moment.
    bpy.app.timers.register(refresh, first_interval=0.0, persistent=True)


def unregister() -> None:
    if _job_ended in timer.listeners:
        timer.listeners.remove(_job_ended)
    if bpy.app.timers.is_registered(refresh):
        bpy.app.timers.unregister(refresh)
    trial_state.job = None
