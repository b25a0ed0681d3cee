"""Riff's own time on Blender's main thread, apart from Blender's time to draw the window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import bpy

RIFF = "bl_ext.user_default.riff"

CALLS = (
    ("state.live", "follow"),
    ("state.live", "begin"),
    ("state.timer", "tick"),
    ("state.armature_summary", "update_summary"),
)
"""Work of Riff on the main thread beside the steps of its operators: modules and their timed functions."""


def timed(function: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """Wrap a function so that it notes the milliseconds of each call."""

    def measure(*arguments: Any, **settings: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments, **settings)
        finally:
            spent.append((time.perf_counter() - start) * 1000)

    return measure


def time_calls() -> list[float]:
    """Have each of CALLS and each step of an operator timed from now on; milliseconds, as they come."""
    spent: list[float] = []
    for module, name in CALLS:
        owner: Any = import_module(f"{RIFF}.{module}")
        setattr(owner, name, timed(getattr(owner, name), spent))
    stepwise: Any = import_module(f"{RIFF}.operators.runs.stepwise").Stepwise
    begin = stepwise.begin_modal

    def begin_timed(self: Any, context: Any) -> Any:
        outcome = begin(self, context)
        self._work = timed_steps(self._work, spent)
        return outcome

    stepwise.begin_modal = begin_timed
    return spent


def timed_steps(steps: Iterator[float], spent: list[float]) -> Iterator[float]:
    """Pass on steps and note the milliseconds of each."""
    while True:
        start = time.perf_counter()
        try:
            share = next(steps)
        except StopIteration:
            return
        finally:
            spent.append((time.perf_counter() - start) * 1000)
        yield share


def time_shown() -> list[float]:
    """Have each pose of a live variation timed from now on; milliseconds."""
    live: Any = import_module(f"{RIFF}.state.live")
    spent: list[float] = []
    live._show = timed(live._show, spent)
    return spent


def time_draws() -> dict[str, list[float]]:
    """Have every call of a panel's draw() timed from now on; milliseconds by panel."""
    spent: dict[str, list[float]] = {}

    def drawing(draw: Callable[[Any, Any], None], taken: list[float]) -> Callable[[Any, Any], None]:
        # Blender wants a function of exactly these two.
        def measure(self: Any, context: Any) -> None:
            start = time.perf_counter()
            draw(self, context)
            taken.append((time.perf_counter() - start) * 1000)

        return measure

    for cls in import_module(f"{RIFF}.panels").CLASSES:
        if issubclass(cls, bpy.types.Panel) and "draw" in vars(cls):
            cls.draw = drawing(cls.draw, spent.setdefault(cls.__name__, []))
    return spent
