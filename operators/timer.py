"""The pulse of running jobs: takes their messages and has the panel drawn again, a few times a second."""

from __future__ import annotations

import bpy

from ..core.errors import ModelError
from ..rig import jobs
from .session import refresh_models
from .settings import session_of

INTERVAL = 0.3
"""Seconds between two pulses; redrawing a panel more often than five times a second makes the window jerky."""


def tick() -> bool:
    """Take the messages of all jobs on the main thread; true while any still runs.

    Blender calls it by a timer; scripts without a window call it themselves.
    """
    news, ended = jobs.tick_all()
    for job in ended:
        if isinstance(job, jobs.TrainingJob) and job.state is jobs.State.DONE:
            _list_new_model(job)
    if news:
        redraw()
    return jobs.any_running()


def _list_new_model(job: jobs.TrainingJob) -> None:
    try:
        refresh_models(session_of(bpy.context), select=job.path)
    except ModelError as error:
        job.error = str(error)


def redraw() -> None:
    """Have the sidebars of all 3D viewports drawn again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def pulse() -> float | None:
    return INTERVAL if tick() else None


def ensure_running() -> None:
    if not bpy.app.timers.is_registered(pulse):
        # Persistent: a training goes on while another file is opened.
        bpy.app.timers.register(pulse, first_interval=INTERVAL, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(pulse):
        bpy.app.timers.unregister(pulse)
    jobs.stop_all()
