"""Spans, pins and the amount of a variation in a window: each made, played, and taken back by one undo.

Runs inside Blender. The outside judges by the marks it prints.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from creature import add_short_dancer
from hand import Hand, Waits, mark, open_tab, perform

SECONDS = 4
"""Seconds of the sample dance that are used."""

MAX_DISTANCE = 0.01
"""Largest distance in metres of a pinned hand from its place."""


def made() -> set[str]:
    return {action.name for action in bpy.data.actions if action.get("riff_model") is not None}


def playing() -> str:
    ob: Any = bpy.data.objects["Dancer"]
    return str(ob.animation_data.action.name)


def in_time(hand: Hand) -> Waits:
    yield from open_tab(hand)
    yield from dancer(hand)
    yield from spans(hand)
    yield from places(hand)
    yield from amount(hand)


def dancer(hand: Hand) -> Waits:
    """The dancer with a short action, a second one, and an instant model."""
    ops: Any = bpy.ops
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        action = add_short_dancer(SECONDS)
        other = action.copy()
        other.name, other.use_fake_user = "Later", True
        other.frame_start, other.frame_end = 200, 200 + 30 * SECONDS
        bpy.ops.ed.undo_push(message="Dancer")
    yield 1.0
    hand.invoke(ops.riff.instant_model)
    manager: Any = bpy.context.window_manager
    yield from hand.wait_for(lambda: len(manager.riff.models) > 0, 100, "the instant model")
    yield 1.0


def result(hand: Hand, before: set[str], what: str) -> Waits:
    """Wait for new actions, say whether the first plays, and take them back."""
    yield from hand.wait_for(lambda: made() - before and not hand.window.modal_operators, 200, what)
    yield 1.0
    mark(f"{what}: made {len(made() - before)}, plays {playing() in made() - before}")
    hand.picture(what.replace(" ", "-"))


def undone(hand: Hand, before: set[str], what: str) -> Waits:
    yield from hand.undo()
    yield from hand.wait_for(lambda: made() == before, what="the undo")
    mark(f"{what}: one undo takes it back")


def spans(hand: Hand) -> Waits:
    ops, before = bpy.ops, made()
    riff: Any = ops
    hand.invoke(riff.riff.add_span)
    hand.invoke(riff.riff.add_span, action="Later")
    yield 0.5
    hand.invoke(riff.riff.generate_spans)
    yield from result(hand, before, "spans")
    yield from undone(hand, before, "spans")


def places(hand: Hand) -> Waits:
    """A hand pinned to its place in the viewport."""
    riff: Any = bpy.ops
    ob, context, before = bpy.data.objects["Dancer"], bpy.context, made()
    scene: Any = context.scene
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        scene.frame_set(60)
        bpy.ops.object.mode_set(mode="POSE")
        armature: Any = ob.data
        armature.bones.active = armature.bones["hand.L"]
    yield 0.5
    pose: Any = ob.pose
    wanted = (ob.matrix_world @ pose.bones["hand.L"].head).copy()
    hand.invoke(riff.riff.add_pin)
    yield 0.5
    hand.invoke(riff.riff.reach_places, count=1)
    yield from result(hand, before, "pins")
    scene.frame_set(60)
    again: Any = bpy.data.objects["Dancer"]
    distance = (again.matrix_world @ again.pose.bones["hand.L"].head - wanted).length
    mark(f"pins: hand at its place {distance < MAX_DISTANCE}")
    yield from undone(hand, before, "pins")


def amount(hand: Hand) -> Waits:
    riff: Any = bpy.ops
    before = made()
    hand.invoke(riff.riff.generate, count=1)
    yield from hand.wait_for(lambda: len(made()) == len(before) + 1 and not hand.window.modal_operators, 200, "one")
    yield 1.0
    before = made()
    hand.invoke(riff.riff.set_amount, amount=0.5)
    yield 1.0
    hand.picture("amount-dialog")
    view = hand.region(hand.area("VIEW_3D"), "WINDOW")
    yield from hand.key("RET", view.x + view.width // 2, view.y + view.height // 2)
    yield from result(hand, before, "amount")
    yield from undone(hand, before, "amount")


if __name__ == "__main__":
    perform(in_time(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
