"""Live variation: a slider along the seeds, the armature in the viewport follows, no action is touched until Keep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..core.errors import RiffError
from ..rig.background.live_job import LiveJob, Wish
from ..rig.compat import name_of_two
from ..rig.writing.preview import Preview, put_back_previewed
from ..rig.writing.write import write_steps
from . import timer
from .guard import guarded
from .poll import answer, model_problem, selection_problem
from .session import refresh_variations
from .settings import chosen_model, session_of, settings_of, wishes
from .stepwise import Stepwise
from .write_actions import dress_action, learned_action

INTERVAL = 1.0 / 60.0


class _Live:
    """What is being previewed: at most one thing at a time."""

    def __init__(self) -> None:
        self.job: LiveJob | None = None
        self.preview: Preview | None = None
        self.armature = self.source = self.problem = ""
        self.seen = 0


_live = _Live()


def is_live() -> bool:
    """Whether a live variation is on."""
    return _live.job is not None


def live_state() -> tuple[str, str]:
    """The armature that is previewed (or nothing) and what went wrong (or nothing), for the panel."""
    return _live.armature if is_live() else "", _live.problem


def wish(context: bpy.types.Context) -> None:
    """Ask for the motion that the settings say; called whenever one of them changes."""
    if _live.job is not None:
        settings = settings_of(context)
        position = session_of(context).live_position
        _live.job.ask(Wish(position, settings.coarse, settings.fine, settings.clean_feet))


def begin(context: bpy.types.Context) -> None:
    """Begin to preview the chosen model on the active armature."""
    settings, scene, ob = settings_of(context), context.scene, context.object
    fps = scene.render.fps / scene.render.fps_base
    source = learned_action(ob)
    _live.job = LiveJob(
        Path(chosen_model(context).path), frames=None if settings.source_length else settings.frames, fps=fps
    )
    _live.preview, _live.problem, _live.seen = None, "", 0
    _live.armature, _live.source = ob.name, source.name if source else ""
    _live.job.start()
    wish(context)
    if not bpy.app.timers.is_registered(pulse):
        bpy.app.timers.register(pulse, first_interval=INTERVAL, persistent=True)


def follow() -> bool:
    """Take what the thread has made and show it; true while the preview goes on. Called by a timer, or by a script."""
    job = _live.job
    if job is None:
        return False
    job.tick()
    if not job.running:
        end(job.error or "The live variation has ended")
        return False
    if job.answers != _live.seen and job.motion is not None:
        _live.seen = job.answers
        try:
            _show(job)
        except RiffError as error:
            end(str(error))
            return False
        _redraw_viewports()
    return True


def _show(job: LiveJob) -> None:
    if _live.preview is None:
        ob: bpy.types.Object | None = bpy.context.scene.objects.get(_live.armature)
        if ob is None:
            raise RiffError("The armature of the preview was deleted or renamed.")
        _live.preview = Preview(ob, bpy.data.actions.get(_live.source), job.motion)
    _live.preview.show(job.motion)


def end(problem: str = "") -> None:
    """End the preview; the pose is again what it was."""
    job, preview = _live.job, _live.preview
    _live.job, _live.preview, _live.problem = None, None, problem
    if job is not None:
        job.cancel()
    if preview is not None:
        preview.end()
        put_back_previewed()  # copies that were made meanwhile
    if bpy.context.window_manager:
        _redraw_viewports()
        timer.redraw()


def pulse() -> float | None:
    return INTERVAL if guarded("Showing the live variation", follow)() else None


def _redraw_viewports() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "WINDOW":
                        region.tag_redraw()


class RIFF_OT_live(bpy.types.Operator):
    """Show variations on the armature while the slider is dragged, without touching any action; again to stop"""

    bl_idname = "riff.live"
    bl_label = "Live Variation"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return answer(cls, "" if is_live() else selection_problem(context.object) or model_problem(context))

    def execute(self, context: bpy.types.Context) -> Any:
        if is_live():
            end()
        else:
            begin(context)
        return {"FINISHED"}


class RIFF_OT_live_keep(Stepwise, bpy.types.Operator):
    """Keep what is shown as a new action and end the live variation"""

    bl_idname = "riff.live_keep"
    bl_label = "Keep"
    bl_options = {"REGISTER", "UNDO"}

    _kept: bpy.types.Action | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        job = _live.job
        ready = job is not None and job.motion is not None and job.finished
        return answer(cls, "" if ready else "Let go of the slider and wait a moment")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        job, source = _live.job, bpy.data.actions.get(_live.source)
        armature = _live.armature
        end()
        ob: bpy.types.Object | None = context.scene.objects.get(armature)
        if job is None or job.motion is None or job.answered is None or ob is None:
            raise RiffError("The armature of the preview was deleted or renamed.")
        name = name_of_two(job.model_name, f"Variation {job.answered.position:.2f}")
        settings = settings_of(context)
        properties = {
            "riff_model": job.model_name,
            "riff_seed": float(job.answered.position),
            "riff_index": 0,
            "riff_frames": 0 if settings.source_length else settings.frames,
            "riff_armature": armature,
            "riff_source": source.name if source else "",
            "riff_coarse": job.answered.coarse,
            "riff_fine": job.answered.fine,
            "riff_clean_feet": job.answered.clean_feet,
            "riff_kept": True,
        }
        self._kept = yield from write_steps(ob, job.motion, name, source_action=source, properties=properties)
        yield 1.0
        dress_action(ob, self._kept, job.motion, asset=True, tolerance=0.0)
        self._name = self._kept.name

    def finished(self, context: bpy.types.Context) -> Any:
        session = session_of(context)
        refresh_variations(session)
        session.active_variation = max(0, session.variations.find(self._name))
        self.report({"INFO"}, f"Kept “{self._name}”")
        timer.redraw()
        return {"FINISHED"}

    def cancelled(self, context: bpy.types.Context) -> None:
        with suppress(ReferenceError):  # it is gone already, with an undo or with its file
            if self._kept is not None:
                bpy.data.actions.remove(self._kept)


@partial(guarded, "Showing the live variation")
@persistent
def after_frame_change(*_: object) -> None:
    if _live.preview is not None and _live.preview.shown is not None:
        try:
            _live.preview.apply()
        except RiffError as error:
            end(str(error))


@partial(guarded, "Ending the live variation")
@persistent
def before_change(*_: object) -> None:
    """Nothing of a preview may get into a file, an undo step or another file."""
    if is_live():
        end()


@partial(guarded, "Putting the pose back")
@persistent
def after_change(*_: object) -> None:
    """An undo step that was pushed during a preview holds its pose, and so does an automatic save."""
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
    (bpy.app.handlers.frame_change_post, after_frame_change),
)

CLASSES = (RIFF_OT_live, RIFF_OT_live_keep)


def register() -> None:
    wishes.append(wish)
    for handlers, handler in HANDLERS:
        handlers.append(handler)


def unregister() -> None:
    wishes.remove(wish)
    if is_live():
        end()
    if bpy.app.timers.is_registered(pulse):
        bpy.app.timers.unregister(pulse)
    for handlers, handler in HANDLERS:
        if handler in handlers:
            handlers.remove(handler)
