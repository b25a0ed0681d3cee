"""Trainings as the panel shows them, and the note on one that has ended, which stays until it is seen."""

from __future__ import annotations

from typing import Any

import bpy

from ..core.system.console import format_duration
from ..rig.background import jobs
from . import timer
from .settings import session_of

SEEN_SECONDS = 5.0
"""Seconds after which a note that the panel shows no longer needs the status bar."""

_in_status_bar = [False]


def trainings() -> list[jobs.TrainingJob]:
    """Return all trainings of this session, the latest last."""
    return jobs.trainings()


def running_training() -> jobs.TrainingJob | None:
    """Return the training at work, else one that waits, else None."""
    known = [training for training in jobs.trainings() if training.running]
    return next((training for training in known if training.begun), known[0] if known else None)


def is_done(training: jobs.TrainingJob) -> bool:
    """Return True if a training has ended with a model."""
    return training.state is jobs.State.DONE


def is_cancelled(training: jobs.TrainingJob) -> bool:
    """Return True if the user cancelled a training."""
    return training.state is jobs.State.CANCELLED


def time_left(training: jobs.TrainingJob) -> str:
    """Return the remaining time of a running training, such as 3:05."""
    return format_duration(training.progress.seconds_left) if training.progress is not None else ""


def note_end(job: jobs.BackgroundJob) -> None:
    """Note in the panel and in the status bar that a training has ended; the person who cancelled one knows it."""
    if not isinstance(job, jobs.TrainingJob) or is_cancelled(job):
        return
    session = session_of(bpy.context)
    say: Any = bpy.app.translations.pgettext_iface
    session.note_problem = job.error
    if is_done(job):
        took = format_duration(job.progress.seconds) if job.progress is not None else ""
        session.note = say("“{}” is trained, {}").format(job.name, took)
    else:
        session.note = say("The training “{}” failed").format(job.name)
    _in_status_bar[0] = True
    _write_status(f"Riff: {session.note}")
    timer.redraw()


def close_note() -> None:
    """Remove the note."""
    session = session_of(bpy.context)
    session.note = session.note_problem = ""
    leave_status_bar()
    timer.redraw()


def note_drawn() -> None:
    """Take the note from the status bar soon: the panel shows it, where it stays until it is closed."""
    if _in_status_bar[0] and not bpy.app.timers.is_registered(leave_status_bar):
        bpy.app.timers.register(leave_status_bar, first_interval=SEEN_SECONDS, persistent=True)


def leave_status_bar() -> None:
    """Take the note from the status bar."""
    if _in_status_bar[0]:
        _in_status_bar[0] = False
        _write_status(None)


def status_text() -> str | None:
    """Return what the status bar shows beside other work: the note, or None."""
    return f"Riff: {session_of(bpy.context).note}" if _in_status_bar[0] else None


def _write_status(text: str | None) -> None:
    override: Any = bpy.context.temp_override
    for window in bpy.context.window_manager.windows:
        with override(window=window):
            window.workspace.status_text_set(text)


def register() -> None:
    timer.listeners.append(note_end)


def unregister() -> None:
    leave_status_bar()
    timer.listeners.remove(note_end)
    if bpy.app.timers.is_registered(leave_status_bar):
        bpy.app.timers.unregister(leave_status_bar)
