"""How smooth Blender's window is: gaps between ticks, time in draw(), longest block of an operator, live updates.

Runs inside Blender; prints one line “GUI-FIGURES {json}”.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from creature import add_creature
from hand import Hand, Waits, open_tab, perform

RIFF = "bl_ext.user_default.riff"
TICK = 0.02
SECONDS = float(os.environ.get("RIFF_GUI_SECONDS", "20"))


class Ticks:
    """Times of a timer that wants to be called every 20 ms."""

    def __init__(self) -> None:
        self.times: list[float] = []
        bpy.app.timers.register(self.tick, persistent=True)

    def tick(self) -> float:
        self.times.append(time.perf_counter())
        return TICK

    def start(self) -> None:
        self.times = [time.perf_counter()]

    def gaps(self) -> dict[str, float]:
        """Gaps since the start, in milliseconds."""
        gaps = np.diff([*self.times, time.perf_counter()]) * 1000
        shares = {"median": 50, "p95": 95, "p99": 99}
        return {**{name: float(np.percentile(gaps, q)) for name, q in shares.items()}, "max": float(gaps.max())}


def time_draws() -> dict[str, list[float]]:
    """Have every call of a panel's draw() timed from now on; milliseconds by panel."""
    spent: dict[str, list[float]] = {}

    def timed(cls: Any, draw: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def measure(self: Any, context: Any) -> None:
            start = time.perf_counter()
            draw(self, context)
            spent.setdefault(cls.__name__, []).append((time.perf_counter() - start) * 1000)

        return measure

    for cls in import_module(f"{RIFF}.panels").CLASSES:
        if issubclass(cls, bpy.types.Panel) and "draw" in vars(cls):
            cls.draw = timed(cls, cls.draw)
    return spent


def measure(hand: Hand) -> Waits:
    figures: dict[str, Any] = {"seconds": SECONDS}
    bpy.data.batch_remove(list(bpy.data.objects))
    yield from open_tab(hand)
    ob = add_creature()
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.screen.screen_full_area()  # other editors would be drawn as well, by the processor
    yield 3.0
    hand.region(hand.area("VIEW_3D"), "UI").active_panel_category = "Riff"
    source = import_module(f"{RIFF}.operators.source")
    yield from hand.wait_for(lambda: source.summary_of(ob) is not None, 30, "the summary")
    yield from hand.wait_for(lambda: not import_module(f"{RIFF}.rig.jobs").any_running(), 200, "the estimate")
    ticks, draws = Ticks(), time_draws()
    yield from _gaps(hand, ticks, figures, "idle")
    yield from _plain(ticks, figures, ob)
    yield from _training(hand, ticks, figures)
    yield from _generating(hand, ticks, figures)
    yield from _live(hand, ticks, figures)
    figures["draw"] = {
        name: {"median": float(np.median(spent)), "max": max(spent), "count": len(spent)}
        for name, spent in draws.items()
    }
    print("GUI-FIGURES " + json.dumps(figures), flush=True)


def _gaps(hand: Hand, ticks: Ticks, figures: dict[str, Any], name: str) -> Waits:
    ticks.start()
    yield SECONDS
    figures[name] = ticks.gaps()


def _plain(ticks: Ticks, figures: dict[str, Any], ob: Any) -> Waits:
    """What the window takes by itself to show a changed pose."""
    changes, started = 60, time.perf_counter()
    ticks.start()
    for step in range(changes):
        ob.pose.bones[step].rotation_euler[0] += 0.2
        yield 0.001
    figures["poses shown a second without Riff"] = changes / (time.perf_counter() - started)
    figures["longest picture without Riff"] = ticks.gaps()["max"]
    yield 1.0


def _click(hand: Hand, operator: Callable[..., Any], **settings: Any) -> None:
    area = hand.area("VIEW_3D")
    with hand.over(area, hand.region(area, "WINDOW")):
        operator("INVOKE_DEFAULT", **settings)


def _training(hand: Hand, ticks: Ticks, figures: dict[str, Any]) -> Waits:
    ops: Any = bpy.ops
    jobs = import_module(f"{RIFF}.rig.jobs")
    ticks.start()
    started = time.perf_counter()
    _click(hand, ops.riff.train)
    yield from hand.wait_for(lambda: jobs.latest_training() is not None, 60, "the reading")
    figures["train block"] = ticks.gaps()["max"]
    figures["reading seconds"] = time.perf_counter() - started
    job = jobs.latest_training()
    yield from hand.wait_for(lambda: job.progress is not None, 200, "progress")
    yield 2.0
    yield from _gaps(hand, ticks, figures, "training")
    ticks.start()
    _click(hand, ops.riff.cancel_training)
    started = time.perf_counter()
    yield from hand.wait_for(lambda: not job.running, 30, "the cancel")
    figures["cancel seconds"] = time.perf_counter() - started
    figures["cancel block"] = ticks.gaps()["max"]
    ops.riff.discard_training("EXEC_DEFAULT", name=job.name)
    _click(hand, ops.riff.train, scale=0.0001)
    yield from hand.wait_for(lambda: jobs.latest_training() is not job, 60, "the reading")
    job = jobs.latest_training()
    yield from hand.wait_for(lambda: not job.running, 300, "the short training")


def _generating(hand: Hand, ticks: Ticks, figures: dict[str, Any]) -> Waits:
    ops, context = bpy.ops, bpy.context
    session: Any = context.window_manager
    ticks.start()
    riff: Any = ops
    _click(hand, riff.riff.generate, count=5)
    started = time.perf_counter()
    yield from hand.wait_for(lambda: len(session.riff.variations) == 5, 120, "five variations")
    figures["generate block"] = ticks.gaps()["max"]
    figures["generate seconds"] = time.perf_counter() - started


def _live(hand: Hand, ticks: Ticks, figures: dict[str, Any]) -> Waits:
    ops: Any = bpy.ops
    context: Any = bpy.context
    live = import_module(f"{RIFF}.operators.live")
    ticks.start()
    _click(hand, ops.riff.live)
    yield from hand.wait_for(lambda: live._live.seen > 0, 60, "the preview")
    figures["live start block"] = ticks.gaps()["max"]
    ticks.start()
    seen, started = live._live.seen, time.perf_counter()
    for step in range(150):
        context.window_manager.riff.live_position = 1.0 + step / 40
        yield 0.02
    figures["live updates a second"] = (live._live.seen - seen) / (time.perf_counter() - started)
    figures["live block"] = ticks.gaps()["max"]
    _click(hand, ops.riff.live)
    yield 0.5


perform(measure(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
