"""How smooth Blender's window is: gaps between ticks, time in draw(), longest block of an operator, live updates.

Runs inside Blender; prints one line “GUI-FIGURES {json}”.
"""

from __future__ import annotations

import json
import math
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

from hand import Hand, Waits, open_tab, perform

RIFF = "bl_ext.user_default.riff"
FRAMES, CHAINS, LINKS = 648, 16, 4
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


def add_creature() -> Any:
    """An armature of 65 bones with every bone keyed on 648 frames, walking along."""
    data = bpy.data.armatures.new("Creature")
    ob: Any = bpy.data.objects.new("Creature", data)
    context: Any = bpy.context
    context.collection.objects.link(ob)
    context.view_layer.objects.active = ob
    ob.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    hips = data.edit_bones.new("hips")
    hips.head, hips.tail = (0, 0, 1.0), (0, 0, 1.1)
    for chain in range(CHAINS):
        parent, angle = hips, chain * 2 * math.pi / CHAINS
        for link in range(LINKS):
            bone = data.edit_bones.new(f"chain{chain:02}.{link}")
            bone.parent = parent
            bone.head = parent.tail
            reach = 0.15 * (link + 1)
            rise = (0.1 if chain % 2 else -0.25) * (link + 1)
            bone.tail = (math.cos(angle) * reach, math.sin(angle) * reach, 1.1 + rise)
            parent = bone
    bpy.ops.object.mode_set(mode="POSE")
    action = bpy.data.actions.new("Creep")
    slot = action.slots.new(id_type="OBJECT", name=ob.name)
    ob.animation_data_create().action = action
    ob.animation_data.action_slot = slot
    layer: Any = action.layers.new("Layer")
    bag = layer.strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    times = np.arange(FRAMES)
    for number, bone in enumerate(ob.pose.bones):
        bone.rotation_mode = "XYZ"
        for axis in range(3):
            _key(bag, bone.path_from_id("rotation_euler"), axis, 0.4 * np.sin(times / (9 + number % 7) + axis + number))
    _key(bag, ob.pose.bones["hips"].path_from_id("location"), 1, times * 0.002)
    bpy.ops.object.mode_set(mode="OBJECT")
    context.scene.render.fps, context.scene.frame_end = 30, FRAMES
    return ob


def _key(bag: Any, path: str, axis: int, values: Any) -> None:
    curve = bag.fcurves.new(path, index=axis)
    curve.keyframe_points.add(FRAMES)
    curve.keyframe_points.foreach_set("co", np.stack([np.arange(1, FRAMES + 1), values], 1).astype(np.float32).ravel())
    curve.update()


def measure(hand: Hand) -> Waits:
    figures: dict[str, Any] = {"seconds": SECONDS}
    bpy.data.batch_remove(list(bpy.data.objects))
    yield from open_tab(hand)
    ob = add_creature()
    yield 3.0
    source = import_module(f"{RIFF}.operators.source")
    yield from hand.wait_for(lambda: source.summary_of(ob) is not None, 30, "the summary")
    yield from hand.wait_for(lambda: not import_module(f"{RIFF}.rig.jobs").any_running(), 200, "the estimate")
    ticks, draws = Ticks(), time_draws()
    yield from _gaps(hand, ticks, figures, "idle")
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


def _click(hand: Hand, operator: Callable[..., Any], **settings: Any) -> None:
    area = hand.area("VIEW_3D")
    with hand.over(area, hand.region(area, "WINDOW")):
        operator("INVOKE_DEFAULT", **settings)


def _training(hand: Hand, ticks: Ticks, figures: dict[str, Any]) -> Waits:
    ops: Any = bpy.ops
    jobs = import_module(f"{RIFF}.rig.jobs")
    ticks.start()
    _click(hand, ops.riff.train)
    yield 0.0
    figures["train click"] = ticks.gaps()["max"]
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
    job = jobs.latest_training()
    yield from hand.wait_for(lambda: not job.running, 300, "the short training")


def _generating(hand: Hand, ticks: Ticks, figures: dict[str, Any]) -> Waits:
    ops, context = bpy.ops, bpy.context
    session: Any = context.window_manager
    ticks.start()
    riff: Any = ops
    _click(hand, riff.riff.generate, count=5)
    yield from hand.wait_for(lambda: len(session.riff.variations) == 5, 120, "five variations")
    figures["generate block"] = ticks.gaps()["max"]


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
