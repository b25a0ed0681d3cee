"""Compose as a person does, on the sample dancer, with a training of a few steps."""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.composing import FEW_STEPS, LEGS, NEAR, compose, joints, read, train

TRAINED: list[bytes] = []
"""The dancer's model, once it has been trained."""


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    """The sample dancer, its first six seconds, with a model of them."""
    assert bpy.ops.riff.add_sample_dancer() == {"FINISHED"}
    action = bpy.context.object.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 180
    path = models / "Sample Dance.safetensors"
    if TRAINED:
        path.write_bytes(TRAINED[0])
        bpy.ops.riff.refresh_models()
    else:
        train(riff)
        TRAINED.append(path.read_bytes())
    return bpy.context.object


def test_vary_the_upper_body(riff: ModuleType, dancer: bpy.types.Object) -> None:
    source = read(riff, dancer)
    made = compose(bpy.ops.riff.vary_parts, parts="Upper Body", count=2, seed=3)
    assert [action.name for action in made] == ["Sample Dance Parts 3-1", "Sample Dance Parts 3-2"]
    lower = joints(source, *LEGS)
    for action in made:
        outcome = read(riff, dancer, action)
        assert outcome.frames == 180
        np.testing.assert_allclose(outcome.positions()[:, lower], source.positions()[:, lower], atol=NEAR)
        np.testing.assert_allclose(outcome.rotations()[:, lower], source.rotations()[:, lower], atol=NEAR)
        assert np.abs(outcome.rotations() - source.rotations()).max() > 0.05
    asked = json.loads(made[0]["riff_composition"])
    assert set(asked["keep"]) == {source.skeleton.names[j] for j in lower}


@pytest.mark.parametrize("keep", [False, True])
def test_bones_by_selection_collection_and_mirror(riff: ModuleType, dancer: bpy.types.Object, keep: bool) -> None:
    source = read(riff, dancer)
    arms = dancer.data.collections.new("Left Arm Bones")
    for name in ("upper_arm.L", "forearm.L", "hand.L", "shoulder.L"):
        arms.assign(dancer.data.bones[name])
    by_collection = compose(
        bpy.ops.riff.vary_parts, which="COLLECTION", collection="Left Arm Bones", mirror=True, keep=keep
    )[0]
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.select_all(action="DESELECT")
    for name in ("upper_arm.R", "forearm.R", "hand.R", "shoulder.R"):
        bone = dancer.pose.bones[name]
        (bone if hasattr(bone, "select") else bone.bone).select = True
    by_selection = compose(bpy.ops.riff.vary_parts, which="SELECTED", keep=keep)[0]
    one, other = read(riff, dancer, by_collection), read(riff, dancer, by_selection)
    np.testing.assert_allclose(one.rotations(), other.rotations(), atol=NEAR)
    changed = np.abs(one.rotations() - source.rotations()).max(axis=(0, 2, 3)) > NEAR
    right = np.zeros_like(changed)
    right[joints(source, "arm.R", "hand.R", "shoulder.R")] = True
    assert not changed[right if keep else ~right].any()
    assert changed[~right if keep else right].any()


def test_fill_regions_from_text_and_from_the_list(riff: ModuleType, dancer: bpy.types.Object) -> None:
    source = read(riff, dancer)
    made = compose(bpy.ops.riff.fill_regions, regions="40-80, 120-140")[0]
    bpy.ops.riff.add_region(source="RANGE", start=40, end=80)
    bpy.ops.riff.add_region(source="RANGE", start=120, end=140)
    listed = compose(bpy.ops.riff.fill_regions)[0]
    outcome = read(riff, dancer, made)
    np.testing.assert_allclose(read(riff, dancer, listed).rotations(), outcome.rotations(), atol=NEAR)
    outside = np.ones(180, dtype=bool)
    outside[39:80] = outside[119:140] = False
    np.testing.assert_allclose(outcome.positions()[outside], source.positions()[outside], atol=NEAR)
    np.testing.assert_allclose(outcome.rotations()[outside], source.rotations()[outside], atol=NEAR)
    assert np.abs(outcome.rotations()[45:75] - source.rotations()[45:75]).max() > 0.05


@pytest.mark.parametrize("fps", [24, 60])
def test_outside_stays_exact_at_other_rates(riff: ModuleType, dancer: bpy.types.Object, fps: int) -> None:
    bpy.context.scene.render.fps = fps
    source = read(riff, dancer)
    outcome = read(riff, dancer, compose(bpy.ops.riff.fill_regions, regions="60-120")[0])
    np.testing.assert_allclose(outcome.positions()[120:], source.positions()[120:], atol=NEAR)
    np.testing.assert_allclose(outcome.rotations()[:59], source.rotations()[:59], atol=NEAR)


def test_actions_that_do_not_begin_at_one(riff: ModuleType, dancer: bpy.types.Object) -> None:
    action = dancer.animation_data.action
    action.frame_start, action.frame_end = 51, 150
    source = read(riff, dancer)
    made = compose(bpy.ops.riff.fill_regions, regions="80-110")[0]
    assert tuple(made.frame_range) == (51, 150)
    outcome = read(riff, dancer, made)
    np.testing.assert_allclose(outcome.positions()[:29], source.positions()[:29], atol=NEAR)
    np.testing.assert_allclose(outcome.positions()[60:], source.positions()[60:], atol=NEAR)
    with pytest.raises(RuntimeError, match=r"40-60 is not inside frames 51-150"):
        bpy.ops.riff.fill_regions(regions="40-60")


def test_keep_selected_keys_in_a_region_of_one_arm(riff: ModuleType, dancer: bpy.types.Object) -> None:
    source = read(riff, dancer)
    bag = dancer.animation_data.action.layers[0].strips[0].channelbags[0]
    for curve in bag.fcurves:
        for point in curve.keyframe_points:
            point.select_control_point = round(point.co[0]) == 100
    made = compose(bpy.ops.riff.keep_keys, use_regions=True, regions="60-140", use_parts=True, parts="Left Arm")[0]
    outcome = read(riff, dancer, made)
    changed = np.abs(outcome.rotations() - source.rotations()).max(axis=(2, 3)) > NEAR
    assert not changed[99].any()
    assert not changed[:59].any()
    assert not changed[140:].any()
    assert not changed[:, joints(source, ".R", *LEGS)].any()
    assert changed[70:90].any()


def assert_placed(outcome: Any, source: Any, at: int, moment: slice) -> None:
    """Assert that the moment is the source's, turned about the vertical as a whole to go on from what is before it."""
    wanted = source.rotations()[moment]
    there = outcome.rotations()[at : at + len(wanted)]
    np.testing.assert_allclose(there[:, 1:], wanted[:, 1:], atol=NEAR)
    turn = there[:, 0] @ wanted[:, 0].swapaxes(-1, -2)
    np.testing.assert_allclose(turn, np.broadcast_to(turn[0], turn.shape), atol=NEAR)
    np.testing.assert_allclose(turn[0, 2], (0.0, 0.0, 1.0), atol=NEAR)


def test_place_moments(riff: ModuleType, dancer: bpy.types.Object) -> None:
    source = read(riff, dancer)
    made = compose(bpy.ops.riff.place_moments, moments="31-70@1, 31-70@120, 101-120@200", length=250)[0]
    outcome = read(riff, dancer, made)
    assert outcome.frames == 250
    for start, stop, at in ((30, 70, 0), (30, 70, 119), (100, 120, 199)):
        assert_placed(outcome, source, at, slice(start, stop))
    bpy.ops.riff.add_region(source="RANGE", start=31, end=70, name="Spin")
    bpy.context.scene.frame_set(1)
    bpy.ops.riff.add_moment()
    bpy.context.scene.frame_set(90)
    bpy.ops.riff.add_moment()
    listed = read(riff, dancer, compose(bpy.ops.riff.place_moments)[0])
    assert_placed(listed, source, 89, slice(30, 70))
    bpy.ops.riff.remove_moment()
    assert len(bpy.context.scene.riff_compose.moments) == 1


def test_extend_at_both_ends(riff: ModuleType, dancer: bpy.types.Object) -> None:
    source = read(riff, dancer)
    made = compose(bpy.ops.riff.extend_action, before=20, after=50)[0]
    assert tuple(made.frame_range) == (-19, 230)
    outcome = read(riff, dancer, made)
    np.testing.assert_allclose(outcome.positions()[20:200], source.positions(), atol=NEAR)
    longer = compose(bpy.ops.riff.extend_action, length=300)[0]
    assert tuple(longer.frame_range) == (1, 300)


def test_loop(riff: ModuleType, dancer: bpy.types.Object) -> None:
    source = read(riff, dancer)
    outcome = read(riff, dancer, compose(bpy.ops.riff.loop_action, transition=45, travel="RETURN")[0])
    np.testing.assert_allclose(outcome.positions()[-1], outcome.positions()[0], atol=NEAR)
    np.testing.assert_allclose(outcome.positions()[:130], source.positions()[:130], atol=NEAR)
    steps = np.diff(outcome.positions(), axis=0)
    assert np.abs(steps[0] - steps[-1]).max() < np.abs(np.diff(steps, axis=0)).max() * 1.5


def test_restyle_and_its_slider(riff: ModuleType, dancer: bpy.types.Object) -> None:
    source = read(riff, dancer)
    full = read(riff, dancer, compose(bpy.ops.riff.restyle)[0])
    none = read(riff, dancer, compose(bpy.ops.riff.restyle, style=0.0, clean_feet=False)[0])
    assert np.abs(full.rotations() - source.rotations()).mean() > np.abs(none.rotations() - source.rotations()).mean()
    np.testing.assert_allclose(none.rotations(), source.rotations(), atol=0.02)


def test_restyle_another_rig_by_a_bone_map(riff: ModuleType, dancer: bpy.types.Object) -> None:
    other = dancer.copy()
    other.data = dancer.data.copy()
    bpy.context.scene.collection.objects.link(other)
    other.animation_data.action = dancer.animation_data.action.copy()
    for bone in other.data.bones:
        bone.name = f"Rig_{bone.name}"
    settings = bpy.context.scene.riff_compose
    settings.armature, settings.content = other, other.animation_data.action
    assert bpy.ops.riff.guess_bones() == {"FINISHED"}
    assert {pair.name: pair.other for pair in settings.bones}["hand.L"] == "Rig_hand.L"
    made = compose(
        bpy.ops.riff.restyle, armature=other.name, action=other.animation_data.action.name, style=0.0, clean_feet=False
    )[0]
    outcome, source = read(riff, dancer, made), read(riff, dancer)
    np.testing.assert_allclose(outcome.rotations(), source.rotations(), atol=0.02)


def test_root_follows_a_curve(riff: ModuleType, dancer: bpy.types.Object) -> None:
    curve = bpy.data.curves.new("Way", "CURVE")
    curve.dimensions = "3D"
    spline = curve.splines.new("POLY")
    spline.points.add(1)
    spline.points[0].co, spline.points[1].co = (5, 0, 0, 1), (5, 60, 0, 1)
    way = bpy.data.objects.new("Way", curve)
    bpy.context.scene.collection.objects.link(way)
    made = compose(bpy.ops.riff.loop_action, transition=0)
    assert made
    outcome = read(riff, dancer, compose(bpy.ops.riff.restyle, root="CURVE", curve="Way")[0])
    path = outcome.root_positions()[:, :2] * outcome.skeleton.unit
    assert np.abs(path[:, 0] - 5.0).max() < 1.0
    assert np.linalg.norm(path[0] - (5.0, 0.0)) < 1.0
    hair = bpy.data.hair_curves.new("Hair")  # an object of the newer type, CURVES
    hair.add_curves([2])
    hair.attributes["position"].data.foreach_set("vector", np.array([5, 0, 0, 5, 60, 0], dtype=np.float32))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Hair", hair))
    again = read(riff, dancer, compose(bpy.ops.riff.restyle, root="CURVE", curve="Hair")[0])
    assert np.abs(again.root_positions() - outcome.root_positions()).max() < NEAR
    spline.points[1].co = (5, 0.05, 0, 1)
    with pytest.raises(RuntimeError, match=r"curve is .* long, but the motion walks"):
        bpy.ops.riff.restyle(root="CURVE", curve="Way")
    with pytest.raises(RuntimeError, match="No curve is chosen"):
        bpy.ops.riff.restyle(root="CURVE")
    with pytest.raises(RuntimeError, match="is not a curve"):
        bpy.ops.riff.restyle(root="CURVE", curve=dancer.name)


def test_find_parts(riff: ModuleType, dancer: bpy.types.Object) -> None:
    assert bpy.ops.riff.find_parts() == {"FINISHED"}
    parts = {part.name: part.use for part in bpy.context.scene.riff_compose.parts}
    assert parts["Left Arm"]
    assert not parts["Left Leg"]
    assert {"Root", "Spine", "Head", "Right Arm", "Right Leg"} <= set(parts)


def test_find_parts_of_an_nla_without_an_active_action(riff: ModuleType, dancer: bpy.types.Object) -> None:
    data = dancer.animation_data
    data.nla_tracks.new().strips.new("Dance", 1, data.action)
    data.action, dancer.riff.whole_nla = None, True
    assert bpy.ops.riff.find_parts() == {"FINISHED"}
    assert "Left Arm" in bpy.context.scene.riff_compose.parts


@pytest.mark.parametrize(
    ("operator", "choices", "sentence"),
    [
        ("fill_regions", {}, "no region"),
        ("fill_regions", {"regions": "10-400"}, "10-400 is not inside frames 1-180"),
        ("fill_regions", {"regions": "10-14"}, "fewer than 8"),
        ("fill_regions", {"regions": "10-50, 40-90"}, "overlap"),
        ("fill_regions", {"regions": "1-180"}, "whole action"),
        ("fill_regions", {"regions": "soon"}, "no span of frames"),
        ("vary_parts", {"parts": ""}, "has not learned|nothing would be new|No body part"),
        ("vary_parts", {"parts": "Wings"}, "Wings"),
        ("vary_parts", {"parts": "Upper Body, Lower Body"}, "No body part is kept"),
        ("vary_parts", {"parts": "Upper Body, Lower Body", "keep": True}, "All body parts are kept"),
        ("vary_parts", {"which": "COLLECTION", "collection": "none"}, "no bone collection"),
        ("keep_keys", {}, "No keyframe is selected"),
        ("place_moments", {}, "no moment"),
        ("place_moments", {"moments": "10-40"}, "where the moment goes"),
        ("place_moments", {"moments": "10-40@1, 10-40@20"}, "overlap"),
        ("extend_action", {"after": 3}, "at least 8"),
        ("extend_action", {"length": 100}, "180 frames already"),
        ("loop_action", {"transition": 176}, "transition takes up the whole action"),
        ("restyle", {"action": "gone"}, "no action “gone”"),
        ("restyle", {"armature": "gone"}, "no armature “gone”"),
    ],
)
def test_bad_input_cancels_with_a_sentence(
    riff: ModuleType, dancer: bpy.types.Object, operator: str, choices: dict[str, Any], sentence: str
) -> None:
    if operator == "keep_keys":
        for curve in dancer.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
            for point in curve.keyframe_points:
                point.select_control_point = False
    before = set(bpy.data.actions)
    with pytest.raises(RuntimeError, match=sentence):
        getattr(bpy.ops.riff, operator)(**choices)
    assert set(bpy.data.actions) == before


def test_model_of_another_skeleton(riff: ModuleType, dancer: bpy.types.Object) -> None:
    dancer.data.bones["hand.L"].name = "paw.L"
    with pytest.raises(RuntimeError, match=r"has no counterpart|another skeleton|correct the bone map|paw|hand"):
        bpy.ops.riff.fill_regions(regions="40-80")


def test_one_undo_step(riff: ModuleType, dancer: bpy.types.Object) -> None:
    bpy.ops.ed.undo_push(message="Before")
    name = compose(bpy.ops.riff.fill_regions, regions="40-80", count=2)[0].name
    assert name in bpy.data.actions
    bpy.ops.ed.undo()
    assert name not in bpy.data.actions


def test_nothing_without_armature_or_model(riff: ModuleType) -> None:
    for operator in ("vary_parts", "fill_regions", "keep_keys", "place_moments", "extend_action", "loop_action"):
        with pytest.raises(RuntimeError, match="Select an armature"):
            getattr(bpy.ops.riff, operator)()
    bpy.ops.riff.add_sample_dancer()
    with pytest.raises(RuntimeError, match="No model yet"):
        bpy.ops.riff.restyle()


def test_train_on_two_actions(riff: ModuleType, dancer: bpy.types.Object, models: Path) -> None:
    other = dancer.animation_data.action.copy()
    other.name = "Second Half"
    other.frame_start, other.frame_end = 300, 420
    for actions, sentence in (
        ("", "Choose at least one other action"),
        ("Gone", "no action “Gone”"),
        ("Sample Dance", "at least one other"),
    ):
        with pytest.raises(RuntimeError, match=sentence):
            bpy.ops.riff.train_on_actions(actions=actions)
    assert bpy.ops.riff.train_on_actions(actions="Second Half", scale=FEW_STEPS) == {"FINISHED"}
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    while tick():
        time.sleep(0.02)
    session = bpy.context.window_manager.riff
    row = session.models[session.active_model]
    assert row.name == "Sample Dance + Second Half"
    model = importlib.import_module(f"{riff.__name__}.core.model.model_file").load_model(row.path)
    assert model.source.frames == 180 + 24 + 121
    made = compose(bpy.ops.riff.fill_regions, regions="60-100")[0]
    assert tuple(made.frame_range) == (1, 180)
