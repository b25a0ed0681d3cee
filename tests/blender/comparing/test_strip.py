"""The strip of moving pictures: made with the actions, painted and moved by timers for as long as it is drawn."""

from __future__ import annotations

import importlib
import itertools
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.recording_layout import RecordingLayout


@pytest.fixture
def part(riff: ModuleType) -> Callable[[str], Any]:
    return lambda name: importlib.import_module(f"{riff.__name__}.{name}")


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> Any:
    bpy.ops.riff.add_sample_dancer()
    assert bpy.ops.riff.generate(count=3, frames=60) == {"FINISHED"}
    return bpy.context.object


@pytest.fixture
def strip(part: Callable[[str], Any]) -> Iterator[Any]:
    """The strip's own module, with its timer stopped before and after."""
    found = part("state.variations.strip")
    found.unregister()
    yield found
    found.unregister()


def rows() -> Any:
    return bpy.context.window_manager.riff.variations


def painted(part: Callable[[str], Any]) -> None:
    while part("state.variations.pose_pictures").update_pictures() is not None:
        pass


def drawn(part: Callable[[str], Any], ob: Any) -> RecordingLayout:
    layout = RecordingLayout()
    part("panels.comparing.strip").draw_strip(layout, bpy.context, ob)
    return layout


def test_a_figure_moves_in_place_and_fills_its_picture(dancer: Any, part: Callable[[str], Any]) -> None:
    thumbnail, read = part("rig.writing.thumbnail"), part("rig.reading.read").read_motion
    action = bpy.data.actions[rows()[0].name]
    kept = thumbnail.moving_of(action)
    assert kept.shape == (12, 48, 48)
    assert all(0.01 < picture.mean() < 0.5 for picture in kept)
    assert sum((one != other).any() for one, other in itertools.pairwise(kept)) >= 10, "it moves"
    assert max(np.ptp(np.flatnonzero(picture.any(1))) for picture in kept) > 30
    again = thumbnail.moving(read(dancer, action))
    assert (kept != again).mean() < 0.002, "it is the motion's own, but for what keys round"
    assert len(action["riff_moving"]) < 8000


def test_every_frame_is_painted_and_shown_in_turn(dancer: Any, part: Callable[[str], Any], strip: Any) -> None:
    pictures, thumbnail = part("state.variations.pose_pictures"), part("rig.writing.thumbnail")
    icons = [call for call in drawn(part, dancer).calls if call.name == "template_icon"]
    assert [call.arguments["icon_value"] for call in icons] == [0, 0, 0], "drawing asks, and a timer paints"
    painted(part)
    row = rows()[0]
    assert len(pictures.moving_icons(row)) == 12
    frames = thumbnail.moving_of(bpy.data.actions[row.name])
    for number, frame in enumerate(frames):
        pixels = np.empty(48 * 48 * 4, dtype=np.float32)
        pictures._collections[0][f"{row.moving}-{number}"].image_pixels_float.foreach_get(pixels)
        assert ((pixels.reshape(48, 48, 4)[..., 3] > 0) == frame).all()
    pictures._icons[row.moving] = tuple(range(100, 112))  # numbers that only a window gives
    strip._Strip.frame = 0
    shown = []
    for _ in range(13):
        layout = drawn(part, dancer)
        shown.append(next(call for call in layout.calls if call.name == "template_icon").arguments["icon_value"])
        assert strip.move_on() == strip.FRAME_SECONDS
    assert shown == [*range(100, 112), 100]
    del pictures._icons[row.moving]


def test_it_moves_only_while_it_is_drawn_and_wanted(
    dancer: Any, part: Callable[[str], Any], strip: Any, riff: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    redrawn: list[bool] = []
    monkeypatch.setattr(part("state.timer"), "redraw_tab", lambda: redrawn.append(True))
    timers = bpy.app.timers
    assert not timers.is_registered(strip.move_on)
    drawn(part, dancer)
    assert timers.is_registered(strip.move_on)
    assert strip.move_on() is not None
    strip._Strip.drawn = time.monotonic() - 2 * strip.LINGER_SECONDS  # closed, or another tab
    assert strip.move_on() is None
    assert len(redrawn) == 1
    strip.unregister()
    preferences = bpy.context.preferences.addons[riff.__name__].preferences
    preferences.moving_pictures = False
    try:
        drawn(part, dancer)
        assert not timers.is_registered(strip.move_on)
        assert strip.move_on() is None
    finally:
        preferences.moving_pictures = True


def test_one_click_keeps_or_rejects(dancer: Any, part: Callable[[str], Any], strip: Any) -> None:
    first, second, third = [row.name for row in rows()]
    assert bpy.ops.riff.show_ghosts(number=3) == {"FINISHED"}
    layout = drawn(part, dancer)
    asked = [call.arguments["operator"] for call in layout.calls if call.name == "operator"]
    assert asked == ["riff.show_action", "riff.keep_variation", "riff.discard_variation"] * 3
    bpy.ops.riff.keep_variation(action=first)
    bpy.ops.riff.discard_variation(action=second)
    assert second not in bpy.data.actions
    assert len([ob for ob in bpy.data.objects if ob.type == "ARMATURE" and ob.get("riff_ghost")]) == 2
    assert [row.name for row in rows()] == [first, third]
    icons = {call.arguments.get("icon") for call in drawn(part, dancer).calls if call.name == "operator"}
    assert {"SOLO_ON", "SOLO_OFF", "X"} <= icons


@pytest.mark.parametrize("kept", [b"", b"\x01" * 7, "text", 3, zlib.compress(b"\0" * (1 << 24)), zlib.compress(b"\0")])
def test_what_is_no_moving_picture_is_left_out(
    dancer: Any, part: Callable[[str], Any], strip: Any, kept: object
) -> None:
    bpy.data.actions[rows()[0].name]["riff_moving"] = kept
    part("state.session").refresh()
    drawn(part, dancer)
    painted(part)
    assert part("rig.writing.thumbnail").moving_of(bpy.data.actions[rows()[0].name]) is None
    assert drawn(part, dancer).calls


def test_without_one_the_poses_take_turns(dancer: Any, part: Callable[[str], Any], strip: Any) -> None:
    del bpy.data.actions[rows()[0].name]["riff_moving"]
    part("state.session").refresh()
    drawn(part, dancer)
    painted(part)
    assert len(part("state.variations.pose_pictures").moving_icons(rows()[0])) == 4
