"""Guards for code that Blender calls: unexpected errors go into the log and are shown to the user as a sentence."""

from __future__ import annotations

import functools
import math
import traceback
from collections.abc import Callable
from typing import Any

import bpy

from ..core.errors import ModelError, RiffError
from ..core.system.log import log, unforeseen
from ..rig.library.models import log_path
from .settings import session_of


def wrap_operator(cls: Any) -> None:
    """Wrap an operator so that it refuses settings that are no numbers, and reports unexpected errors and ends, instead
    of showing a traceback.

    The number of a method's arguments must not change: Blender counts them.
    """
    for name, wrap in (("execute", _with_context), ("invoke", _with_event), ("modal", _modal)):
        method = getattr(cls, name, None)
        if method is not None and not hasattr(method, "__wrapped__"):
            setattr(cls, name, wrap(method))


def _with_context(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def guarded(self: Any, context: Any) -> Any:
        try:
            _check_numbers(self)
            return method(self, context)
        except Exception as error:
            return _report_error(self, error)

    return guarded


def _with_event(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def guarded(self: Any, context: Any, event: Any) -> Any:
        try:
            _check_numbers(self)
            return method(self, context, event)
        except Exception as error:
            return _report_error(self, error)

    return guarded


def _modal(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def guarded(self: Any, context: Any, event: Any) -> Any:
        try:
            return method(self, context, event)
        except Exception as error:
            return _report_error(self, error)

    return guarded


def _check_numbers(operator: Any) -> None:
    """Raise RiffError for a setting that is NaN or infinite: Blender clamps no NaN of a script."""
    rna = getattr(getattr(operator, "properties", None), "bl_rna", None)
    for prop in rna.properties if rna is not None else ():
        if prop.type == "FLOAT":
            value = getattr(operator, prop.identifier)
            if not all(map(math.isfinite, value if prop.is_array else (value,))):
                raise RiffError(f"“{prop.name}” must be a number.")


def _report_error(operator: Any, error: Exception) -> Any:
    if isinstance(error, RiffError):
        log.note(f"{operator.bl_label}: {error}")
        sentence = str(error)
    else:
        traceback.print_exc()
        sentence = unforeseen(operator.bl_label, error)
        show_problem(sentence)
    operator.report({"ERROR"}, sentence)
    return {"CANCELLED"}


def wrap_callback(task: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function that timers and handlers call: it shows unexpected errors and returns None then."""

    @functools.wraps(function)
    def called(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            traceback.print_exc()
            show_problem(unforeseen(task, error))
            return None

    return called


def prepare_log() -> None:
    """Write the log into Riff's folder, or keep it in memory if there is none."""
    try:
        log.path = log_path()
    except ModelError as error:
        log.note(str(error))


def show_problem(problem: str) -> None:
    """Show a problem that belongs to no job in the panel; an empty text removes it."""
    try:
        session_of(bpy.context).problem = problem
    except (AttributeError, RuntimeError) as error:
        log.note(
            f"The panel cannot show a problem: {error}"
        )  # Blender forbids writing at times, for example while drawing


def register() -> None:
    # at start-up Blender cannot name the extension's user folder yet; a moment later it can.
    # Persistent, since a file named on the command line is loaded before that moment.
    bpy.app.timers.register(prepare_log, first_interval=0.0, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(prepare_log):
        bpy.app.timers.unregister(prepare_log)
    log.path = None
