"""Wrong or unusual uses, each with the answer that a person gets: it works, or one sentence says what to do."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.biped import add_biped, add_dancing_biped, curve_values, key, world_pose

FRAMES = 101


@pytest.fixture
def biped(riff: ModuleType, models: Path) -> Any:
    """A dancing biped of 101 frames at 24 frames a second."""
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 24, 1.0
    bpy.ops.riff.refresh_models()
    return add_dancing_biped()


def part(riff: ModuleType, name: str) -> Any:
    return importlib.import_module(f"{riff.__name__}.{name}")


def generated(count: int = 1, **choices: Any) -> list[bpy.types.Action]:
    before = set(bpy.data.actions)
    assert bpy.ops.riff.generate(count=count, **choices) == {"FINISHED"}
    return [action for action in bpy.data.actions if action not in before]


def refused(operator: Callable[..., Any], sentence: str, **choices: Any) -> None:
    actions = set(bpy.data.actions.keys())
    with pytest.raises(RuntimeError) as caught:
        operator(**choices)
    assert sentence in str(caught.value)
    assert set(bpy.data.actions.keys()) == actions


def moves(ob: Any, action: bpy.types.Action) -> bool:
    ob.animation_data.action, ob.animation_data.action_slot = action, action.slots[0]
    first, last = (int(frame) for frame in action.frame_range)
    one, other = world_pose(ob, first), world_pose(ob, (first + last) // 2)
    return max(np.abs(one[bone] - other[bone]).max() for bone in one) > 0.05


def listed(riff: ModuleType, ob: Any) -> list[str]:
    session = part(riff, "state.session")
    return [row.name for row in bpy.context.window_manager.riff.variations if session.is_variation_of(row, ob)]


def glance(riff: ModuleType, ob: Any) -> Any:
    """Analyze the armature as the panel does, and return the summary."""
    summaries = part(riff, "state.armature_summary")
    summaries.summary_of(ob)
    while summaries.update_summary() is not None:
        pass
    return summaries.summary_of(ob)


@pytest.mark.parametrize("mode", ["EDIT", "POSE"])
def test_in_another_mode_it_works_and_the_mode_stays(biped: Any, mode: str) -> None:
    bpy.ops.object.mode_set(mode=mode)
    (made,) = generated()
    assert biped.mode == mode
    bpy.ops.object.mode_set(mode="OBJECT")
    assert moves(biped, made)


def test_without_an_action(riff: ModuleType, models: Path) -> None:
    biped = add_biped()
    sentence = "The armature has no action; assign one to learn from"
    for operator in (bpy.ops.riff.train, bpy.ops.riff.generate, bpy.ops.riff.instant_model):
        refused(operator, sentence)
    biped.animation_data_create()
    refused(bpy.ops.riff.train, sentence)


@pytest.mark.parametrize("known", [False, True], ids=["before the panel has looked", "grey"])
def test_ten_frames(riff: ModuleType, biped: Any, known: bool) -> None:
    action = biped.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 10
    sentence = "The action lasts 0.4 s; Riff learns from at least 2 s, or from a cycle of 0.5 s"
    if known:
        assert sentence in glance(riff, biped).problem
        assert not bpy.ops.riff.train.poll()
    refused(bpy.ops.riff.train, sentence)
    refused(bpy.ops.riff.instant_model, sentence)
    action.frame_end = FRAMES
    assert bpy.ops.riff.train.poll(), "mended, and at once it can be clicked"


def test_location_only(riff: ModuleType, models: Path) -> None:
    biped = add_biped()
    key(biped, "hips", "location", lambda t: (0.3 * t, 0.1, 0.5))
    assert "No bone rotates in this action" in glance(riff, biped).problem
    assert not bpy.ops.riff.train.poll()
    refused(bpy.ops.riff.train, "No bone rotates in this action, so there is nothing to learn")


def test_a_mended_action_is_looked_at_again(riff: ModuleType, biped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    summaries = part(riff, "state.armature_summary")
    action = biped.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 10
    assert glance(riff, biped).problem
    monkeypatch.setattr(summaries, "PROBLEM_SECONDS", 0.0)
    assert bpy.ops.riff.train.poll(), "what was found has aged, so a click may try"


def test_an_action_that_is_trained_already(riff: ModuleType, biped: Any) -> None:
    assert bpy.ops.riff.train(scale=0.001) == {"FINISHED"}
    operator, said = part(riff, "operators.train").RIFF_OT_train, []

    def click(seed: int) -> Any:
        asked = SimpleNamespace(recipe="fast", seed=seed, begin_modal=lambda context: {"RUNNING_MODAL"})
        asked.report = lambda level, text: said.append(text)
        asked._is_trained = lambda ob: operator._is_trained(asked, ob)
        return operator.invoke(asked, bpy.context, None)

    assert click(0) == {"CANCELLED"}
    assert said == ["This action is being trained already; for another model choose another recipe or seed"]
    assert click(1) == {"RUNNING_MODAL"}, "another model of it may be trained next"
    part(riff, "rig.background.jobs").stop_all()


def test_strips_alone(riff: ModuleType, biped: Any) -> None:
    data, action = biped.animation_data, biped.animation_data.action
    data.nla_tracks.new().strips.new(action.name, 1, action)
    data.action = None
    sentence = "The motion lies in NLA strips; choose one of their actions in the box Source, or Whole NLA"
    refused(bpy.ops.riff.train, sentence)
    refused(bpy.ops.riff.generate, sentence)
    biped.riff.whole_nla = True
    assert bpy.ops.riff.train.poll()
    assert moves(biped, generated()[0])
    data.action = None
    biped.riff.whole_nla = False
    assert bpy.ops.riff.take_strip_action(action=action.name) == {"FINISHED"}
    assert data.action == action
    assert moves(biped, generated()[0])


def test_renamed(riff: ModuleType, biped: Any) -> None:
    (made,) = generated()
    biped.name = "Psy"
    assert listed(riff, biped) == [made.name]
    (other,) = generated(seed=2)
    assert listed(riff, biped) == sorted([made.name, other.name])


def test_hidden(biped: Any) -> None:
    biped.hide_viewport = True
    bpy.context.view_layer.objects.active = biped
    (made,) = generated()
    biped.hide_viewport = False
    assert moves(biped, made)


@pytest.mark.parametrize(("fps", "frames"), [(60, 251), (12, 51)])
def test_another_frame_rate_than_the_learned_one(riff: ModuleType, biped: Any, fps: int, frames: int) -> None:
    """A variation lasts as long in seconds; what was learned at 24 is not played faster."""
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    bpy.context.scene.render.fps = fps
    (made,) = generated()
    assert made.frame_range[1] - made.frame_range[0] + 1 == frames


def test_undone_and_redone_many_times(riff: ModuleType, biped: Any) -> None:
    bpy.ops.ed.undo_push(message="Before")
    for seed in range(1, 4):
        assert bpy.ops.riff.generate("EXEC_DEFAULT", True, count=2, seed=seed) == {"FINISHED"}

    def names() -> list[str]:
        return sorted(action.name for action in bpy.data.actions if action.get("riff_model"))

    def rows() -> list[str]:
        return sorted(row.name for row in bpy.context.window_manager.riff.variations)

    all_made = names()
    assert len(all_made) == 6
    for left in (4, 2, 0):
        bpy.ops.ed.undo()
        assert len(names()) == left
        assert rows() == names()
    for there in (2, 4, 6):
        bpy.ops.ed.redo()
        assert len(names()) == there
        assert rows() == names()
    assert names() == all_made


def test_the_source_is_deleted(riff: ModuleType, biped: Any) -> None:
    source = biped.animation_data.action
    (made,) = generated()
    name = source.name
    biped.animation_data.action, biped.animation_data.action_slot = made, made.slots[0]
    bpy.data.actions.remove(source)
    refused(bpy.ops.riff.show_action, "is no longer in the file", action=name)
    assert moves(biped, generated()[0])


def test_saved_and_opened_again(riff: ModuleType, biped: Any, tmp_path: Path) -> None:
    made = generated(2)
    bpy.ops.riff.keep_variation(action=made[1].name)
    bpy.ops.riff.add_region(source="RANGE", start=30, end=60)
    names, rig = [action.name for action in made], biped.name
    curves = curve_values(made[0])
    other = bpy.context.window_manager.riff.models[0].path
    Path(other).with_name("A Stranger.safetensors").write_bytes(Path(other).read_bytes())
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "biped.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "biped.blend"))
    session, ob = bpy.context.window_manager.riff, bpy.data.objects[rig]
    assert listed(riff, ob) == names
    assert [row.kept for row in session.variations] == [False, True]
    assert [(row.start, row.end) for row in ob.riff.regions] == [(30, 60)]
    assert session.models[session.active_model].path == other, "the model that was used, not the first one by name"
    assert curve_values(bpy.data.actions[names[0]]) == curves


@pytest.fixture
def library(riff: ModuleType, biped: Any, tmp_path: Path) -> Path:
    """A file with the biped and a variation of it; afterwards an empty file is open."""
    generated()
    path = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 24, 1.0
    return path


def bring_in(path: Path, link: bool) -> Any:
    with bpy.data.libraries.load(str(path), link=link) as (found, wanted):
        wanted.objects = ["Biped"]
        wanted.actions = [name for name in found.actions if "Variation" in name]
    ob = bpy.data.objects["Biped"]
    bpy.context.scene.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    bpy.context.view_layer.update()
    return ob


def test_appended(riff: ModuleType, library: Path) -> None:
    ob = bring_in(library, link=False)
    part(riff, "state.session").refresh()
    assert len(listed(riff, ob)) == 1, "its variations come with it"
    assert moves(ob, generated()[0])


def test_linked(riff: ModuleType, library: Path) -> None:
    ob = bring_in(library, link=True)
    made = generated()[0]
    sentence = "is linked from another file; make a library override of it first"
    refused(bpy.ops.riff.show_action, sentence, action=made.name)
    assert ob.animation_data.action.name != made.name


def test_overridden(riff: ModuleType, library: Path) -> None:
    ob = bring_in(library, link=True)
    override = ob.override_create(remap_local_usages=True)
    bpy.context.view_layer.objects.active = override
    bpy.context.view_layer.update()
    made = generated()[0]
    assert bpy.ops.riff.show_action(action=made.name) == {"FINISHED"}
    assert override.animation_data.action == made


def test_two_armatures_with_one_action(riff: ModuleType, biped: Any) -> None:
    action = biped.animation_data.action
    other = add_biped(name="Twin")
    other.animation_data_create().action = action
    other.animation_data.action_slot = action.slots[0]
    (theirs,) = generated()
    bpy.context.view_layer.objects.active = biped
    (ours,) = generated(seed=2)
    assert listed(riff, biped) == [ours.name]
    assert listed(riff, other) == [theirs.name]
    assert moves(other, theirs)
    assert moves(biped, ours)


def small(biped: Any) -> None:
    biped.scale = (0.01,) * 3


def turned(biped: Any) -> None:
    biped.rotation_euler = (1.2, 0.3, 2.0)


def parented(biped: Any) -> None:
    empty = bpy.data.objects.new("Cart", None)
    bpy.context.scene.collection.objects.link(empty)
    empty.location, empty.rotation_euler = (3.0, 2.0, 1.0), (0.0, 0.0, 1.0)
    biped.parent = empty


@pytest.mark.parametrize("placed", [small, turned, parented])
def test_scaled_turned_and_parented(biped: Any, placed: Callable[[Any], None]) -> None:
    placed(biped)
    bpy.context.view_layer.update()
    source = biped.animation_data.action
    hips = {frame: world_pose(biped, frame)["hips"][:3, 3] for frame in (1, 50)}
    (made,) = generated()
    size = biped.matrix_world.to_scale()[0]
    assert moves(biped, made) or size < 0.1
    assert np.linalg.norm(world_pose(biped, 1)["hips"][:3, 3] - hips[1]) < 3.0 * size, "it begins where it was"
    assert source.name in bpy.data.actions


def test_unevenly_scaled(biped: Any) -> None:
    biped.scale = (1.0, 2.0, 1.0)
    bpy.context.view_layer.update()
    refused(bpy.ops.riff.generate, "has an uneven or negative scale; apply its scale first", count=1)


@pytest.mark.parametrize("shift", [100, -60])
def test_an_action_that_starts_late_or_before_zero(biped: Any, shift: int) -> None:
    action = biped.animation_data.action
    for curve in action.layers[0].strips[0].channelbags[0].fcurves:
        for point in curve.keyframe_points:
            point.co.x += shift
            point.handle_left.x += shift
            point.handle_right.x += shift
        curve.update()
    (made,) = generated()
    assert tuple(made.frame_range) == (1.0 + shift, FRAMES + shift)
    assert moves(biped, made)


def test_in_a_second_scene(riff: ModuleType, biped: Any) -> None:
    first = bpy.context.scene
    second = bpy.data.scenes.new("Second")
    second.render.fps = 24
    second.collection.objects.link(biped)
    bpy.context.window.scene = second
    bpy.context.view_layer.objects.active = biped
    second.riff.seed = 7
    (made,) = generated(seed=7)
    assert moves(biped, made)
    assert (first.riff.seed, second.riff.seed) == (1, 8), "each scene has its settings"
    assert [scene.name for scene in bpy.data.scenes] == sorted([first.name, "Second"])
    assert bpy.context.scene == second


def test_in_local_view(biped: Any) -> None:
    area = next((area for area in bpy.context.screen.areas if area.type == "VIEW_3D"), None)
    if area is None:
        area = bpy.context.screen.areas[0]
        area.type = "VIEW_3D"
    biped.select_set(False)
    other = bpy.data.objects.new("Alone", bpy.data.meshes.new("Alone"))
    bpy.context.scene.collection.objects.link(other)
    other.select_set(True)
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(area=area, region=region):
        bpy.ops.view3d.localview(frame_selected=False)
    assert area.spaces[0].local_view is not None
    assert moves(biped, generated()[0]), "the armature is out of view, and it works"
