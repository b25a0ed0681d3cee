"""A new user's path in a Blender without PyTorch: add the dancer, generate, look at ten variations and keep them.

Runs inside Blender. Prints how many clicks and seconds each step took; leaves the pictures of the manual's first page.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from importlib import import_module
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hand import LEARN, MAKE, STAR, Hand, Waits, mark, open_tab, perform

RIFF = "bl_ext.user_default.riff"
KEPT = 10

STARS = (*STAR, 0.68)
"""Places of the star in a row, and in one of a list with a scroll bar."""


class Without(MetaPathFinder):
    """Finder that finds no PyTorch, as in a Blender to which nobody has added it."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def session() -> Any:
    context: Any = bpy.context
    return context.window_manager.riff


def plays(name: str) -> bool:
    ob: Any = bpy.data.objects["Dancer"]
    return bool(ob.animation_data.action.name == name)


def is_kept(name: str) -> bool:
    return any(row.name == name and row.kept for row in session().variations)


def newcomer(hand: Hand) -> Waits:
    started = time.monotonic()
    bpy.data.batch_remove(list(bpy.data.objects))
    yield from open_tab(hand)
    hand.picture("start")
    yield from hand.press("bpy.ops.riff.add_sample_dancer(", lambda: "Dancer" in bpy.data.objects)
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.view3d.view_selected()
    begun = time.monotonic()
    yield from hand.press("bpy.ops.riff.generate(", lambda: bool(session().variations))
    yield from hand.wait_for(lambda: plays(session().variations[0].name), what="the first result")
    clicks = 4  # N, the tab, the dancer, Generate
    mark(f"first variation plays: {clicks} clicks, {time.monotonic() - started:.0f} s")
    mark(f"of it {time.monotonic() - begun:.1f} s from looking for Generate on")
    mark(f"torch loaded {'torch' in sys.modules}")
    yield from hand.wait_for(lambda: len(session().variations) == KEPT // 2, 120, "five variations")
    yield 1.0
    hand.picture("generated")
    yield from hand.pause()  # for the simulated hand, which misses buttons that are drawn anew at each frame
    yield from _keep(hand, [row.name for row in session().variations])
    clicks += KEPT // 2 * 2 - 1  # a star each, and Next between them
    yield from hand.press("bpy.ops.riff.generate(", lambda: len(session().variations) > KEPT // 2)
    yield from hand.wait_for(lambda: len(session().variations) == KEPT, 120, "five more variations")
    yield from hand.pause()
    yield from _keep(hand, [row.name for row in session().variations][KEPT // 2 :])
    clicks += KEPT // 2 * 2
    mark(f"the tenth is kept: {clicks} clicks, {time.monotonic() - started:.0f} s")
    hand.picture("ten-kept")
    yield from _learn(hand)
    yield from preferences(hand)


def _keep(hand: Hand, names: list[str]) -> Waits:
    """Keep variations one after the other, each shown before."""
    for name in names:
        if not plays(name):
            yield from hand.press("bpy.ops.riff.next_variation(", partial(plays, name), (0.1, 0.15))
            yield from hand.pause()
        yield from hand.press(f'bpy.ops.riff.keep_variation(action="{name}"', partial(is_kept, name), STARS)


def _learn(hand: Hand) -> Waits:
    """The side Learn of a Blender without PyTorch."""
    trial = import_module(f"{RIFF}.state.pytorch.trial")
    mark(f"PyTorch here {trial.trial_state.importable}")
    yield from hand.turn_to(LEARN)
    yield 2.0
    hand.picture("without-pytorch")
    yield from hand.turn_to(MAKE)


def preferences(hand: Hand) -> Waits:
    """Riff's preferences in their own window."""
    operators: Any = bpy.ops
    operators.screen.userpref_show()
    operators.preferences.addon_show(module=RIFF)
    yield 2.5
    hand.picture("preferences")


sys.meta_path.insert(0, Without())
perform(newcomer(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
