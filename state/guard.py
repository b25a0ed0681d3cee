"""What nobody foresaw goes into the log, and a sentence to the person at the screen, wherever Blender calls Riff."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any

import bpy

from ..core.errors import ModelError, RiffError
from ..core.system.log import log, unforeseen
from ..rig.library.models import log_path
from .settings import session_of


def wrap_operator(cls: Any) -> None:
    """Have an operator report what it did not foresee, and end, where an error would leave a person with a traceback.

    A method keeps the number of its arguments: Blender counts them.
    """
    for name, wrap in (("execute", _with_context), ("invoke", _with_event), ("modal", _with_event)):
        method = getattr(cls, name, None)
        if method is not None and not hasattr(method, "__wrapped__"):
            setattr(cls, name, wrap(method))


def _with_context(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrap_callback(self: Any, context: Any) -> Any:
        try:
            return method(self, context)
        except Exception as error:
            return _report_error(self, error)

    return wrap_callback


def _with_event(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrap_callback(self: Any, context: Any, event: Any) -> Any:
        try:
            return method(self, context, event)
        except Exception as error:
            return _report_error(self, error)

    return wrap_callback


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


def wrap_callback(what: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for what timers and handlers call; None comes back where it failed."""

    @functools.wraps(function)
    def called(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            traceback.print_exc()
            show_problem(unforeseen(what, error))
            return None

    return called


def prepare_log() -> None:
    """Let the log be written into Riff's folder; into memory where there is none."""
    try:
        log.path = log_path()
    except ModelError as error:
        log.note(str(error))


def show_problem(problem: str) -> None:
    """Have the panel show a problem that belongs to no job; an empty one takes it away."""
    try:
        session_of(bpy.context).problem = problem
    except (AttributeError, RuntimeError) as error:
        log.note(f"The panel cannot show a problem: {error}")  # Blender allows no writing now, as while it draws


def register() -> None:
    # At start-up Blender has no user folder for extensions to look into yet; a moment later it has.
    bpy.app.timers.register(prepare_log, first_interval=0.0)


def unregister() -> None:
    if bpy.app.timers.is_registered(prepare_log):
        bpy.app.timers.unregister(prepare_log)
    log.path = None
