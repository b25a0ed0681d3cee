"""Timer of running jobs: takes their messages and redraws the panel a few times a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import bpy

from ..core.errors import ModelError
from ..rig.background import jobs
from ..rig.background.instant_job import InstantJob
from . import loss_picture
from .guard import prepare_log, wrap_callback
from .session import refresh_models, refresh_unfinished
from .settings import session_of

PULSE_SECONDS = 0.3
"""Seconds between two pulses."""

REDRAW_SECONDS = 2.5
"""Seconds between two redraws for progress alone: each costs a slow machine several frames of playback."""

_redrawn = [0.0]

listeners: list[Callable[[jobs.BackgroundJob], None]] = []
"""Functions to call with each job that has ended."""


def tick() -> bool:
    """Take the messages of all jobs on the main thread; return True while any of them runs.

    Blender calls it by a timer; scripts without a window call it themselves.
    """
    before = {training: training.interim for training in jobs.trainings()}
    news, ended = jobs.tick_all()
    if any(training.running and training.interim != before.get(training, 0.0) for training in jobs.trainings()):
        _list_models()
    for job in ended:
        if isinstance(job, jobs.TrainingJob):
            _list_again(job)
        if isinstance(job, InstantJob) and job.state is jobs.State.DONE:
            _list_models()
        for listener in listeners:
            listener(job)
    for training in jobs.trainings():
        if training.running:
            loss_picture.paint(training)
    if ended or (news and time.monotonic() - _redrawn[0] >= REDRAW_SECONDS):
        redraw()
    return jobs.any_running()


def _list_again(job: jobs.TrainingJob) -> None:
    session = session_of(bpy.context)
    try:
        done = job.state is jobs.State.DONE
        if done or job.interim:  # a cancelled training takes its model so far back
            refresh_models(session, select=job.path if done else None)
        refresh_unfinished(session)
    except ModelError as error:
        job.error = str(error)


def _list_models() -> None:
    """List the models again: with the figures of an instant model, or the model so far of a training."""
    with suppress(ModelError):  # the list stays as it was, and tells when it is refreshed by hand
        refresh_models(session_of(bpy.context))


def redraw() -> None:
    """Redraw the sidebars of all 3D viewports and dope sheets, and the preferences."""
    _redrawn[0] = time.monotonic()
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            if area.type in {"VIEW_3D", "DOPESHEET_EDITOR"}:
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def redraw_tab() -> None:
    """Redraw those sidebars that show the tab Riff, and nothing else."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            regions: list[Any] = [*area.regions] if area.type in {"VIEW_3D", "DOPESHEET_EDITOR"} else []
            for region in regions:
                if region.type == "UI" and region.width > 1 and region.active_panel_category == "Riff":
                    region.tag_redraw()


def pulse() -> float | None:
    return PULSE_SECONDS if wrap_callback("Following the jobs", tick)() is not False else None


def ensure_running() -> None:
    prepare_log()
    if not bpy.app.timers.is_registered(pulse):
        # persistent, since trainings continue when another file is opened
        bpy.app.timers.register(pulse, first_interval=PULSE_SECONDS, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(pulse):
        bpy.app.timers.unregister(pulse)
    jobs.stop_all()
