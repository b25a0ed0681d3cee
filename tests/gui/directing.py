"""Composing and a crowd in a window, where they run beside Blender: Esc, one undo.

Runs inside Blender. The outside judges by the marks it prints.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from creature import add_short_dancer
from hand import Hand, Waits, mark, open_tab, perform

RIFF = "bl_ext.user_default.riff"
SECONDS = 4
"""Frames of the sample dance that are trained on."""

MANY = 40
"""Alternatives that are long enough in the making to be cancelled meanwhile."""


def jobs() -> Any:
    return import_module(f"{RIFF}.rig.background.jobs")


def made() -> list[str]:
    return [action.name for action in bpy.data.actions if action.get("riff_composition")]


def directing(hand: Hand) -> Waits:
    yield from open_tab(hand)
    yield from dancer(hand)
    yield from composing(hand)
    yield from escape(hand)
    yield from loop(hand)
    yield from crowd(hand)


def dancer(hand: Hand) -> Waits:
    ops: Any = bpy.ops
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        add_short_dancer(SECONDS)
        bpy.ops.ed.undo_push(message="Dancer")
    yield 1.0
    hand.invoke(ops.riff.train, scale=0.0001)
    yield from hand.wait_for(lambda: jobs().latest_training() is not None, 200, "the reading")
    job = jobs().latest_training()
    yield from hand.wait_for(lambda: not job.running, 200, "the training")
    yield 1.0


def composing(hand: Hand) -> Waits:
    ops: Any = bpy.ops
    hand.invoke(ops.riff.fill_regions, regions="40-80", count=2)
    yield from hand.wait_for(lambda: len(made()) == 2, what="the alternatives")
    yield 1.0
    mark(f"composed {', '.join(made())}")
    yield from hand.undo()
    yield from hand.wait_for(lambda: not made(), what="the undo")
    mark("one undo takes all alternatives back")


def escape(hand: Hand) -> Waits:
    ops: Any = bpy.ops
    hand.invoke(ops.riff.fill_regions, regions="40-80", count=MANY)
    yield from hand.wait_for(lambda: jobs().any_running(), what="the job")
    yield from hand.escape()
    yield from hand.wait_for(lambda: not jobs().any_running(), what="the cancel")
    yield 1.0
    mark(f"left after Esc {len(made())}")


def loop(hand: Hand) -> Waits:
    ops: Any = bpy.ops
    hand.invoke(ops.riff.loop_action, transition=30, travel="TRAVEL")
    yield from hand.wait_for(lambda: len(made()) == 1, what="the loop")
    action: Any = bpy.data.actions[made()[0]]
    mark(f"loop {action['riff_composition']}")
    yield 1.0


def crowd(hand: Hand) -> Waits:
    ops: Any = bpy.ops
    before = len(bpy.data.objects)
    hand.invoke(ops.riff.duplicate_as_crowd, count=6, frames=60)
    yield from hand.wait_for(lambda: any(c.get("riff_crowd") for c in bpy.data.collections), what="the crowd")
    yield 2.0
    found = next(collection for collection in bpy.data.collections if collection.get("riff_crowd"))
    mark(f"crowd of {sum(ob.type == 'ARMATURE' for ob in found.objects)}")
    yield from hand.undo()
    yield from hand.wait_for(lambda: len(bpy.data.objects) == before, what="the undo")
    mark("one undo takes the crowd back")


if __name__ == "__main__":
    perform(directing(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
