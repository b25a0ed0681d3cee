"""A person's hand inside Blender: moves the pointer, finds buttons by what they do, clicks, types, takes pictures.

Runs in a Blender started with --enable-event-simulate. Every function is a generator that yields how long to wait.
"""

from __future__ import annotations

import subprocess
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

Waits = Generator[float, None, Any]
PATIENCE = 20.0
"""A click that comes while a panel is being rebuilt is lost: it is made again after so many seconds."""

WIDE = (0.5, 0.3, 0.75, 0.9)
"""Places at which wide buttons are looked for, as shares of the sidebar's width."""

MAKE, LEARN = (0.22,), (0.68,)
"""Places of the two sides of the switch at the top."""

ENOUGH, CANCEL = (0.76,), (0.83,)
"""Places of the two buttons beside a bar."""

NAME, STAR = 0.4, (0.73,)
"""Places of the name and of the star in a row of the list of variations."""

LOOK_SECONDS = (0.02, 0.1, 0.25)
"""Seconds between two looks for a button, for each try: a busy machine notices later where the pointer is."""

STEP = 13
"""Pixels from one look for a button to the next; buttons are 20 high."""


class Hand:
    """The pointer in the first window; `out` is the folder for pictures."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.last_hit = 0.0
        self.look_seconds = LOOK_SECONDS[0]
        context: Any = bpy.context
        self.window: Any = context.window_manager.windows[0]

    def area(self, kind: str) -> Any:
        return next(area for area in self.window.screen.areas if area.type == kind)

    def region(self, area: Any, kind: str) -> Any:
        return next(region for region in area.regions if region.type == kind)

    @contextmanager
    def over(self, area: Any, region: Any) -> Iterator[None]:
        # After a file is loaded from a timer, the context has no window.
        window: Any = self.window
        override: Any = bpy.context.temp_override
        with override(window=window, screen=window.screen, area=area, region=region):
            yield

    def move(self, x: float, y: float) -> Waits:
        self.window.event_simulate("MOUSEMOVE", "NOTHING", x=int(x), y=int(y))
        yield self.look_seconds

    def click(self, x: float, y: float, button: str = "LEFTMOUSE") -> Waits:
        yield from self.move(x - 2, y)
        yield from self.move(x, y)
        self.window.event_simulate(button, "PRESS", x=int(x), y=int(y))
        yield 0.05
        self.window.event_simulate(button, "RELEASE", x=int(x), y=int(y))
        yield 0.15

    def invoke(self, operator: Callable[..., Any], **settings: Any) -> None:
        """Click an operator's button, as far as Blender is concerned."""
        area = self.area("VIEW_3D")
        with self.over(area, self.region(area, "WINDOW")):
            operator("INVOKE_DEFAULT", **settings)

    def undo(self) -> Waits:
        """Ctrl Z over the viewport."""
        view = self.region(self.area("VIEW_3D"), "WINDOW")
        yield from self.key("Z", view.x + 100, view.y + 100, ctrl=True)

    def escape(self) -> Waits:
        view = self.region(self.area("VIEW_3D"), "WINDOW")
        yield from self.key("ESC", view.x + 100, view.y + 100)

    def key(self, name: str, x: float, y: float, **modifiers: bool) -> Waits:
        yield from self.move(x - 2, y)  # the key goes to the region in which the pointer was seen last
        yield from self.move(x, y)
        self.window.event_simulate(name, "PRESS", x=int(x), y=int(y), **modifiers)
        yield 0.03
        self.window.event_simulate(name, "RELEASE", x=int(x), y=int(y), **modifiers)
        yield 0.15

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 20) -> Waits:
        yield from self.move(*start)
        self.window.event_simulate("LEFTMOUSE", "PRESS", x=int(start[0]), y=int(start[1]))
        yield 0.05
        for step in range(1, steps + 1):
            share = step / steps
            yield from self.move(*(a + (b - a) * share for a, b in zip(start, end, strict=True)))
            yield 0.04
        self.window.event_simulate("LEFTMOUSE", "RELEASE", x=int(end[0]), y=int(end[1]))
        yield 0.15

    def under_pointer(self, area: Any, region: Any) -> str:
        """Command of the button under the pointer, as Python: “bpy.ops.riff.train(…)” or a data path; else nothing."""
        manager: Any = bpy.context.window_manager
        manager.clipboard = ""
        with self.over(area, region):
            looks: Any = (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button)
            for look in looks:
                if look.poll():
                    look()
                    return str(manager.clipboard)
        return ""

    def is_at(self, what: str, x: float, y: float) -> Waits:
        """Move the pointer there; whether the button under it does that."""
        area = self.area("VIEW_3D")
        region = self.region(area, "UI")
        yield from self.move(x, y)
        if what not in self.under_pointer(area, region):
            return False
        yield 0.3  # on a busy machine Blender may still be where the pointer was before
        return what in self.under_pointer(area, region)

    def find(self, what: str, columns: tuple[float, ...] = WIDE) -> Waits:
        """Look for a button in the sidebar, scrolling down where it must; returns its place or None."""
        area = self.area("VIEW_3D")
        region = self.region(area, "UI")
        for _ in range(6):
            for column in columns:
                x = region.x + region.width * column
                heights = range(region.y + region.height - 30, region.y + 6, -STEP)
                for y in sorted(heights, key=lambda y: abs(y - self.last_hit)):
                    if (yield from self.is_at(what, x, y)):
                        self.last_hit = y
                        return x, y
            for _ in range(6):
                self.window.event_simulate("WHEELDOWNMOUSE", "PRESS", x=int(x), y=region.y + region.height // 2)
                yield 0.03
            yield 0.2
        return None

    def press(
        self, what: str, done: Callable[[], bool], columns: tuple[float, ...] = WIDE, click_at: float = 0.0
    ) -> Waits:
        """Find a button and click it until what it should do is done, like a person; RuntimeError in vain.

        With `click_at`, a share of the sidebar's width, click there in the button's row.
        """
        region = self.region(self.area("VIEW_3D"), "UI")
        for self.look_seconds in LOOK_SECONDS:
            place = yield from self.find(what, columns)
            if place is None:
                yield from self.scroll_up()
                continue
            yield from self.click(region.x + click_at * region.width if click_at else place[0], place[1])
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                if done():
                    self.look_seconds = LOOK_SECONDS[0]
                    return
                yield 0.1
        self.picture(f"missing-{''.join(c if c.isalnum() else '-' for c in what)[:50]}")
        raise RuntimeError(f"There is no button that does {what}")

    def turn_to(self, side: tuple[float, ...]) -> Waits:
        """Click Make or Learn at the top of the tab."""
        session: Any = bpy.context.window_manager
        wanted = "MAKE" if side == MAKE else "LEARN"
        yield from self.scroll_up()
        yield from self.press("riff.tab", lambda: session.riff.tab == wanted, side)

    def pause(self) -> Waits:
        """Stop playback by the space bar over the viewport."""
        view = self.region(self.area("VIEW_3D"), "WINDOW")
        if self.window.screen.is_animation_playing:
            yield from self.key("SPACE", view.x + 300, view.y + 300)
            yield from self.wait_for(lambda: not self.window.screen.is_animation_playing, what="the end of playback")

    def scroll_up(self) -> Waits:
        area = self.area("VIEW_3D")
        region = self.region(area, "UI")
        for _ in range(40):
            self.window.event_simulate("WHEELUPMOUSE", "PRESS", x=region.x + 40, y=region.y + region.height // 2)
            yield 0.01
        yield 0.2

    def picture(self, name: str) -> None:
        # Blender's own screenshot operator is all black from a timer.
        subprocess.run(["import", "-window", "root", str(self.out / f"{name}.png")], check=True)

    def is_running(self, operator: str) -> bool:
        """Tell if a modal operator of this name waits for keys or the pointer."""
        return any(running.bl_idname == operator for running in self.window.modal_operators)

    def wait_for(self, done: Callable[[], bool], seconds: float = 240.0, what: str = "it") -> Waits:
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise RuntimeError(f"Waited {seconds:.0f} s for {what} in vain")
            yield 0.1


def open_tab(hand: Hand) -> Waits:
    """The N-panel with the tab Riff, the 3D viewport large."""
    area = hand.area("VIEW_3D")
    area.spaces[0].show_region_ui = True
    yield 0.5
    hand.region(area, "UI").active_panel_category = "Riff"
    area.tag_redraw()
    yield 0.5


def perform(steps: Waits) -> None:
    """Take one step after the other from a timer; print how it ended and leave Blender."""

    def tick() -> float | None:
        try:
            return next(steps)
        except StopIteration:
            print("GUI-DONE", flush=True)
        except Exception:
            traceback.print_exc()
            print("GUI-FAILED", flush=True)
        bpy.ops.wm.quit_blender()
        return None

    preferences: Any = bpy.context.preferences
    preferences.view.show_splash = False  # it would swallow every click
    preferences.view.show_tooltips = False  # on a busy machine one opens wherever the pointer rests
    preferences.system.viewport_aa = "OFF"  # drawn by the processor, each picture would be drawn eight times
    bpy.app.timers.register(tick, first_interval=2.0, persistent=True)


def mark(text: str) -> None:
    print(f"GUI-MARK {text}", flush=True)
