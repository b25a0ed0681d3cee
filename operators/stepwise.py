"""Operators that do one thing after the other on Blender's main thread, with a bar and Esc between two of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import bpy

from ..core.errors import RiffError

BUDGET = 0.05
"""Seconds of work between two looks at the window's events."""


class Stepwise:
    """Mixed into operators whose work is a generator, `steps`, that yields the share which is done.

    `finished` says how it went; `cancelled` takes back what was done, after Esc or an error.
    """

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        raise NotImplementedError

    def finished(self, context: bpy.types.Context) -> Any:
        return {"FINISHED"}

    def cancelled(self, context: bpy.types.Context) -> None:
        """Nothing is to be taken back unless a subclass says so."""

    def execute(self: Any, context: bpy.types.Context) -> Any:
        try:
            for _ in self.steps(context):
                pass
        except RiffError as error:
            return self._fail(context, str(error))
        return self.finished(context)

    def begin_modal(self: Any, context: bpy.types.Context) -> Any:
        """Start the work beside the window's events; `invoke` returns what this does."""
        self._work = self.steps(context)
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.02, window=context.window)
        manager.modal_handler_add(self)
        manager.progress_begin(0, 100)
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if event.type == "ESC":
            self._work.close()
            self._end(context)
            self.cancelled(context)
            self.report({"INFO"}, f"{self.bl_label} was cancelled")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        until = time.monotonic() + BUDGET
        try:
            while time.monotonic() < until:
                context.window_manager.progress_update(int(100 * next(self._work)))
        except StopIteration:
            self._end(context)
            return self.finished(context)
        except RiffError as error:
            self._end(context)
            return self._fail(context, str(error))
        return {"RUNNING_MODAL"}

    def _end(self: Any, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()

    def _fail(self: Any, context: bpy.types.Context, problem: str) -> Any:
        self.cancelled(context)
        self.report({"ERROR"}, problem)
        return {"CANCELLED"}
