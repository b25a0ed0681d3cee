"""Numbers that no person types: frames that are none or a million, settings that are NaN, far too much at once."""

from __future__ import annotations

import importlib
import math
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.composing import compose
from tests.support.rigs.beast import LAST, PAIRS

NAN, INF = math.nan, math.inf


def curves_of(action: Any) -> list[Any]:
    return [curve for layer in action.layers for bag in layer.strips[0].channelbags for curve in bag.fcurves]


def move_keys(action: Any, index: int, frame: float) -> None:
    """Move the keys of this index, in all curves, to a frame."""
    for curve in curves_of(action):
        curve.keyframe_points[index].co.x = frame
        curve.keyframe_points[index].select_control_point = True


@contextmanager
def refused_at_once(words: str) -> Iterator[None]:
    """Expect a sentence with these words within two seconds and without much memory."""
    begun, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RuntimeError, match=words) as caught:
        yield
    assert "did not foresee" not in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert time.process_time() - begun < 2.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


ON_AN_ACTION: dict[str, Callable[[], Any]] = {
    "instant": lambda: bpy.ops.riff.instant_model(),
    "fill": lambda: bpy.ops.riff.fill_regions(regions="20-60"),
}


@pytest.mark.parametrize(("index", "frame"), [(-1, NAN), (-1, INF), (-1, 1e30), (-1, 1e9), (0, NAN), (0, -1e30)])
@pytest.mark.parametrize("operator", ON_AN_ACTION)
def test_keys_at_no_frame(short_dancer: Any, index: int, frame: float, operator: str) -> None:
    action = short_dancer.animation_data.action
    action.use_frame_range = False
    move_keys(action, index, frame)
    with refused_at_once("which Blender cannot play; delete the keys that are out of place"):
        ON_AN_ACTION[operator]()


@pytest.mark.parametrize("frame", [NAN, INF, 1e30])
def test_selected_keys_at_no_frame(short_dancer: Any, frame: float) -> None:
    for curve in curves_of(short_dancer.animation_data.action):
        curve.keyframe_points.foreach_set("select_control_point", [False] * len(curve.keyframe_points))
    move_keys(short_dancer.animation_data.action, -1, frame)
    with refused_at_once("Select keys at two different frames"):
        bpy.ops.riff.add_region(source="KEYS")
    with refused_at_once("A selected key lies at no frame that Blender can play"):
        bpy.ops.riff.keep_keys()


@pytest.mark.parametrize("end", ["frame_start", "frame_end"])
@pytest.mark.parametrize("frame", [NAN, INF])
def test_a_manual_range_that_is_none(short_dancer: Any, end: str, frame: float) -> None:
    setattr(short_dancer.animation_data.action, end, frame)
    with refused_at_once("which Blender cannot play; correct its Manual Frame Range"):
        bpy.ops.riff.instant_model()


def test_the_panel_looks_at_keys_at_no_frame(
    riff: ModuleType, short_dancer: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    look = importlib.import_module(f"{riff.__name__}.state.armature_summary")
    action = short_dancer.animation_data.action
    action.use_frame_range = False
    move_keys(action, -1, INF)
    look.summary_of(short_dancer)
    while look.update_summary() is not None:
        assert look.known_problem(short_dancer) == ""
    assert "which Blender cannot play" in look.known_problem(short_dancer)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("frame", [NAN, INF, 1e30, -1e30])
def test_a_driver_with_keys_at_no_frame(bodies: tuple[Any, Any], frame: float) -> None:
    biped, beast = bodies
    biped.riff_driving.driver = beast
    move_keys(beast.animation_data.action, 0 if frame < 0.0 else -1, frame)
    before = set(bpy.data.actions.keys())
    with refused_at_once("“Prowl” lasts from frame .* which Blender cannot play"):
        bpy.ops.riff.drive(armature="Beast", pairs=PAIRS, scale=1.0)
    with refused_at_once("“Prowl” lasts from frame .* which Blender cannot play"):
        bpy.ops.riff.pair_bones()
    assert set(bpy.data.actions.keys()) == before
    assert not len(biped.riff_driving.pairs)


def test_a_driver_with_a_forgotten_key_far_away(bodies: tuple[Any, Any]) -> None:
    """The take begins where the driver's motion does."""
    action = bodies[1].animation_data.action
    for curve in curves_of(action):
        curve.keyframe_points.insert(-900.0, curve.keyframe_points[0].co.y).interpolation = "CONSTANT"
    (made,) = compose(bpy.ops.riff.drive, armature="Beast", pairs=PAIRS, scale=1.0)
    assert tuple(made.frame_range) == (11.0, LAST)


def test_a_driver_of_a_million_frames(bodies: tuple[Any, Any]) -> None:
    for curve in curves_of(bodies[1].animation_data.action):
        count = len(curve.keyframe_points)
        places = np.empty(2 * count, dtype=np.float32)
        curve.keyframe_points.foreach_get("co", places)
        frames = np.arange(0.0, 1e6, 100.0)
        curve.keyframe_points.add(len(frames) - count)
        values = np.resize(places[1::2], len(frames))
        curve.keyframe_points.foreach_set("co", np.stack([frames, values], 1).astype(np.float32).ravel())
        curve.update()
    with refused_at_once("“Prowl” lasts 999,901 frames, too many for 15 bones; set its Manual Frame Range to at most"):
        bpy.ops.riff.drive(armature="Beast", pairs=PAIRS, scale=1.0)


FAR_TOO_MUCH: dict[str, Callable[[], Any]] = {
    "generate": lambda: bpy.ops.riff.generate(count=100, frames=100_000),
    "loops": lambda: bpy.ops.riff.generate(count=100, frames=100_000, loop="ON"),
    "extend": lambda: bpy.ops.riff.extend_action(count=100, after=100_000),
    "crowd": lambda: bpy.ops.riff.duplicate_as_crowd(count=1000, frames=100_000),
}


@pytest.mark.parametrize("operator", FAR_TOO_MUCH)
def test_more_at_once_than_fits_into_memory(short_dancer: Any, operator: str) -> None:
    with refused_at_once("take more memory than there should be; ask for at most"):
        FAR_TOO_MUCH[operator]()


def test_settings_that_are_no_numbers(short_dancer: Any) -> None:
    assert bpy.ops.riff.generate(count=1, frames=60) == {"FINISHED"}
    known = set(bpy.data.actions.keys()), set(bpy.data.objects.keys())
    for name, setting in (
        ("generate", "coarse"),
        ("generate", "fine"),
        ("duplicate_as_crowd", "pool"),
        ("duplicate_as_crowd", "distance"),
        ("show_ghosts", "spacing"),
        ("mend_source", "rate"),
    ):
        with refused_at_once("must be a number"):
            getattr(bpy.ops.riff, name)(**{setting: NAN})
    assert known == (set(bpy.data.actions.keys()), set(bpy.data.objects.keys()))


@pytest.mark.parametrize("value", [NAN, INF])
def test_scripts_with_what_is_no_number(riff: ModuleType, bodies: tuple[Any, Any], value: float) -> None:
    api = importlib.import_module(f"{riff.__name__}.api")
    model, driver = api.instant(api.read(bodies[0])), api.read(bodies[1])
    with pytest.raises(api.RiffError, match="must be a number"):
        api.drive(model, driver, pairs=dict(pair.split("=") for pair in PAIRS.split(", ")), scale=value)


def test_numbers_of_thousands_of_digits(short_dancer: Any) -> None:
    with refused_at_once("is no pin; write it like"):
        bpy.ops.riff.reach_places(pins=f"hand.L@{5000 * '9'}=0,0,0")


def test_a_file_without_a_name(short_dancer: Any) -> None:
    with refused_at_once("Enter a name for the file"):
        bpy.ops.riff.export_model(filepath="")


def test_a_region_that_ends_before_it_starts(short_dancer: Any) -> None:
    with refused_at_once("The region 90-20 ends before it starts; swap its frames"):
        bpy.ops.riff.fill_regions(regions="90-20")
