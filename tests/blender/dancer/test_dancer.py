"""The sample dancer, as a user gets it: a rig that dances with its feet on the floor."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from bpy_extras import anim_utils

FPS = 30


@pytest.fixture
def dancer(riff: ModuleType) -> bpy.types.Object:
    bpy.context.scene.render.fps = FPS
    module = importlib.import_module(riff.__name__ + ".sample.dancer")
    return module.add_sample_dancer(bpy.context)


@pytest.fixture
def feet(riff: ModuleType) -> ModuleType:
    return importlib.import_module(riff.__name__ + ".sample.feet")


def range_of(armature: bpy.types.Object) -> tuple[int, int]:
    frames = armature.animation_data.action.frame_range
    return int(frames[0]), int(frames[1])


def curves_of(armature: bpy.types.Object) -> list[bpy.types.FCurve]:
    data = armature.animation_data
    bag: Any = anim_utils.action_get_channelbag_for_slot(data.action, data.action_slot)
    return list(bag.fcurves)


def values_of(armature: bpy.types.Object, bone: str, channel: str) -> np.ndarray:
    """Key values of one channel of a bone: (frames, components)."""
    path = f'pose.bones["{bone}"].{channel}'
    curves = sorted((c for c in curves_of(armature) if c.data_path == path), key=lambda curve: curve.array_index)
    return np.array([[key.co.y for key in curve.keyframe_points] for curve in curves]).T


def played(armature: bpy.types.Object) -> dict[str, np.ndarray]:
    """Play the action and read every bone's head and tail in the world: name → (frames, 2, 3)."""
    start, end = range_of(armature)
    positions: dict[str, list[list[np.ndarray]]] = {bone.name: [] for bone in armature.pose.bones}
    for frame in range(start, end + 1):
        bpy.context.scene.frame_set(frame)
        for bone in armature.pose.bones:
            positions[bone.name].append([np.array(armature.matrix_world @ end) for end in (bone.head, bone.tail)])
    return {name: np.array(rows) for name, rows in positions.items()}


def test_the_action_has_its_slot_and_plays(dancer: bpy.types.Object) -> None:
    assert dancer.animation_data.action_slot is not None
    assert dancer.animation_data.action_slot.target_id_type == "OBJECT"
    poses = []
    for frame in (1, 100, 300):
        bpy.context.scene.frame_set(frame)
        poses.append(np.array(dancer.pose.bones["hand.L"].matrix))
    assert np.abs(poses[0] - poses[1]).max() > 0.05
    assert np.abs(poses[1] - poses[2]).max() > 0.05


@pytest.mark.parametrize(("fps", "base"), [(24, 1.0), (30, 1.0), (60, 1.0), (30, 1.001)])
def test_the_dance_lasts_twenty_seconds_at_any_frame_rate(riff: ModuleType, fps: int, base: float) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, base
    scene.frame_start = 7
    armature = importlib.import_module(riff.__name__ + ".sample.dancer").add_sample_dancer(scene)
    start, end = range_of(armature)
    assert start == 7
    assert 18.0 < (end - start + 1) * base / fps < 22.0
    assert scene.render.fps == fps
    assert scene.render.fps_base == pytest.approx(base)


def test_every_frame_is_keyed_and_only_the_hips_move(dancer: bpy.types.Object) -> None:
    start, end = range_of(dancer)
    moved = {curve.data_path.split('"')[1] for curve in curves_of(dancer) if curve.data_path.endswith("location")}
    turned = {curve.data_path.split('"')[1] for curve in curves_of(dancer) if curve.data_path.endswith("quaternion")}
    assert moved == {"hips"}
    assert turned == {bone.name for bone in dancer.pose.bones}
    assert {len(curve.keyframe_points) for curve in curves_of(dancer)} == {end - start + 1}
    assert not any(bone.constraints for bone in dancer.pose.bones)


def test_the_hips_are_the_root_and_the_dancer_is_of_human_height(dancer: bpy.types.Object) -> None:
    assert [bone.name for bone in dancer.data.bones if bone.parent is None] == ["hips"]
    body = dancer.children[0]
    heights = [vertex.co.z for vertex in body.data.vertices]
    assert min(heights) == pytest.approx(0.0, abs=0.005)
    assert max(heights) == pytest.approx(1.75, abs=0.03)


def test_quaternions_are_of_unit_length_and_never_flip(dancer: bpy.types.Object) -> None:
    for bone in dancer.pose.bones:
        quaternions = values_of(dancer, bone.name, "rotation_quaternion")
        assert np.abs(np.linalg.norm(quaternions, axis=1) - 1.0).max() < 1e-5
        assert (quaternions[1:] * quaternions[:-1]).sum(1).min() > 0.95, bone.name


def test_planted_feet_stand_still_on_the_floor(dancer: bpy.types.Object, feet: ModuleType) -> None:
    positions = played(dancer)
    beats = np.arange(len(positions["hips"])) / (0.5 * FPS)
    for side in ("L", "R"):
        ball = positions[f"toe.{side}"][:, 0]
        plants = feet.plants(side)
        assert len(plants) > 10
        for plant in plants:
            rows = ball[(beats >= plant.start) & (beats <= plant.end)]
            assert np.ptp(rows, axis=0).max() < 0.002, plant
            assert rows[:, 2] == pytest.approx(dancer.data.bones[f"toe.{side}"].head_local.z, abs=0.002), plant


def test_a_foot_stands_on_the_floor_except_in_the_jump(dancer: bpy.types.Object) -> None:
    positions = played(dancer)
    speeds = [np.linalg.norm(np.diff(positions[f"toe.{side}"][:, 0], axis=0), axis=1) for side in ("L", "R")]
    slides = np.flatnonzero(np.min(speeds, axis=0) > 0.002)
    assert 0 < len(slides) < 0.03 * len(speeds[0])
    assert np.ptp(slides) == len(slides) - 1, "only one moment, the jump, has both feet in the air"


def test_no_part_of_the_body_sinks_into_the_floor(dancer: bpy.types.Object) -> None:
    body, scene = dancer.children[0], bpy.context.scene
    lowest = []
    for frame in range(1, 600, 7):
        scene.frame_set(frame)
        posed = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
        points = np.empty(len(posed.data.vertices) * 3, dtype=np.float32)
        posed.data.vertices.foreach_get("co", points)
        lowest.append(points[2::3].min())
    assert min(lowest) > -0.012
    assert np.median(lowest) < 0.005


def test_knees_stay_bent_forwards_and_do_not_pop(dancer: bpy.types.Object) -> None:
    positions = played(dancer)
    for side in ("L", "R"):
        thigh, shin = (np.diff(positions[f"{bone}.{side}"], axis=1)[:, 0] for bone in ("thigh", "shin"))
        lengths = np.linalg.norm(thigh, axis=1) * np.linalg.norm(shin, axis=1)
        bend = np.degrees(np.arccos((thigh * shin).sum(1) / lengths))
        assert bend.min() > 8.0
        assert bend.max() < 140.0
        assert np.abs(np.diff(bend, 2)).max() < 18.0
        hinge = np.cross(thigh, shin) / (lengths * np.sin(np.radians(bend)))[:, None]
        left = positions["thigh.L"][:, 0] - positions["thigh.R"][:, 0]
        assert ((hinge * left).sum(1) / np.linalg.norm(left, axis=1)).min() > 0.3, "a knee bends to the front"


def test_the_dancer_turns_all_the_way_round_both_ways_and_comes_back(dancer: bpy.types.Object) -> None:
    positions = played(dancer)
    across = positions["thigh.L"][:, 0] - positions["thigh.R"][:, 0]
    heading = np.degrees(np.unwrap(np.arctan2(across[:, 1], across[:, 0])))
    assert heading.max() - heading[0] > 350.0
    assert heading[360:450].max() - heading[360:450].min() > 330.0, "the travelling turn"
    assert heading[450] - heading[495] > 300.0, "the pirouette, the other way"
    assert heading[210] - heading[0] > 160.0, "the box ends with the back to the audience"
    assert abs(heading[-1] - heading[0]) < 30.0
    hips = positions["hips"][:, 0]
    assert np.abs(hips[:, :2]).max() < 3.0
    assert np.ptp(hips[:, 0]) > 1.0
    assert np.linalg.norm(hips[-1, :2] - hips[0, :2]) < 0.3


def test_the_dance_is_not_a_wiggle(dancer: bpy.types.Object) -> None:
    """Poses a second apart differ; the hands reach from below the hips to above the head."""
    positions = played(dancer)
    hands = np.stack([positions[f"hand.{side}"][:, 1] - positions["hips"][:, 0] for side in ("L", "R")])
    assert hands[..., 2].min() < 0.0
    assert hands[..., 2].max() > 0.9
    moved = np.linalg.norm(hands[:, 30:] - hands[:, :-30], axis=2)
    assert np.median(moved) > 0.25


def test_motion_is_smooth(dancer: bpy.types.Object) -> None:
    """Nothing jumps: 0.1 m a frame squared, at 30 frames a second, is 9 g, which a dancer's fingertips reach."""
    for name, ends in played(dancer).items():
        limit = 0.1 if name.split(".")[0] in {"forearm", "hand", "shin", "foot", "toe"} else 0.075
        assert np.linalg.norm(np.diff(ends[:, 1], 2, axis=0), axis=1).max() < limit, name


def test_a_scene_that_no_window_shows_gets_its_dancer(riff: ModuleType) -> None:
    shown, other = bpy.context.scene, bpy.data.scenes.new("Other")
    other.render.fps = 24
    armature = importlib.import_module(riff.__name__ + ".sample.dancer").add_sample_dancer(other)
    assert bpy.context.window.scene == shown
    assert armature.name in other.objects
    assert armature.name not in shown.objects
    assert len(armature.pose.bones) == 21
    assert armature.animation_data.action_slot is not None


def test_a_second_dancer_and_another_mode_do_no_harm(riff: ModuleType, dancer: bpy.types.Object) -> None:
    bpy.context.view_layer.objects.active = dancer
    bpy.ops.object.mode_set(mode="POSE")
    module = importlib.import_module(riff.__name__ + ".sample.dancer")
    other = module.add_sample_dancer(bpy.context)
    assert other != dancer
    assert other.mode == "OBJECT"
    assert other.animation_data.action_slot is not None
    assert len(other.data.bones) == len(dancer.data.bones)
    assert other.children[0].modifiers[0].object == other
