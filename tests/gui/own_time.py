"""What Riff itself takes on Blender's main thread, apart from what Blender takes to draw the window."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import bpy

RIFF = "bl_ext.user_default.riff"

CALLS = (
    ("operators.stepwise", "Stepwise.modal"), ("operators.live", "follow"), ("operators.live", "begin"),
    ("operators.timer", "tick"), ("operators.source", "look"),
)  # fmt: skip
"""Where Riff works on the main thread: modules and what of them is timed."""


def timed(function: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """The same function, which also notes the milliseconds of each call."""

    def measure(*arguments: Any, **settings: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments, **settings)
        finally:
            spent.append((time.perf_counter() - start) * 1000)

    return measure


def time_calls() -> list[float]:
    """Have each of CALLS timed from now on; the list that fills with their milliseconds."""
    spent: list[float] = []
    for module, path in CALLS:
        owner: Any = import_module(f"{RIFF}.{module}")
        *classes, name = path.split(".")
        for one in classes:
            owner = getattr(owner, one)
        setattr(owner, name, timed(getattr(owner, name), spent))
    return spent


def time_shown() -> list[float]:
    """Have each pose of a live variation timed from now on; milliseconds."""
    live: Any = import_module(f"{RIFF}.operators.live")
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
