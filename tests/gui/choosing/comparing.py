"""Comparing in a window: moving pictures, ghosts with their names, a click on a button over one, made again.

Runs inside Blender. The outside judges by the marks it prints and the pictures it leaves.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from creature import add_short_dancer
from hand import Hand, Waits, mark, open_tab, perform

SECONDS = 3
"""Seconds of the sample dance that are used."""

RIFF = "bl_ext.user_default.riff"


def part(name: str) -> Any:
    return __import__(f"{RIFF}.{name}", fromlist=["*"])


def made() -> list[str]:
    manager: Any = bpy.context.window_manager
    return [row.name for row in manager.riff.variations]


def ghosts() -> list[Any]:
    return [ob for ob in bpy.data.objects if ob.type == "ARMATURE" and ob.get("riff_ghost")]


def playing() -> str:
    ob: Any = bpy.data.objects["Dancer"]
    return str(ob.animation_data.action.name)


def comparing(hand: Hand) -> Waits:
    yield from open_tab(hand)
    yield from dancer(hand)
    yield from strip(hand)
    yield from stand_beside(hand)
    yield from click_on_a_ghost(hand)
    yield from again(hand)


def dancer(hand: Hand) -> Waits:
    ops: Any = bpy.ops
    preferences: Any = bpy.context.preferences
    preferences.addons[RIFF].preferences.show_results = False
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        add_short_dancer(SECONDS)
        bpy.ops.ed.undo_push(message="Dancer")
    yield 1.0
    hand.invoke(ops.riff.generate, count=4)
    yield from hand.wait_for(lambda: len(made()) == 4 and not hand.window.modal_operators, 200, "the variations")
    yield 1.0


def strip(hand: Hand) -> Waits:
    """The box Compare is opened by a click on its name; its pictures move."""
    frames = part("state.variations.strip")
    region = hand.region(hand.area("VIEW_3D"), "UI")
    before = frames._Strip.frame
    place = yield from hand.find("bpy.ops.riff.previous_variation(", (0.06, 0.1))
    for below in (28, 34, 22, 40):  # the name of the box is right below this button
        yield from hand.click(region.x + 60, place[1] - below)
        yield 0.5
        if frames._Strip.drawn:
            break
    for _ in range(8):
        hand.window.event_simulate("WHEELDOWNMOUSE", "PRESS", x=int(place[0]), y=region.y + region.height // 2)
        yield 0.05
    yield 3.0
    mark(f"the pictures move {frames._Strip.frame - before > 3}")
    hand.picture("1-strip")


def stand_beside(hand: Hand) -> Waits:
    ops: Any = bpy.ops
    before = playing()
    hand.invoke(ops.riff.show_ghosts, number=3, spacing=0.8)
    yield 1.0
    mark(f"ghosts {len(ghosts())}, the character plays its own {playing() == before}")
    hand.area("VIEW_3D").spaces[0].show_region_ui = False
    yield 0.5
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_all()
    context: Any = bpy.context
    context.scene.frame_set(40)
    yield 1.5
    hand.picture("2-ghosts")


def click_on_a_ghost(hand: Hand) -> Waits:
    """A click on each of the buttons over ghosts: shown, kept, rejected."""
    names = [ghost.animation_data.action.name for ghost in sorted(ghosts(), key=lambda ob: ob["riff_place"])]
    yield from press(hand, names[0], 0)
    yield from hand.wait_for(lambda: playing() == names[0], 20, "the variation")
    yield from hand.pause()
    mark("a click on a ghost shows it")
    yield from press(hand, names[1], 1)
    yield from hand.wait_for(lambda: bool(bpy.data.actions[names[1]].get("riff_kept")), 20, "the star")
    yield from press(hand, names[2], 2)
    yield from hand.wait_for(lambda: names[2] not in bpy.data.actions, 20, "the end of the third")
    yield 1.0
    mark(f"kept the second, rejected the third, ghosts {len(ghosts())}")
    hand.picture("3-clicked")


def press(hand: Hand, action: str, step: int) -> Waits:
    buttons = part("panels.overlays.ghost_buttons")
    context: Any = bpy.context
    region = hand.region(hand.area("VIEW_3D"), "WINDOW")
    with hand.over(hand.area("VIEW_3D"), region):
        names = part("state.variations.ghosts").ghost_names(context)
        places = buttons.button_places(context, names)
    (place,) = [place for name, place in zip(names, places, strict=True) if name.action == action]
    yield from hand.click(region.x + place[step][0], region.y + place[step][1])


def again(hand: Hand) -> Waits:
    ops: Any = bpy.ops
    hand.invoke(ops.riff.make_again)
    yield from hand.wait_for(lambda: len(made()) == 4 and not hand.window.modal_operators, 100, "the third again")
    mark("made again")
    hand.invoke(ops.riff.hide_ghosts)
    yield 1.0
    mark(f"hidden {not ghosts()}")
    yield from hand.undo()
    yield from hand.wait_for(lambda: len(ghosts()) == 2, what="the undo")
    mark("one undo shows them again")
    hand.picture("4-again")


if __name__ == "__main__":
    perform(comparing(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
