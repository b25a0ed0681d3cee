"""Random steps of a person, by mouse, keys and operators, while Riff trains, previews, generates and Blender plays.

Runs inside Blender for RIFF_GUI_SECONDS; RIFF_GUI_SEED chooses the steps. Each is marked before it is taken, so that
the last mark of a crash tells what did it. Afterwards nothing of Riff's may be left and the source be as it was.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hand import Hand, Waits, mark, open_tab, perform
from traces import children, digest, jobs_at_work, users

RIFF = "bl_ext.user_default.riff"
SECONDS = float(os.environ.get("RIFF_GUI_SECONDS", "20"))
CHANCE = random.Random(int(os.environ.get("RIFF_GUI_SEED", "1")))
FOLDER = Path(tempfile.mkdtemp())
FEW_STEPS = 0.0001
CLICKED = (
    "train(",
    "cancel_training(",
    "generate(",
    "live(",
    "show_action(",
    "next_variation(",
    "previous_variation(",
    "keep_variation(",
    "discard_",
    "duplicate_as_crowd(",
    "more_like_this(",
    "variation_to_nla(",
    "reduce_keys(",
    "add_region(",
)
"""Buttons that may be clicked in the panel; dialogs and file browsers would swallow the next steps."""

KEYS: tuple[tuple[str, dict[str, bool]], ...] = (
    ("Z", {"ctrl": True}),
    ("Z", {"ctrl": True}),
    ("Z", {"ctrl": True, "shift": True}),
    ("TAB", {}),
    ("TAB", {"ctrl": True}),
    ("SPACE", {}),
    ("RIGHT_ARROW", {}),
    ("LEFT_ARROW", {}),
    ("UP_ARROW", {}),
    ("A", {}),
    ("A", {"alt": True}),
    ("H", {}),
    ("H", {"alt": True}),
    ("ESC", {}),
    ("R", {}),
    ("G", {}),
    ("RET", {}),
)
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("train", {"scale": FEW_STEPS}),
    ("cancel_training", {}),
    ("resume_training", {}),
    ("live", {}),
    ("live_keep", {}),
    ("generate", {"count": 3, "frames": 90}),
    ("generate", {"count": 1, "frames": 90, "tolerance": 0.01}),
    ("extend_action", {}),
    ("vary_parts", {}),
    ("duplicate_as_crowd", {"count": 3, "frames": 60}),
    ("reroll_crowd", {"which": "ALL"}),
    ("remove_crowd", {}),
    ("reduce_keys", {}),
    ("show_action", {}),
    ("next_variation", {}),
    ("previous_variation", {}),
    ("discard_variation", {}),
    ("discard_others", {}),
    ("add_sample_dancer", {}),
    ("mark_asset", {}),
)


def part(name: str) -> Any:
    return import_module(f"{RIFF}.{name}")


def quietly(what: Callable[..., Any], *arguments: Any, **settings: Any) -> None:
    """Do what may be refused in a sentence."""
    try:
        what(*arguments, **settings)
    except RuntimeError as refusal:
        if "Traceback" in str(refusal):
            raise


def pick(found: Any) -> Any:
    ordered = sorted(found, key=lambda block: block.name)
    return CHANCE.choice(ordered) if ordered else None


def viewport(hand: Hand) -> tuple[Any, Any]:
    area = hand.area("VIEW_3D")
    return area, hand.region(area, "WINDOW")


def press_key(hand: Hand) -> Waits:
    name, modifiers = CHANCE.choice(KEYS)
    mark(f"  key {name} {modifiers}")
    _, view = viewport(hand)
    place = view.x + CHANCE.randrange(40, 200), view.y + CHANCE.randrange(40, 200)
    yield from hand.key(name, *place, **modifiers)
    if name in ("R", "G"):
        yield from hand.move(place[0] + 60, place[1] + 20)
        yield from hand.click(place[0] + 60, place[1] + 20, CHANCE.choice(("LEFTMOUSE", "RIGHTMOUSE")))


def click_view(hand: Hand) -> Waits:
    _, view = viewport(hand)
    yield from hand.click(view.x + CHANCE.randrange(view.width - 300), view.y + CHANCE.randrange(view.height - 40))


def click_panel(hand: Hand) -> Waits:
    """Click a button of Riff's that the pointer happens to come over."""
    area = hand.area("VIEW_3D")
    panel = hand.region(area, "UI")
    if panel.width < 50:
        return
    for _ in range(12):
        place = panel.x + CHANCE.randrange(20, panel.width - 20), panel.y + CHANCE.randrange(10, panel.height - 30)
        yield from hand.move(*place)
        button = hand.under_pointer(area, panel)
        if any(f"riff.{name}" in button for name in CLICKED):
            mark(f"  button {button[:70]}")
            yield from hand.click(*place)
            return


def call_riff(hand: Hand) -> Waits:
    name, settings = CHANCE.choice(CALLS)
    mark(f"  riff.{name} {settings}")
    if name == "add_sample_dancer" and len(bpy.data.objects) > 12:
        return
    with hand.over(*viewport(hand)):
        operator: Any = getattr(bpy.ops.riff, name)  # type: ignore[attr-defined]
        if operator.poll():
            quietly(operator, "INVOKE_DEFAULT", **settings)
    yield 0.1


def drag_slider(hand: Hand) -> Waits:
    context: Any = bpy.context
    for _ in range(CHANCE.randrange(1, 8)):
        context.window_manager.riff.live_position = CHANCE.uniform(0.0, 6.0)
        yield 0.08


def edit_data(hand: Hand) -> Waits:
    """Rename or delete what Riff may be at."""
    armature = pick(ob for ob in bpy.data.objects if ob.type == "ARMATURE")
    action = pick(bpy.data.actions)
    what = CHANCE.choice(("rename", "rename bone", "rename action", "delete", "delete action", "select", "assign"))
    mark(f"  {what}")
    if armature is None or action is None:
        yield from fresh(hand)
        return
    with hand.over(*viewport(hand)):
        if what == "rename":
            armature.name = CHANCE.choice(("Dancer", "Other", "Ünïcode 💃"))
        elif what == "rename bone" and armature.mode != "EDIT":
            pick(armature.data.bones).name = CHANCE.choice(("hips", "x" * 63, 'q"uote'))
        elif what == "rename action":
            action.name = CHANCE.choice(("Dance", "Sample Dance", 'a"b\\c'))
        elif what == "delete" and CHANCE.random() < 0.4:
            bpy.data.objects.remove(armature)
        elif what == "delete action" and CHANCE.random() < 0.4:
            bpy.data.actions.remove(action)
        elif what == "select" and bpy.context.mode == "OBJECT":
            context: Any = bpy.context
            context.view_layer.objects.active = armature
        elif what == "assign" and armature.animation_data is not None:
            armature.animation_data.action = action
        quietly(bpy.ops.ed.undo_push, message=what)
    yield 0.05


def save_or_open(hand: Hand) -> Waits:
    path = FOLDER / "random.blend"
    with hand.over(*viewport(hand)):
        if not path.exists() or CHANCE.random() < 0.6:
            mark("  save")
            quietly(bpy.ops.wm.save_as_mainfile, filepath=str(path), copy=True)
        else:
            mark("  open")
            quietly(bpy.ops.wm.open_mainfile, filepath=str(path), load_ui=False)
    context: Any = bpy.context
    hand.window = context.window_manager.windows[0]
    yield 0.5


def fresh(hand: Hand) -> Waits:
    """A dancer, selected, in Object Mode."""
    with hand.over(*viewport(hand)):
        if bpy.context.mode != "OBJECT":
            quietly(bpy.ops.object.mode_set, mode="OBJECT")
        quietly(bpy.ops.riff.add_sample_dancer)  # type: ignore[attr-defined]
        for ob in bpy.data.objects:
            if ob.type == "ARMATURE" and ob.animation_data is not None and ob.animation_data.action is not None:
                SOURCES.add(digest(ob.animation_data.action, names=False))
        bpy.ops.ed.undo_push(message="Dancer")
    yield 0.3


SOURCES: set[str] = set()
STEPS: tuple[tuple[Callable[[Hand], Waits], int], ...] = (
    (press_key, 8),
    (call_riff, 8),
    (edit_data, 4),
    (click_panel, 3),
    (click_view, 2),
    (drag_slider, 2),
    (save_or_open, 1),
)


def sources_are_as_they_were() -> None:
    for action in bpy.data.actions:
        if action.get("riff_model") is None and not action.name.startswith("Riff Crowd"):
            assert digest(action, names=False) in SOURCES, f"“{action.name}” was changed"


def editing(hand: Hand) -> Waits:
    # Blender's own first file as well: what its cube uses is counted afresh otherwise.
    bpy.data.batch_remove([*bpy.data.objects, *bpy.data.meshes, *bpy.data.materials, *bpy.data.lights])
    yield from open_tab(hand)
    yield from fresh(hand)
    with hand.over(*viewport(hand)):
        bpy.ops.riff.train(scale=FEW_STEPS)  # type: ignore[attr-defined]
    patience = time.monotonic() + 300.0  # without a model there is less to disturb, but enough
    while part("rig.background.jobs").any_running() and time.monotonic() < patience:
        yield 0.5
    context: Any = bpy.context
    mark(f"models {len(context.window_manager.riff.models)}")
    with hand.over(*viewport(hand)):
        bpy.ops.screen.animation_play()
    until, count = time.monotonic() + SECONDS, 0
    functions, weights = zip(*STEPS, strict=True)
    while time.monotonic() < until:
        (step,) = CHANCE.choices(functions, weights)
        count += 1
        mark(f"step {count} {step.__name__}")
        yield from step(hand)
        sources_are_as_they_were()
        if not any(ob.type == "ARMATURE" for ob in bpy.data.objects):
            yield from fresh(hand)
        yield CHANCE.choice((0.02, 0.1, 0.4))
    hand.picture("random")
    yield from the_end(hand, count)


def the_end(hand: Hand, count: int) -> Waits:
    """Everything is stopped as a person would, and nothing is left."""
    _, view = viewport(hand)
    for _ in range(6):  # each modal operator ends by one
        yield from hand.key("ESC", view.x + 100, view.y + 100)
    with hand.over(*viewport(hand)):
        bpy.ops.screen.animation_cancel(restore_frame=False)
    part("state.live").end()
    part("rig.background.jobs").stop_all()
    yield 3.0
    sources_are_as_they_were()
    path = str(FOLDER / "end.blend")
    with hand.over(*viewport(hand)):
        quietly(bpy.ops.object.mode_set, mode="OBJECT")
        data: Any = bpy.data
        data.orphans_purge(do_recursive=True)  # these are not saved, and use others
        bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
        before = {block: number for block, number in users().items() if number}
        bpy.ops.wm.open_mainfile(filepath=path, load_ui=False)
    yield 2.0
    # The panel may ask how long training would take on what was opened: that ends by itself.
    until = time.monotonic() + 300.0
    while part("rig.background.jobs").any_running() and time.monotonic() < until:
        yield 0.5
    yield 1.0
    after = users()
    wrong = {block: (number, after.get(block)) for block, number in before.items() if after.get(block) != number}
    scenes = [scene.name for scene in bpy.data.scenes if scene.name.startswith("Riff")]
    mark(f"steps {count}")
    mark(f"left: users {wrong}, scenes {scenes}, threads {jobs_at_work()}, processes {children()}")


if __name__ == "__main__":
    perform(editing(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
