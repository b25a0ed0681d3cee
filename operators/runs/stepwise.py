"""Operators that work in steps on Blender's main thread, with a progress bar and Esc between steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import bpy

from ...core.errors import RiffError
from ...core.system.log import unforeseen
from ...rig.background.jobs import BackgroundJob
from ...rig.steps import STEP_SECONDS
from ...state.trainings import status_text


class Stepwise:
    """Mixin of operators whose work is a generator, `steps`, that yields the fraction done.

    A step takes a twentieth of a second at most. Between steps the user may do anything, so a step keeps only names and
    whole data-blocks for the next. `finished` reports the result; `cancelled` undoes the work after Esc or an error.
    """

    _beside_window = _paused = _begun = False

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        raise RiffError(f"{self.__class__.__name__} does nothing.")

    def finished(self, context: bpy.types.Context) -> Any:
        return {"FINISHED"}

    def cancelled(self, context: bpy.types.Context) -> None:
        """Undo the work; nothing by default."""

    def wait_for(self, job: BackgroundJob, share: Callable[[], float]) -> Iterator[float]:
        """Wait in steps until a job has ended; `share` returns the fraction done."""
        if not self._beside_window:
            job.join()
        job.tick()
        while job.running:
            self._paused = True
            yield share()
            job.tick()

    def execute(self: Any, context: bpy.types.Context) -> Any:
        """Run all steps at once, for scripts."""
        try:
            for _ in self.steps(context):
                pass
        except RiffError as error:
            return self._fail(context, str(error))
        return self.finished(context)

    def begin_confirmed(self: Any, context: bpy.types.Context) -> Any:
        """Begin after a dialog or a file browser, which call execute: beside the window's events, or at once."""
        if context.window and not bpy.app.background:
            return self.begin_modal(context)
        return Stepwise.execute(self, context)

    def begin_modal(self: Any, context: bpy.types.Context) -> Any:
        """Start the work beside the window's events; the result is that of `invoke`."""
        self._beside_window = True
        self._work = self.steps(context)
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.02, window=context.window)
        manager.modal_handler_add(self)
        manager.progress_begin(0, 100)
        say: Any = bpy.app.translations.pgettext_iface
        context.workspace.status_text_set(say("{}: Esc to cancel").format(say(self.bl_label, "Operator")))
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if event.type == "ESC":
            self.cancel(context)
            self.report({"INFO"}, f"{self.bl_label} was cancelled")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if not self._begun and not self._may_begin(context):
            return self._stop(context, "The selection changed; select the armature and try again")
        self._begun = True
        begun = time.monotonic()
        self._paused = False
        try:
            took = 0.0
            # another step is as long as the one before, more or less
            while time.monotonic() - begun + took <= STEP_SECONDS and not self._paused:
                before = time.monotonic()
                context.window_manager.progress_update(int(100 * next(self._work)))
                took = time.monotonic() - before
        except StopIteration:
            self._end(context)
            return self.finished(context)
        except RiffError as error:
            return self._stop(context, str(error))
        except ReferenceError:  # Blender's word for a data-block that is gone
            return self._stop(context, "The armature or an action was removed meanwhile")
        except Exception as error:
            return self._stop(context, unforeseen(self.bl_label, error))
        return {"PASS_THROUGH"}

    def _may_begin(self: Any, context: bpy.types.Context) -> bool:
        """Return True if the operator's poll still holds: the user may act before the first step."""
        poll = getattr(self, "poll", None)
        return poll is None or bool(poll(context))

    def cancel(self: Any, context: bpy.types.Context) -> None:
        """Stop between two steps; Blender also calls this when another file is loaded, or a dialog is left."""
        if not self._beside_window:
            return
        self._work.close()
        self._end(context)
        self.cancelled(context)

    def _end(self: Any, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()
        if context.workspace is not None:
            context.workspace.status_text_set(status_text())

    def _stop(self: Any, context: bpy.types.Context, problem: str) -> Any:
        self._end(context)
        return self._fail(context, problem)

    def _fail(self: Any, context: bpy.types.Context, problem: str) -> Any:
        self.cancelled(context)
        self.report({"ERROR"}, problem)
        return {"CANCELLED"}
