"""Common part of operators that make crowd members: generate them beside Blender, write a few at a
time, undo on Esc.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Literal

import bpy

from ...core.errors import RiffError
from ...rig.background import jobs
from ...rig.crowd.crowd import keep_settings, remove_crowd
from ...rig.crowd.request import unplaced_message, updated_settings
from ...rig.crowd.write import CrowdWriter
from ...state import timer
from ...state.session import refresh_variations
from ...state.settings import session_of

WRITE_SECONDS = 0.1
"""Longest time in seconds to write members before the window is updated."""


class CrowdWork:
    """Mixin that makes members beside Blender and writes a few at a time; Esc removes everything."""

    def execute(self: Any, context: bpy.types.Context) -> Any:
        problem = self._start(context)
        if problem:
            return self._give_up(problem)
        self._prepared.job.join()
        self._prepared.job.tick()
        while self._prepared.job.state is jobs.State.DONE and not self._written(context, 1e9):
            pass
        return self._end(context)

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        problem = self._start(context)
        if problem:
            return self._give_up(problem)
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.02, window=context.window)
        manager.modal_handler_add(self)
        manager.progress_begin(0, 2 * self._wanted)
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        job = self._prepared.job
        if event.type == "ESC":
            job.cancel()
            return self._end_modal(context, self._give_up("Crowd generation was cancelled", "INFO"))
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            return self._go_on(context, job)
        except RiffError as error:
            problem = str(error)
        except (ReferenceError, LookupError):  # a data-block, or one looked up by name, is gone
            problem = "The character, its crowd or its bones were edited meanwhile; all changes were undone"
        return self._end_modal(context, self._give_up(problem))

    def _go_on(self: Any, context: bpy.types.Context, job: jobs.BackgroundJob) -> Any:
        job.tick()
        context.window_manager.progress_update(len(self._prepared.job.ready) + self._count)
        if job.running or (job.state is jobs.State.DONE and not self._written(context, WRITE_SECONDS)):
            return {"RUNNING_MODAL"}
        return self._end_modal(context, self._end(context))

    def cancel(self: Any, context: bpy.types.Context) -> None:
        """Cancel; Blender calls this when another file is loaded or the extension is disabled."""
        self._prepared.job.cancel()
        self._clear_away()
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self._timer)

    def _start(self: Any, context: bpy.types.Context) -> str:
        """Read Blender's data and start the job; return the problem, if any."""
        self._count, self._wanted = 0, 0
        self._writer: CrowdWriter | None = None
        self._made: bpy.types.Collection | None = None
        try:
            self._prepared = self._prepare(context)
        except RiffError as error:
            return str(error)
        self._prepared.job.start()
        return ""

    def _written(self: Any, context: bpy.types.Context, seconds: float) -> bool:
        """Write members for about `seconds`; return True once all are written."""
        if self._writer is None:
            armature: bpy.types.Object | None = context.scene.objects.get(self._settings.armature)
            if armature is None or armature.type != "ARMATURE":
                raise RiffError(f"The character “{self._settings.armature}” was deleted or renamed meanwhile.")
            self._writer = CrowdWriter(context.scene, armature, self._prepared, self._settings)
        until = time.perf_counter() + seconds
        while self._count < len(self._writer) and time.perf_counter() < until:
            self._write(self._count)
            self._count += 1
        return self._count == len(self._writer)

    def _end(self: Any, context: bpy.types.Context) -> Any:
        job = self._prepared.job
        if job.state is not jobs.State.DONE:
            return self._give_up(job.error or "Crowd generation was cancelled")
        self._writer.close()
        if not len(self._writer):
            return self._give_up(unplaced_message(self._settings, self._prepared.distance, self._wanted, 0))
        self._settings = updated_settings(self._settings, job)
        collection = self._finish(context)
        self._writer.keep()
        keep_settings(collection, self._settings.to_json())
        refresh_variations(session_of(context))
        self._tell(len(self._writer))
        return {"FINISHED"}

    def _tell(self: Any, made: int) -> None:
        if made < self._wanted:
            self.report({"WARNING"}, unplaced_message(self._settings, self._prepared.distance, self._wanted, made))
        else:
            alike = f"; smallest difference {self._settings.smallest:.2f}" if self._settings.smallest else ""
            self.report({"INFO"}, f"{made} member{'s' if made != 1 else ''}{alike}")

    def _give_up(self: Any, problem: str, kind: Literal["ERROR", "INFO"] = "ERROR") -> Any:
        """Restore the file and report the problem."""
        self._clear_away()
        self.report({kind}, problem)
        return {"CANCELLED"}

    def _clear_away(self: Any) -> None:
        if self._writer is not None:
            self._writer.close()
        with suppress(ReferenceError):  # members are already gone with an undo or their file
            if self._writer is not None:
                self._writer.take_back()
            self._take_back()

    def _take_back(self: Any) -> None:
        if self._made is not None:
            remove_crowd(self._made)

    def _end_modal(self: Any, context: bpy.types.Context, result: Any) -> Any:
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self._timer)
        timer.redraw()
        screen = context.screen
        if result == {"FINISHED"} and screen is not None and not screen.is_animation_playing:
            bpy.ops.screen.animation_play()
        return result
