"""Regions of interest: where they come from, that they are saved, and that they can be undone."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest


@pytest.fixture
def dancer(riff: ModuleType) -> bpy.types.Object:
    bpy.ops.riff.add_sample_dancer()
    return bpy.context.object


def spans(ob: bpy.types.Object) -> list[tuple[int, int]]:
    return [(region.start, region.end) for region in ob.riff.regions]


def test_a_region_needs_an_armature(riff: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="Select an armature"):
        bpy.ops.riff.add_region()


def test_region_from_preview_range(dancer: bpy.types.Object) -> None:
    scene = bpy.context.scene
    with pytest.raises(RuntimeError, match="no preview range"):
        bpy.ops.riff.add_region(source="PREVIEW")
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 40, 90
    bpy.ops.riff.add_region(source="PREVIEW")
    assert spans(dancer) == [(40, 90)]


def test_regions_from_selected_markers_take_their_names(dancer: bpy.types.Object) -> None:
    markers = bpy.context.scene.timeline_markers
    with pytest.raises(RuntimeError, match="two markers"):
        bpy.ops.riff.add_region(source="MARKERS")
    for name, frame in (("Turn", 100), ("End", 200), ("Clap", 150)):
        markers.new(name, frame=frame).select = True
    bpy.ops.riff.add_region(source="MARKERS")
    assert spans(dancer) == [(100, 150), (150, 200)]
    assert [region.name for region in dancer.riff.regions] == ["Turn", "Clap"]


def test_region_from_selected_keys(dancer: bpy.types.Object) -> None:
    data = dancer.animation_data
    bag = data.action.layers[0].strips[0].channelbag(data.action_slot)
    for curve in bag.fcurves:
        for point in curve.keyframe_points:
            point.select_control_point = 30 <= point.co[0] <= 60
    bpy.ops.riff.add_region(source="KEYS")
    assert spans(dancer) == [(30, 60)]
    for curve in bag.fcurves:
        for point in curve.keyframe_points:
            point.select_control_point = False
    with pytest.raises(RuntimeError, match="Select keys"):
        bpy.ops.riff.add_region(source="KEYS")


def test_regions_are_saved_with_the_file(dancer: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.riff.add_region(source="RANGE", start=20, end=80, name="Spin")
    dancer.riff.regions[0].color = (0.25, 0.5, 0.75)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "regions.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "regions.blend"))
    region = bpy.data.objects["Dancer"].riff.regions[0]
    assert (region.name, region.start, region.end, tuple(region.color)) == ("Spin", 20, 80, (0.25, 0.5, 0.75))


def test_one_undo_takes_a_region_away(dancer: bpy.types.Object) -> None:
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.riff.add_region("EXEC_DEFAULT", True, source="RANGE", start=20, end=80)
    assert len(bpy.context.object.riff.regions) == 1
    bpy.ops.ed.undo()
    assert len(bpy.data.objects["Dancer"].riff.regions) == 0


def test_start_behind_the_end_takes_it_along(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.add_region(source="RANGE", start=20, end=80)
    dancer.riff.regions[0].start = 100
    assert spans(dancer) == [(100, 100)]


def test_regions_for_operators_are_sorted_and_can_be_switched_off(riff: ModuleType, dancer: bpy.types.Object) -> None:
    regions_of = importlib.import_module(f"{riff.__name__}.state.rig_settings").regions_of
    for start, end in ((200, 260), (20, 80), (100, 160)):
        bpy.ops.riff.add_region(source="RANGE", start=start, end=end)
    dancer.riff.regions[2].use = False
    assert [region.start for region in regions_of(dancer)] == [20, 200]
    assert [region.start for region in regions_of(dancer, only_used=False)] == [20, 100, 200]


def test_removing_a_region(dancer: bpy.types.Object) -> None:
    with pytest.raises(RuntimeError, match="Choose a region"):
        bpy.ops.riff.remove_region()
    for start in (20, 100):
        bpy.ops.riff.add_region(source="RANGE", start=start, end=start + 50)
    assert len({region.name for region in dancer.riff.regions}) == 2
    bpy.ops.riff.remove_region()
    assert spans(dancer) == [(20, 70)]
    assert dancer.riff.active_region == 0


@pytest.fixture
def drag(riff: ModuleType, dancer: bpy.types.Object) -> Callable[..., Any]:
    """A drag from one frame over others, with edges that are held within three frames."""
    regions = importlib.import_module(f"{riff.__name__}.operators.regions")

    def over(first: float, *others: float) -> Any:
        begun = regions.RegionDrag(dancer, first, 3.0)
        for frame in others:
            begun.move(dancer, frame)
        return begun

    return over


def test_a_drag_on_an_empty_place_makes_a_region(dancer: bpy.types.Object, drag: Callable[..., Any]) -> None:
    assert not drag(40.2).changed
    assert spans(dancer) == []
    assert drag(40.2, 50.0, 79.7).changed
    drag(200, 150)
    assert spans(dancer) == [(40, 80), (150, 200)]
    assert dancer.riff.active_region == 1


def test_a_drag_moves_a_region_or_the_nearest_edge(dancer: bpy.types.Object, drag: Callable[..., Any]) -> None:
    bpy.ops.riff.add_region(source="RANGE", start=40, end=80)
    bpy.ops.riff.add_region(source="RANGE", start=100, end=120)
    drag(60, 70, 65)
    assert spans(dancer)[0] == (45, 85)
    assert dancer.riff.active_region == 0
    drag(83, 90)
    drag(43, 20)
    assert spans(dancer)[0] == (22, 92)
    drag(93, 10)
    assert spans(dancer) == [(9, 22), (100, 120)]
    drag(110, 2_000_000)
    assert spans(dancer)[1] == (1_048_554, 1_048_574)


def test_a_drag_can_be_taken_back(dancer: bpy.types.Object, drag: Callable[..., Any]) -> None:
    bpy.ops.riff.add_region(source="RANGE", start=40, end=80)
    begun = drag(60, 70)
    begun.move(dancer, 60)
    assert not begun.changed
    begun.move(dancer, 90)
    begun.take_back(dancer)
    made = drag(200, 220)
    assert len(spans(dancer)) == 2
    made.take_back(dancer)
    assert spans(dancer) == [(40, 80)]
    assert dancer.riff.active_region == 0


def test_a_region_that_is_gone_ends_the_drag(dancer: bpy.types.Object, drag: Callable[..., Any]) -> None:
    """A script may remove it, or undo, between two events of the mouse."""
    bpy.ops.riff.add_region(source="RANGE", start=40, end=80)
    bpy.ops.riff.add_region(source="RANGE", start=100, end=120)
    begun = drag(60, 70)
    assert not begun.is_lost(dancer)
    dancer.riff.regions.remove(0)
    assert begun.is_lost(dancer)
    begun.take_back(dancer)
    assert spans(dancer) == [(100, 120)]
    begun = drag(110, 115)
    dancer.riff.regions.clear()
    assert begun.is_lost(dancer)
    begun.take_back(dancer)
    assert spans(dancer) == []


def test_a_drag_far_outside_of_all_frames(dancer: bpy.types.Object, drag: Callable[..., Any]) -> None:
    drag(1e12, float("nan"), -1e30)
    assert spans(dancer) == [(-1_048_574, 1_048_574)]
