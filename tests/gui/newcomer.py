"""A new user's path in a Blender without PyTorch: add the dancer, import a colleague's model, generate, play.

Runs inside Blender; RIFF_GUI_MODEL names the model. Prints what each step took and how many clicks; leaves the pictures
of the manual's first page.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hand import LEARN, MAKE, Hand, Waits, mark, open_tab, perform

RIFF = "bl_ext.user_default.riff"
MODEL = Path(os.environ.get("RIFF_GUI_MODEL", "/opt/Dance.safetensors"))


def session() -> Any:
    context: Any = bpy.context
    return context.window_manager.riff


def newcomer(hand: Hand) -> Waits:
    started, clicks = time.monotonic(), 0
    bpy.data.batch_remove(list(bpy.data.objects))
    yield from open_tab(hand)
    clicks += 2  # N, and the tab
    hand.picture("start")
    yield from hand.press("bpy.ops.riff.add_sample_dancer(", lambda: "Dancer" in bpy.data.objects)
    clicks += 1
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.view3d.view_selected()
    install = import_module(f"{RIFF}.state.pytorch.trial")
    mark(f"PyTorch here {install.trial_state.importable}")
    yield from hand.turn_to(LEARN)
    yield 2.0
    hand.picture("without-pytorch")
    yield from hand.turn_to(MAKE)
    # The file browser of Import Model is Blender's own: its three clicks are counted, not made.
    operators: Any = bpy.ops
    operators.riff.import_model(filepath=str(MODEL))
    clicks += 3
    yield 0.5
    begun = time.monotonic()
    yield from hand.press("bpy.ops.riff.generate(", lambda: bool(session().variations))
    clicks += 1
    yield from hand.wait_for(lambda: len(session().variations) == 5, 120, "five variations")
    mark(f"five variations {time.monotonic() - begun:.1f} s after looking for the button")
    name = session().variations[0].name
    ob: Any = bpy.data.objects["Dancer"]
    yield from hand.wait_for(lambda: ob.animation_data.action.name == name, what="the first result")
    mark(f"first variation plays: {clicks} clicks, {time.monotonic() - started:.0f} s")
    mark(f"torch loaded {'torch' in sys.modules}")
    yield 1.0
    hand.picture("generated")
    yield from preferences(hand)


def preferences(hand: Hand) -> Waits:
    """Riff's preferences in their own window."""
    operators: Any = bpy.ops
    operators.screen.userpref_show()
    operators.preferences.addon_show(module=RIFF)
    yield 2.5
    hand.picture("preferences")


perform(newcomer(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
