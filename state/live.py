"""Live variation: a slider along the seeds; the armature follows, and no action changes until Keep."""

from __future__ import annotations

import inspect
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..core.errors import RiffError
from ..core.system.log import unforeseen
from ..rig.background.live_job import LiveJob, LiveRequest
from ..rig.writing.preview import Preview, put_back_previewed
from . import timer
from .guard import wrap_callback
from .rig_settings import active_armature, rig_settings
from .settings import ROOT_PATH_OF, chosen_model, live_setting_listeners, session_of, settings_of
from .source import learned_action

PULSE_SECONDS = 1.0 / 60.0
"""Seconds between two looks at the thread's answers."""


class LivePreview:
    """The live variation in progress: at most one at a time."""

    def __init__(self) -> None:
        self.job: LiveJob | None = None
        self.preview: Preview | None = None
        self.armature = self.source = self.problem = self.matched = ""
        self.seen = 0
        self.resting = False
        """True while the pose is that of the file: a render, an export or another add-on's operator looks at it."""


live_preview = LivePreview()


def is_live() -> bool:
    """Return True while a live variation is on."""
    return live_preview.job is not None


def live_state() -> tuple[str, str]:
    """Return the previewed armature's name and the latest problem for the panel; either may be empty."""
    return live_preview.armature if is_live() else "", live_preview.problem


def matched_bones() -> str:
    """Return a sentence on the bones that were matched under other names; empty if there are none."""
    return live_preview.matched if is_live() else ""


def request_live(context: bpy.types.Context) -> None:
    """Request the motion for the current settings; called whenever one of them changes."""
    if live_preview.job is not None:
        settings = settings_of(context)
        position = session_of(context).live_position
        root = ROOT_PATH_OF[settings.root]
        live_preview.job.ask(LiveRequest(position, settings.coarse, settings.fine, settings.clean_feet, root))


def begin(context: bpy.types.Context) -> None:
    """Start the preview of the chosen model on the active armature."""
    settings, scene, ob = settings_of(context), context.scene, active_armature(context)
    fps = scene.render.fps / scene.render.fps_base
    source = learned_action(ob)
    live_preview.job = LiveJob(
        Path(chosen_model(context).path), frames=None if settings.source_length else settings.frames, fps=fps
    )
    live_preview.preview, live_preview.problem, live_preview.seen = None, "", 0
    live_preview.matched = ""
    live_preview.armature, live_preview.source = ob.name, source.name if source else ""
    live_preview.job.start()
    request_live(context)
    if not bpy.app.timers.is_registered(pulse):
        bpy.app.timers.register(pulse, first_interval=PULSE_SECONDS, persistent=True)


def follow() -> bool:
    """Show the thread's latest motion; return True while the preview continues. Called by a timer or a script."""
    job = live_preview.job
    if job is None:
        return False
    job.tick()
    if not job.running:
        end(job.error or "The live variation ended")
        return False
    if is_looked_at():
        rest()
        return True
    try:
        if live_preview.resting and live_preview.preview is not None:
            live_preview.preview.wake()
        live_preview.resting = False
        if job.answers != live_preview.seen and job.motion is not None:
            live_preview.seen = job.answers
            _show(job)
            _redraw_viewports()
    except Exception as error:
        _end_for(error)
        return False
    return True


def is_looked_at() -> bool:
    """Return True while something looks at the file itself: a render or bake, or a dialog of an exporter's file."""
    if any(bpy.app.is_job_running(kind) for kind in ("RENDER", "OBJECT_BAKE")):
        return True
    manager: bpy.types.WindowManager | None = bpy.context.window_manager
    areas: list[Any] = [area for window in manager.windows for area in window.screen.areas] if manager else []
    browsers = [area.spaces.active for area in areas if area.type == "FILE_BROWSER"]
    return any(getattr(browser, "active_operator", None) is not None for browser in browsers)


def rest() -> None:
    """Show the file's own pose until nothing looks at it any more."""
    if live_preview.preview is not None and not live_preview.resting:
        live_preview.resting = True
        live_preview.preview.rest()


def _end_for(error: Exception) -> None:
    """End the preview because of an error, and say it; one that nobody foresaw is logged."""
    if not isinstance(error, RiffError):
        traceback.print_exc()
    end(str(error) if isinstance(error, RiffError) else unforeseen("Live Variation", error))


def _show(job: LiveJob) -> None:
    if live_preview.preview is None:
        ob: bpy.types.Object | None = bpy.context.scene.objects.get(live_preview.armature)
        if ob is None:
            raise RiffError("The previewed armature was deleted or renamed.")
        live_preview.preview = Preview(
            ob, bpy.data.actions.get(live_preview.source), job.motion, stepped=not rig_settings(ob).smooth_steps
        )
        live_preview.matched = live_preview.preview.plan.match.sentence()
        timer.redraw()
    live_preview.preview.show(job.motion)


def end(problem: str = "") -> None:
    """End the preview and restore the pose."""
    job, preview = live_preview.job, live_preview.preview
    live_preview.job, live_preview.preview, live_preview.problem = None, None, problem
    live_preview.resting = False
    if job is not None:
        job.cancel()
    if preview is not None:
        preview.end()
        put_back_previewed()  # copies made during the preview
    if bpy.context.window_manager:
        _redraw_viewports()
        timer.redraw()


def pulse() -> float | None:
    return PULSE_SECONDS if wrap_callback("Showing the live variation", follow)() else None


def _redraw_viewports() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "WINDOW":
                        region.tag_redraw()


@partial(wrap_callback, "Showing the live variation")
@persistent
def after_frame_change(*_: object) -> None:
    if live_preview.preview is None or live_preview.preview.shown is None or live_preview.resting:
        return
    if _is_inside_an_operator():
        rest()
        return
    try:
        live_preview.preview.apply()
    except Exception as error:
        _end_for(error)


def _is_inside_an_operator() -> bool:
    """Return whether a Python operator that is not Riff's changes the frame, as exporters and bakers do."""
    own = __package__.partition(".state")[0] if __package__ else ""
    frame = inspect.currentframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if frame.f_code.co_name in ("execute", "invoke", "modal") and not module.startswith(own):
            return True
        frame = frame.f_back
    return False


@partial(wrap_callback, "Ending the live variation")
@persistent
def before_look(*_: object) -> None:
    """Show the file's own pose to a render or bake that begins."""
    rest()


@partial(wrap_callback, "Ending the live variation")
@persistent
def before_change(*_: object) -> None:
    """End the preview before its pose can get into a file, an undo step or another file."""
    if is_live():
        end()


@partial(wrap_callback, "Putting the pose back")
@persistent
def after_change(*_: object) -> None:
    """Restore poses: an undo step or automatic save made during a preview holds its pose."""
    if not is_live():
        put_back_previewed()


HANDLERS = (
    *(
        (handlers, before_change)
        for handlers in (
            bpy.app.handlers.load_pre,
            bpy.app.handlers.save_pre,
            bpy.app.handlers.undo_pre,
            bpy.app.handlers.redo_pre,
        )
    ),
    *(
        (handlers, after_change)
        for handlers in (bpy.app.handlers.load_post, bpy.app.handlers.undo_post, bpy.app.handlers.redo_post)
    ),
    (bpy.app.handlers.blend_import_post, after_change),
    (bpy.app.handlers.frame_change_post, after_frame_change),
    (bpy.app.handlers.render_init, before_look),
    (bpy.app.handlers.object_bake_pre, before_look),
)


def register() -> None:
    live_setting_listeners.append(request_live)
    for handlers, handler in HANDLERS:
        handlers.append(handler)


def unregister() -> None:
    live_setting_listeners.remove(request_live)
    if is_live():
        end()
    if bpy.app.timers.is_registered(pulse):
        bpy.app.timers.unregister(pulse)
    for handlers, handler in HANDLERS:
        if handler in handlers:
            handlers.remove(handler)
