"""Riff's modal operators as a window runs them: a step at each event of their timer, for a Blender without a window.

The bpy module refuses to start a modal operator, and its timers never fire. Here the operator's own functions run, with
its own defaults; only what a window would lend them (an event timer, the list of modal handlers) is stood in for.
"""

from __future__ import annotations

from types import CellType, FunctionType, SimpleNamespace
from typing import Any

import bpy

ESC, TIMER = SimpleNamespace(type="ESC", value="PRESS"), SimpleNamespace(type="TIMER", value="NOTHING")


class Manager:
    """The window manager without what needs a window."""

    def __getattr__(self, name: str) -> Any:
        return getattr(bpy.context.window_manager, name)

    def event_timer_add(self, time_step: float, window: Any = None) -> object:
        return object()

    def event_timer_remove(self, timer: object) -> None:
        """There was none."""

    def modal_handler_add(self, operator: object) -> bool:
        return True


class Context:
    """Blender's context as it is at the moment, with such a window manager."""

    window_manager = Manager()

    def __getattr__(self, name: str) -> Any:
        return getattr(bpy.context, name)


def _of_class(function: FunctionType, owner: type) -> FunctionType:
    """The function as if it were written in a class: its super() is that of this class."""
    names, cells = function.__code__.co_freevars, function.__closure__ or ()
    own = [CellType(owner) if name == "__class__" else cell for name, cell in zip(names, cells, strict=True)]
    copied = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, tuple(own))
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied


class Beside:
    """One of Riff's operators at work beside the user; `words` holds what it reported."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.name, self.words = name, list[str]()
        self.running = False
        registered = getattr(bpy.types, f"RIFF_OT_{name}")
        plain = tuple(base for base in registered.__mro__[1:] if not issubclass(base, bpy.types.bpy_struct))
        own = {key: value for key, value in vars(registered).items() if not key.startswith("__") and key != "bl_rna"}
        own["poll_message_set"] = staticmethod(lambda *words: None)
        made = type(registered.__name__, tuple(b for b in plain if b is not object), own)
        for key, value in own.items():
            if isinstance(value, FunctionType) and "__class__" in value.__code__.co_freevars:
                setattr(made, key, _of_class(value, made))
        self.operator: Any = made()
        for prop in getattr(bpy.ops.riff, name).get_rna_type().properties:
            if prop.identifier != "rna_type":
                empty = getattr(prop, "default", ())  # a list has none
                setattr(self.operator, prop.identifier, settings.get(prop.identifier, empty))
        self.operator.properties = SimpleNamespace(is_property_set=lambda name: name in settings)
        self.operator.report = self._report

    def _report(self, kinds: set[str], words: str) -> None:
        self.words.append(words)

    def click(self) -> None:
        """Click the button, where it is not grey."""
        if getattr(bpy.ops.riff, self.name).poll():
            self._take(self.operator.invoke(Context(), TIMER))

    def pulse(self) -> None:
        """An event of the operator's timer."""
        self._take(self.operator.modal(Context(), TIMER))

    def escape(self) -> None:
        """The key Esc."""
        self._take(self.operator.modal(Context(), ESC))

    def leave(self) -> None:
        """Cancel the operator, as Blender does before another file is loaded."""
        if self.running and hasattr(self.operator, "cancel"):
            self.operator.cancel(Context())
        self.running = False

    def _take(self, result: set[str]) -> None:
        self.running = "RUNNING_MODAL" in result or "PASS_THROUGH" in result
        if result == {"FINISHED"} and "UNDO" in getattr(self.operator, "bl_options", ()):
            bpy.ops.ed.undo_push(message=self.name)
