"""Other starts and screens: a file on the command line, Open Recent, full screen, two windows, no viewport.

Runs inside Blender, started with the file that `dancer_file.py` has saved. The outside judges by the marks it prints.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hand import Hand, Waits, mark, open_tab, perform


def session() -> Any:
    manager: Any = bpy.context.window_manager
    return manager.riff


def playing() -> str:
    """Name of the action that the dancer plays."""
    ob: Any = bpy.data.objects["Dancer"]
    return str(ob.animation_data.action.name)


def screens(hand: Hand) -> Waits:
    yield from opened(hand, "command line")
    yield from opened_recently(hand)
    yield from full_screen(hand)
    yield from second_window(hand)
    yield from without_viewport(hand)


def opened(hand: Hand, how: str) -> Waits:
    """Models and variations after a file was opened, and a click on Generate."""
    hand.window = bpy.context.window_manager.windows[0]  # type: ignore[union-attr]
    yield from open_tab(hand)
    yield from hand.wait_for(lambda: len(session().models) > 0, what="the models")
    before = len(session().variations)
    mark(f"{how}: variations {before}, model {session().models[session().active_model].name}")
    if how == "command line":
        hand.picture("1-command-line")

    def has_begun() -> bool:
        return hand.is_running("RIFF_OT_generate") or len(session().variations) > before

    yield from hand.press("bpy.ops.riff.generate(", has_begun)
    yield from hand.wait_for(lambda: len(session().variations) == before + 5, 200, "five variations")
    shown = session().variations[session().active_variation].name
    mark(f"{how}: generated {len(session().variations) - before}, first plays {shown == playing()}")
    yield from hand.pause()


def opened_recently(hand: Hand) -> Waits:
    """Another file, then the dancer's again from the menu of recent files."""
    path = bpy.data.filepath
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.wm.open_mainfile(filepath=str(Path(path).with_name("other.blend")))
    yield 2.0
    hand.window = bpy.context.window_manager.windows[0]  # type: ignore[union-attr]
    view = hand.region(hand.area("VIEW_3D"), "WINDOW")
    yield from hand.key("O", view.x + 200, view.y + 300, ctrl=True, shift=True)
    yield 1.0
    hand.picture("2-recent")
    # The file that is open is left out, so that the first is the dancer's.
    # Without a release: the window that the key was pressed in goes with its file.
    hand.window.event_simulate("ONE", "PRESS", x=view.x + 200, y=view.y + 300)
    yield from hand.wait_for(lambda: bpy.data.filepath == path, 20, "the recent file")
    yield 1.0
    yield from opened(hand, "recent file")


def full_screen(hand: Hand) -> Waits:
    """Generate with the viewport over the whole window, then go back while it works."""
    before = len(session().variations)
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.screen.screen_full_area(use_hide_panels=False)
    yield 1.0
    riff: Any = bpy.ops
    hand.invoke(riff.riff.generate, count=3)
    yield 0.2
    hand.picture("3-full-screen")
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.screen.back_to_previous()
    yield from hand.wait_for(lambda: len(session().variations) == before + 3, 200, "three variations")
    mark(f"full screen: made 3, first plays {session().variations[session().active_variation].name == playing()}")
    yield from hand.pause()


def second_window(hand: Hand) -> Waits:
    """Generate in a second window and close it while it works."""
    before = len(session().variations)
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.wm.window_new_main()
    yield 1.0
    windows: Any = bpy.context.window_manager
    first, second = windows.windows[0], windows.windows[-1]
    mark(f"two windows: {len(windows.windows)}")
    hand.window = second
    riff: Any = bpy.ops
    hand.invoke(riff.riff.generate, count=3)
    yield 0.1
    override: Any = bpy.context.temp_override
    with override(window=second):
        bpy.ops.wm.window_close()
    hand.window = first
    yield from hand.wait_for(lambda: not hand.is_running("RIFF_OT_generate"), 60, "the end of the work")
    yield 3.0
    made = len(session().variations) - before
    # The work belongs to its window, as Blender's own modal work does: all of it is there, or nothing is.
    mark(f"two windows: all or nothing {made in (0, 3)}, scenes {', '.join(scene.name for scene in bpy.data.scenes)}")
    hand.invoke(riff.riff.generate, count=1)
    yield from hand.wait_for(lambda: len(session().variations) == before + made + 1, 200, "one more")
    mark("two windows: goes on in the first")
    yield from hand.pause()


def without_viewport(hand: Hand) -> Waits:
    """Generate from a dope sheet in a window that has no viewport."""
    before = len(session().variations)
    for area in list(hand.window.screen.areas):
        if area.type == "VIEW_3D":
            area.type = "DOPESHEET_EDITOR"
    yield 1.0
    sheet = max(
        (area for area in hand.window.screen.areas if area.type == "DOPESHEET_EDITOR"),
        key=lambda area: area.width * area.height,
    )
    sheet.spaces[0].show_region_ui = True
    yield 0.5
    hand.region(sheet, "UI").active_panel_category = "Riff"
    yield 0.5
    riff: Any = bpy.ops
    with hand.over(sheet, hand.region(sheet, "WINDOW")):
        riff.riff.generate("INVOKE_DEFAULT", count=2)
    yield from hand.wait_for(lambda: len(session().variations) == before + 2, 200, "two variations")
    mark(f"no viewport: made 2, first plays {session().variations[session().active_variation].name == playing()}")
    yield 0.5
    hand.picture("4-no-viewport")


if __name__ == "__main__":
    perform(screens(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
