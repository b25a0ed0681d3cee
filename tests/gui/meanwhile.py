"""Edits of a person between two steps of Riff's work: Esc, undo, save, delete, open another file.

Runs inside Blender. The outside judges by the marks it prints; a crash leaves them out.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from creature import FRAMES, add_creature
from hand import Hand, Waits, mark, open_tab, perform

RIFF = "bl_ext.user_default.riff"

LONG = 2000
"""Frames that are read long enough to be disturbed meanwhile."""


def jobs() -> Any:
    return import_module(f"{RIFF}.rig.background.jobs")


def scenes() -> str:
    return ", ".join(scene.name for scene in bpy.data.scenes)


def reading(hand: Hand) -> Waits:
    """Click Train and wait until a few steps of the reading are done."""
    ops: Any = bpy.ops
    hand.invoke(ops.riff.train, scale=0.0001)
    yield 0.15
    assert jobs().latest_training() is None, "the reading was over before it could be disturbed"


def meanwhile(hand: Hand) -> Waits:
    yield from open_tab(hand)
    yield from escape(hand)
    yield from undo(hand)
    yield from save(hand)
    yield from training(hand)
    yield from deletion(hand)
    yield from another_file(hand)


def fresh(hand: Hand, frames: int = FRAMES) -> Waits:
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.data.batch_remove(list(bpy.data.objects))
        add_creature(frames)
        bpy.ops.ed.undo_push(message="Creature")
    yield 1.0


def escape(hand: Hand) -> Waits:
    yield from fresh(hand, LONG)
    yield from reading(hand)
    yield from hand.escape()
    yield 2.0
    mark(f"escape: scenes {scenes()}, training {jobs().latest_training()}")


def undo(hand: Hand) -> Waits:
    yield from reading(hand)
    ob: Any = bpy.data.objects["Creature"]
    ob.location.x = 1.0
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.ed.undo_push(message="Move")
    yield 0.1
    yield from hand.undo()
    yield 4.0
    yield from ended(hand)
    mark(f"undo: scenes {scenes()}, creature at {bpy.data.objects['Creature'].location.x:.0f}")


def save(hand: Hand) -> Waits:
    yield from reading(hand)
    path = Path(tempfile.mkdtemp()) / "meanwhile.blend"
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    libraries: Any = bpy.data.libraries
    with libraries.load(str(path)) as (there, _):
        mark(f"save: scenes {', '.join(there.scenes)}, objects {', '.join(sorted(there.objects))}")
    yield 4.0
    yield from ended(hand)


def ended(hand: Hand) -> Waits:
    """Let the reading end, end the training that it has begun, and forget it."""
    yield from hand.wait_for(lambda: not hand.is_running("RIFF_OT_train"), what="the reading")
    jobs().stop_all()
    yield 0.5


def training(hand: Hand) -> Waits:
    """While it trains: another pose, another frame, undo; then the model is there."""
    yield from fresh(hand)
    ops: Any = bpy.ops
    hand.invoke(ops.riff.train, scale=0.0001)
    yield from hand.wait_for(lambda: jobs().latest_training() is not None, what="the reading")
    job = jobs().latest_training()
    context: Any = bpy.context
    ob: Any = bpy.data.objects["Creature"]
    ob.data.bones["hips"].name = "pelvis"
    context.scene.frame_set(40)
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.ed.undo_push(message="Rename")
        bpy.ops.ed.undo()
    yield from hand.wait_for(lambda: not job.running, 200, "the training")
    mark(f"training: {job.state.value} {job.error}")
    jobs().stop_all()


def deletion(hand: Hand) -> Waits:
    """Delete the armature while variations are written for it."""
    yield from fresh(hand)
    ops, actions = bpy.ops, bpy.data.actions
    before = len(actions)
    riff: Any = ops
    hand.invoke(riff.riff.generate, count=20)
    yield from hand.wait_for(lambda: len(actions) > before, what="the first variation")
    bpy.data.objects.remove(bpy.data.objects["Creature"])
    yield 2.0
    left = [action.name for action in bpy.data.actions if action.get("riff_model")]
    mark(f"deletion: variations left {len(left)}")


def another_file(hand: Hand) -> Waits:
    yield from fresh(hand, LONG)
    yield from reading(hand)
    bpy.ops.wm.read_homefile(use_empty=True)
    yield 3.0
    mark(f"another file: scenes {scenes()}, training {jobs().latest_training()}")


if __name__ == "__main__":
    perform(meanwhile(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
