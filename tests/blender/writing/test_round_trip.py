"""Read, write, read: the same motion, and the one that Blender itself plays."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from tests.support.rigs.biped import MODES, add_biped, add_dancing_biped, key, key_turns, swing, world_pose
from tests.support.rigs.round_trip import poses
from tests.support.rigs.zoo import add_rig

RADIANS, HEIGHTS = 1e-4, 1e-4


@pytest.fixture
def door(riff: ModuleType) -> SimpleNamespace:
    """Functions of the installed extension that the tests call."""
    found = {
        name: importlib.import_module(f"{riff.__name__}.{name}") for name in ("core.motion.motion", "core.motion.bvh")
    }
    return SimpleNamespace(
        read_motion=importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion,
        write_motion=importlib.import_module(f"{riff.__name__}.rig.writing.write").write_motion,
        assign_action=importlib.import_module(f"{riff.__name__}.rig.compat").assign_action,
        angle_between=importlib.import_module(f"{riff.__name__}.core.numeric.rotation").angle_between,
        add_sample_dancer=importlib.import_module(f"{riff.__name__}.sample.dancer").add_sample_dancer,
        forward_kinematics=found["core.motion.motion"].forward_kinematics,
        read_bvh=found["core.motion.bvh"].read_bvh,
    )


def import_bvh(path: Path) -> Any:
    bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=True, update_scene_duration=True)
    return bpy.context.object


def assert_same(door: SimpleNamespace, one: Any, other: Any) -> None:
    assert other.skeleton.same_structure(one.skeleton)
    assert (other.frames, other.fps) == (one.frames, one.fps)
    assert door.angle_between(one.rotations(), other.rotations()).max() < RADIANS
    assert np.abs(one.positions() - other.positions()).max() < HEIGHTS * 1.8
    assert np.isclose(one.skeleton.unit, other.skeleton.unit, rtol=HEIGHTS)


def assert_round_trip(door: SimpleNamespace, ob: Any, *, with_source: bool = True) -> Any:
    """Write what was read and read that; returns the written action."""
    source = ob.animation_data.action
    motion = door.read_motion(ob)
    action = door.write_motion(ob, motion, "Written", source_action=source if with_source else None)
    assert_same(door, motion, door.read_motion(ob, action))
    assert_blender_plays(door, ob, action, motion)
    return action


def assert_blender_plays(door: SimpleNamespace, ob: Any, action: Any, motion: Any) -> None:
    """The joints' world places and rotations as Blender shows them are those of core's kinematics."""
    rest = {bone.name: np.array(ob.matrix_world @ bone.matrix_local)[:3, :3] for bone in ob.data.bones}
    door.assign_action(ob, action)
    skeleton = motion.skeleton
    positions, rotations = door.forward_kinematics(
        skeleton, motion.rotations(), motion.root_positions(), motion.local_offsets()
    )
    for row in (0, 1, motion.frames // 3, motion.frames // 2, motion.frames - 1):
        pose = world_pose(ob, int(action.frame_range[0]) + row)
        for joint, name in enumerate(skeleton.names):
            place = pose[name][:3, 3] / skeleton.unit
            assert np.abs(place - positions[row, joint]).max() < HEIGHTS * 1.8, (row, name)
            scale = np.linalg.norm(pose[name][:3, 0])
            expected = rotations[row, joint] @ rest[name] / np.linalg.norm(rest[name][:, 0])
            assert door.angle_between(pose[name][:3, :3] / scale, expected) < RADIANS, (row, name)


@pytest.mark.parametrize("name", ["salsa", "walk", "elephant"])
def test_real_clips(door: SimpleNamespace, clip: Callable[[str], Path], name: str) -> None:
    assert_round_trip(door, import_bvh(clip(name)))


def test_sample_dancer(door: SimpleNamespace) -> None:
    assert_round_trip(door, door.add_sample_dancer(bpy.context))


@pytest.mark.parametrize("name", ["salsa", "elephant"])
def test_blenders_importer_and_ours_agree(door: SimpleNamespace, clip: Callable[[str], Path], name: str) -> None:
    path = clip(name)
    ours, blenders = door.read_bvh(path), door.read_motion(import_bvh(path))
    assert blenders.skeleton.same_structure(ours.skeleton)
    assert np.abs(ours.positions() - blenders.positions()).max() < 1e-3 * 1.8
    assert door.angle_between(ours.rotations(), blenders.rotations()).max() < 1e-3
    assert blenders.fps == pytest.approx(ours.fps, rel=1e-4)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("with_source", [True, False])
def test_rotation_modes(door: SimpleNamespace, mode: str, with_source: bool) -> None:
    assert_round_trip(door, add_dancing_biped(mode), with_source=with_source)


def test_bones_of_different_modes(door: SimpleNamespace) -> None:
    biped = add_biped()
    for number, bone in enumerate(biped.pose.bones):
        bone.rotation_mode = MODES[number % len(MODES)]
        if bone.name != "root":
            key_turns(biped, bone.name, partial(swing, number=number))
    assert_round_trip(door, biped)


@pytest.mark.parametrize("mode", MODES)
def test_written_in_another_mode_than_read(door: SimpleNamespace, mode: str) -> None:
    biped = add_dancing_biped("QUATERNION")
    motion = door.read_motion(biped)
    for bone in biped.pose.bones:
        bone.rotation_mode = mode
    action = door.write_motion(biped, motion, "Written")
    assert_same(door, motion, door.read_motion(biped, action))


def test_turned_and_scaled_object(door: SimpleNamespace) -> None:
    biped = add_dancing_biped("YZX")
    biped.matrix_world = (
        Matrix.Translation((3.0, -2.0, 0.5)) @ Matrix.Rotation(0.7, 4, "Z") @ Matrix.Rotation(np.pi / 2, 4, "X")
    ) @ Matrix.Scale(0.01, 4)
    bpy.context.view_layer.update()
    assert_round_trip(door, biped)


def test_parented_object(door: SimpleNamespace) -> None:
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(empty)
    empty.matrix_world = Matrix.Rotation(1.0, 4, "Y") @ Matrix.Scale(2.0, 4)
    biped = add_dancing_biped()
    biped.parent = empty
    bpy.context.view_layer.update()
    assert_round_trip(door, biped)


@pytest.mark.parametrize(("fps", "base"), [(24, 1.0), (25, 1.0), (60, 1.0), (30, 1.001)])
def test_frame_rates(door: SimpleNamespace, fps: int, base: float) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, base
    biped = add_dancing_biped()
    assert door.read_motion(biped).fps == pytest.approx(fps / base)
    assert_round_trip(door, biped)


def test_root_bone_that_stands_posed(door: SimpleNamespace) -> None:
    biped = add_dancing_biped("ZXY")
    biped.pose.bones["root"].rotation_euler = (0.3, 0.2, -1.0)
    biped.pose.bones["root"].location = (0.5, 1.0, 0.1)
    bpy.context.view_layer.update()
    assert_round_trip(door, biped)


def test_root_bone_that_is_scaled_evenly(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    biped.pose.bones["root"].scale = (1.5, 1.5, 1.5)
    key(biped, "head", "location", lambda t: (0.05 * np.sin(t), 0.02 * t, 0.0))
    bpy.context.view_layer.update()
    assert_round_trip(door, biped)


def test_root_bone_that_travels(door: SimpleNamespace) -> None:
    biped = add_dancing_biped("XYZ", still=())
    key(biped, "root", "location", lambda t: (t, 0.0, 0.0))
    motion = door.read_motion(biped)
    assert motion.skeleton.names[0] == "root"
    assert [motion.skeleton.names[joint] for joint in motion.skeleton.translated] == ["hips"]
    assert_round_trip(door, biped)


def test_bone_that_slides_and_bone_that_stands_off_its_rest(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    key(biped, "head", "location", lambda t: (0.05 * np.sin(t), 0.02 * t, 0.0))
    key(biped, "arm.L", "location", lambda t: (0.1, 0.02, -0.03))
    motion = door.read_motion(biped)
    assert [motion.skeleton.names[joint] for joint in motion.skeleton.translated] == ["head"]
    assert_round_trip(door, biped)


def test_motion_goes_along_with_a_moved_object(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    motion = door.read_motion(biped)
    before = world_pose(biped, 40)
    moved = Matrix.Translation((5.0, 1.0, 0.0)) @ Matrix.Rotation(1.2, 4, "Z") @ Matrix.Scale(2.0, 4)
    biped.matrix_world = moved
    bpy.context.view_layer.update()
    door.assign_action(biped, door.write_motion(biped, motion, "Moved", source_action=biped.animation_data.action))
    after = world_pose(biped, 40)
    for name in before:
        assert np.allclose(after[name], np.array(moved) @ before[name], atol=1e-4), name


def test_space_says_where_a_motion_is_meant(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    motion = door.read_motion(biped)
    before = world_pose(biped, 40)
    biped.location = (5.0, 1.0, 0.0)
    bpy.context.view_layer.update()
    source = biped.animation_data.action
    action = door.write_motion(biped, motion, "Kept", source_action=source, space=biped.matrix_world)
    door.assign_action(biped, action)
    assert np.allclose(world_pose(biped, 40)["foot.L"], before["foot.L"], atol=1e-4)


def add_folded_chain(count: int = 7) -> Any:
    """Bones that fold back against the one above but for 0.1 rad, as thighs hang below hips: Blender's rest matrices
    are sheared there. All turn."""
    bones: dict[str, Any] = {"hips": ("", (0.0, 0.0, 1.0), (0.0, 0.0, 1.2))}
    for number in range(count):
        top, up = (f"leg{number - 1}" if number else "hips"), 0.2 * (-1) ** (number + 1)
        head = (0.05 * number, 0.0, 1.0)
        bones[f"leg{number}"] = (top, head, (head[0] + 0.02, 0.006, 1.0 + up))
    rig = add_rig("Chain", bones)
    key(rig, "hips", "location", lambda t: (0.1 * np.sin(t), 0.0, 0.05 * t))
    for number, bone in enumerate(rig.pose.bones):
        key_turns(rig, bone.name, partial(swing, number=number))
    return rig


def test_a_chain_whose_rest_matrices_are_sheared(door: SimpleNamespace) -> None:
    """The shares of the bones would add up to 1e-4 rad at the end; keys are right to single precision."""
    rig = add_folded_chain()
    rests = np.array([bone.matrix_local for bone in rig.data.bones])[:, :3, :3]
    sheared = np.abs(rests.swapaxes(-1, -2) @ rests - np.eye(3)).max()
    assert sheared > 1e-5, "Blender's rest matrices are orthogonal; then this tests nothing"
    frames = range(1, 102, 5)
    axes, places = poses(rig, frames)
    source = rig.animation_data.action
    action = door.write_motion(rig, door.read_motion(rig), "Written", source_action=source)
    door.assign_action(rig, action)
    written_axes, written_places = poses(rig, frames)
    assert door.angle_between(axes, written_axes).max() < 5e-6
    assert np.abs(places - written_places).max() < 5e-6
