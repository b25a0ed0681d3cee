"""The sample dancer in a scene that has something in it already, and the model that she comes with."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

MOST_BYTES = 2_200_000


def add_cube(place: tuple[float, float, float] = (0.0, 0.0, 0.0), size: float = 2.0) -> bpy.types.Object:
    bpy.ops.mesh.primitive_cube_add(size=size, location=place)
    return bpy.context.object


def reach(ob: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner in the world of all bones in all frames."""
    ends = []
    first, last = ob.animation_data.action.frame_range[:]
    for frame in range(int(first), int(last) + 1, 5):
        bpy.context.scene.frame_set(frame)
        ends += [np.array(ob.matrix_world @ end) for bone in ob.pose.bones for end in (bone.head, bone.tail)]
    return np.min(ends, axis=0), np.max(ends, axis=0)


def test_in_an_empty_scene_she_stands_at_the_origin_and_the_scene_follows_her(riff: ModuleType) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.frame_end = 24, 250
    assert bpy.ops.riff.add_sample_dancer() == {"FINISHED"}
    assert tuple(bpy.context.object.location) == (0.0, 0.0, 0.0)
    assert (scene.render.fps, scene.frame_start, scene.frame_end) == (30, 1, 600)


@pytest.mark.parametrize(
    "places", [[(0.0, 0.0, 0.0)], [(0.0, 0.0, 0.0), (4.5, 0.0, 0.5)], [(1.5, 1.5, 0.0), (-2.0, 0.0, 0.0)]]
)
def test_she_dances_beside_what_stands_there(riff: ModuleType, places: list[tuple[float, float, float]]) -> None:
    cubes = [add_cube(place) for place in places]
    bpy.ops.riff.add_sample_dancer()
    low, high = reach(bpy.context.object)
    for cube in cubes:
        meets = (low < np.array(cube.location) + 1.0) & (high > np.array(cube.location) - 1.0)
        assert not meets[:2].all(), "she dances through the cube"
    assert abs(low[2]) < 0.05, "she stands on the floor"


def test_a_second_dancer_stands_beside_the_first_and_a_floor_is_danced_on(riff: ModuleType) -> None:
    bpy.ops.mesh.primitive_plane_add(size=20.0)
    bpy.ops.riff.add_sample_dancer()
    first = bpy.context.object
    assert first.location.x == 0.0
    bpy.ops.riff.add_sample_dancer()
    second = bpy.context.object
    assert second != first
    assert reach(second)[0][0] > first.location.x + 0.5


def key_cube() -> None:
    cube = add_cube()
    cube.keyframe_insert("location", frame=1)


def key_light() -> None:
    light = bpy.data.lights.new("Lamp", "POINT")
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Lamp", light))
    light.keyframe_insert("energy", frame=1)


def drive_scene() -> None:
    bpy.context.scene["pace"] = 1.0
    bpy.context.scene.driver_add('["pace"]')


def add_strip() -> None:
    editor: Any = bpy.context.scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    kind = {"length": 20} if bpy.app.version >= (5, 0, 0) else {"frame_end": 21}
    strips.new_effect(name="Colour", type="COLOR", channel=1, frame_start=1, **kind)


@pytest.mark.parametrize("animate", [key_cube, key_light, drive_scene, add_strip])
def test_a_scene_with_animation_keeps_its_rate_and_range(riff: ModuleType, animate: Any) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 60, 1.00002
    scene.frame_start, scene.frame_end = 5, 743
    scene.frame_set(40)
    animate()
    assert bpy.ops.riff.add_sample_dancer() == {"FINISHED"}
    assert (scene.render.fps, scene.frame_start, scene.frame_end, scene.frame_current) == (60, 5, 743, 40)
    assert scene.render.fps_base == pytest.approx(1.00002)
    first, last = bpy.context.object.animation_data.action.frame_range[:]
    assert first == 5.0
    assert 19.5 < (last - first) / 60.0 < 20.5, "she dances at the scene's rate"


def test_she_comes_with_a_trained_model_that_fits_and_generates(riff: ModuleType, models: Path) -> None:
    bpy.ops.riff.add_sample_dancer()
    assert list(models.iterdir()) == [], "scripts get only what they ask for"
    assert bpy.ops.riff.add_sample_dancer(with_model=True) == {"FINISHED"}
    assert bpy.ops.riff.add_sample_dancer(with_model=True) == {"FINISHED"}, "once more, and there is still one model"
    session, dancer = bpy.context.window_manager.riff, bpy.context.object
    assert [row.name for row in session.models] == ["Sample Dancer"]
    row = session.models[0]
    assert row.problem == ""
    assert Path(row.path).stat().st_size < MOST_BYTES
    fit = importlib.import_module(f"{riff.__name__}.state.model_fit")
    fit.fit_of(dancer, row)
    fit.update_fits()
    assert fit.fit_of(dancer, row).problem == ""
    assert bpy.ops.riff.generate(count=2, seed=3) == {"FINISHED"}
    made = [action for action in bpy.data.actions if action.get("riff_model") == "Sample Dancer"]
    assert len(made) == 2
    assert len(session.models) == 1, "no instant model was needed"
    source, slot = dancer.animation_data.action, dancer.animation_data.action_slot
    dancer.animation_data.action, dancer.animation_data.action_slot = made[0], made[0].slots[0]
    low, high = reach(dancer)
    assert -0.1 < low[2] < 0.1, "she stands on the floor"
    assert high[2] > 1.5
    dancer.animation_data.action, dancer.animation_data.action_slot = source, slot
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    assert [row.name for row in session.models][1:] == ["Sample Dancer"], "beside the instant one"


def test_the_model_is_trained_and_good(riff: ModuleType) -> None:
    core = f"{riff.__name__}.core"
    model = importlib.import_module(f"{core}.model.model_file").load_model(
        importlib.import_module(f"{riff.__name__}.sample.dancer").MODEL
    )
    assert model.trained_levels >= 1
    assert {array.dtype for array in model.weights.values()} == {np.dtype(np.float32)}
    assert model.quality["coverage"] > 0.7
    assert model.quality["same_time"] < 0.3, "its variations are no copies"
    assert model.quality["roughness"] < 1.3


def test_a_folder_of_models_that_cannot_be_written_does_not_keep_her_away(
    riff: ModuleType, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = importlib.import_module(f"{riff.__name__}.operators.sample")
    monkeypatch.setattr(sample, "MODEL", Path("/nowhere/dancer.safetensors"))
    assert bpy.ops.riff.add_sample_dancer(with_model=True) == {"FINISHED"}
    assert bpy.context.object.name.startswith("Dancer")
    assert len(bpy.context.window_manager.riff.models) == 0
