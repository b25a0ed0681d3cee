"""Smoothness of Blender's window: gaps between ticks, time in draw(), longest block of an operator, live updates.

Runs inside Blender; prints one line “GUI-FIGURES {json}”.
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from creature import add_creature
from hand import Hand, Waits, open_tab, perform
from own_time import time_calls, time_draws, time_shown

RIFF = "bl_ext.user_default.riff"
TICK = 0.02
SECONDS = float(os.environ.get("RIFF_GUI_SECONDS", "20"))


class Ticks:
    """Times of a timer that wants to be called every 20 ms, and what Riff's own calls took meanwhile."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.own = time_calls()
        bpy.app.timers.register(self.tick, persistent=True)

    def tick(self) -> float:
        self.times.append(time.perf_counter())
        return TICK

    def start(self) -> None:
        self.times = [time.perf_counter()]
        del self.own[:]

    def gaps(self) -> dict[str, float]:
        """Gaps since the start, in milliseconds."""
        gaps = np.diff([*self.times, time.perf_counter()]) * 1000
        shares = {"median": 50, "p95": 95, "p99": 99}
        return {**{name: float(np.percentile(gaps, q)) for name, q in shares.items()}, "max": float(gaps.max())}

    def note(self, figures: dict[str, Any], name: str) -> None:
        """Note the longest gap since the start, and the longest call of Riff's in it."""
        figures.setdefault("blocks", {})[name] = {"gap": self.gaps()["max"], "own": max(self.own, default=0.0)}


def measure(hand: Hand) -> Waits:
    figures: dict[str, Any] = {"seconds": SECONDS, "versions": versions()}
    bpy.data.batch_remove(list(bpy.data.objects))
    yield from open_tab(hand)
    ob = add_creature()
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.screen.screen_full_area()  # other editors would be drawn as well, by the processor
    yield 3.0
    hand.region(hand.area("VIEW_3D"), "UI").active_panel_category = "Riff"
    source = import_module(f"{RIFF}.state.armature_summary")
    yield from hand.wait_for(lambda: source.summary_of(ob) is not None, 240, "the summary")
    yield from hand.wait_for(
        lambda: not import_module(f"{RIFF}.rig.background.jobs").any_running(), 200, "the estimate"
    )
    ticks, draws = Ticks(), time_draws()
    yield 1.0
    yield from _gaps(ticks, figures, "idle")
    yield from _plain(ticks, figures, ob)
    yield from _training(hand, ticks, figures)
    yield from _generating(hand, ticks, figures)
    yield from _steps(hand, ticks, figures, ob)
    yield from _live(hand, ticks, figures)
    figures["draw"] = {
        name: {"median": float(np.median(spent)), "max": max(spent), "count": len(spent)}
        for name, spent in draws.items()
        if spent
    }
    print("GUI-FIGURES " + json.dumps(figures), flush=True)


def versions() -> dict[str, str]:
    return {"blender": bpy.app.version_string, "python": sys.version.split()[0], "numpy": np.__version__}


def _gaps(ticks: Ticks, figures: dict[str, Any], name: str) -> Waits:
    ticks.start()
    yield SECONDS
    figures[name] = ticks.gaps()


def _plain(ticks: Ticks, figures: dict[str, Any], ob: Any) -> Waits:
    """Time of the window alone to show a changed pose."""
    changes, started = 60, time.perf_counter()
    ticks.start()
    for step in range(changes):
        ob.pose.bones[step].rotation_euler[0] += 0.2
        yield 0.001
    figures["plain poses"] = changes / (time.perf_counter() - started)
    ticks.note(figures, "without Riff")
    yield 1.0


def _training(hand: Hand, ticks: Ticks, figures: dict[str, Any]) -> Waits:
    ops: Any = bpy.ops
    jobs = import_module(f"{RIFF}.rig.background.jobs")
    ticks.start()
    started = time.perf_counter()
    hand.invoke(ops.riff.train)
    yield from hand.wait_for(lambda: jobs.latest_training() is not None, 240, "the reading")
    ticks.note(figures, "train")
    figures["reading seconds"] = time.perf_counter() - started
    job = jobs.latest_training()
    yield from hand.wait_for(lambda: job.progress is not None, 200, "progress")
    yield 2.0
    yield from _gaps(ticks, figures, "training")
    ticks.start()
    hand.invoke(ops.riff.cancel_training)
    started = time.perf_counter()
    yield from hand.wait_for(lambda: not job.running, 240, "the cancel")
    figures["cancel seconds"] = time.perf_counter() - started
    ticks.note(figures, "cancel")
    ops.riff.discard_training("EXEC_DEFAULT", name=job.name)
    hand.invoke(ops.riff.train, scale=0.0001)
    yield from hand.wait_for(lambda: jobs.latest_training() is not job, 240, "the reading")
    job = jobs.latest_training()
    yield from hand.wait_for(lambda: not job.running, 300, "the short training")
    yield 1.0


def _generating(hand: Hand, ticks: Ticks, figures: dict[str, Any]) -> Waits:
    ops, context = bpy.ops, bpy.context
    session: Any = context.window_manager
    ticks.start()
    riff: Any = ops
    hand.invoke(riff.riff.generate, count=5)
    started = time.perf_counter()
    yield from hand.wait_for(lambda: len(session.riff.variations) == 5, 120, "five variations")
    ticks.note(figures, "generate")
    figures["generate seconds"] = time.perf_counter() - started
    yield 1.0


def _steps(hand: Hand, ticks: Ticks, figures: dict[str, Any], ob: Any) -> Waits:
    """Operators that work in steps on the main thread."""
    riff, scene = bpy.ops, bpy.context.scene
    ops: Any = riff
    settings: Any = scene
    settings.riff_compose.armature, settings.riff_compose.content = ob, ob.animation_data.action
    for name, operator in (("find parts", "find_parts"), ("guess bones", "guess_bones"), ("mark asset", "mark_asset")):
        ticks.start()
        hand.invoke(getattr(ops.riff, operator))
        yield from hand.wait_for(partial(_is_over, hand, operator), 240, name)
        ticks.note(figures, name)
        yield 0.5


def _is_over(hand: Hand, operator: str) -> bool:
    return not hand.is_running(f"RIFF_OT_{operator}")


def _live(hand: Hand, ticks: Ticks, figures: dict[str, Any]) -> Waits:
    ops: Any = bpy.ops
    live = import_module(f"{RIFF}.state.live")
    shown = time_shown()
    ticks.start()
    hand.invoke(ops.riff.live)
    yield from hand.wait_for(lambda: live.live_preview.seen > 0, 240, "the preview")
    ticks.note(figures, "live start")
    yield 1.0
    ticks.start()
    yield from _drag(live, figures, "live updates")
    ticks.note(figures, "live")
    del shown[:]
    area = hand.area("VIEW_3D")
    area.type = "TEXT_EDITOR"  # nothing is drawn that follows the pose; it is evaluated all the same
    yield 1.0
    yield from _drag(live, figures, "live updates, nothing drawn")
    figures["live own"] = {"median": float(np.median(shown)), "max": max(shown)}
    area.type = "VIEW_3D"
    yield 2.0
    yield from hand.wait_for(lambda: live.live_preview.job.finished, 240, "clean feet")
    ticks.start()
    hand.invoke(ops.riff.live_keep)
    yield from hand.wait_for(partial(_is_over, hand, "live_keep"), 240, "the kept variation")
    ticks.note(figures, "live keep")


def _drag(live: Any, figures: dict[str, Any], name: str) -> Waits:
    """The slider moved a little fifty times a second; how many poses followed in a second."""
    seen, started = live.live_preview.seen, time.perf_counter()
    session: Any = bpy.context.window_manager
    for step in range(150):
        session.riff.live_position = 1.0 + step / 40
        yield 0.02
    figures[name] = (live.live_preview.seen - seen) / (time.perf_counter() - started)


perform(measure(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
