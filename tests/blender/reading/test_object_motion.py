"""The armature object's own motion: deltas, drivers and keyed scale come back as Blender plays them."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.biped import add_dancing_biped, curve_values, key, key_turns, swing, world_pose
from tests.support.rigs.round_trip import assert_round_trip
from tests.support.rigs.walkers import add_control_biped, walk_control_biped


def slide(t: float) -> tuple[float, float, float]:
    return (-0.5 * t, 0.1 * math.sin(t), 0.0)


def tilt(t: float) -> tuple[float, float, float]:
    return (0.0, 0.2 * math.sin(t), 0.3 * t)


def turned(t: float) -> tuple[float, float, float, float]:
    return (math.cos(0.15 * t), 0.0, 0.0, math.sin(0.15 * t))


def keyed_delta_location(rig: Any) -> None:
    key(rig, "", "delta_location", slide)


def keyed_delta_over_a_place(rig: Any) -> None:
    rig.location, rig.rotation_euler = (1.0, 2.0, 0.5), (0.1, 0.0, 0.7)
    key(rig, "", "delta_location", slide)


def keyed_delta_and_location(rig: Any) -> None:
    key(rig, "", "delta_location", slide)
    key(rig, "", "location", lambda t: (0.0, 0.4 * t, 0.0))


def location_over_a_delta(rig: Any) -> None:
    rig.delta_location, rig.delta_rotation_euler = (3.0, 0.0, 0.0), (0.0, 0.0, 0.8)
    key(rig, "", "location", slide)
    key(rig, "", "rotation_euler", tilt)


def keyed_delta_rotation(rig: Any) -> None:
    rig.rotation_euler = (0.2, 0.0, 0.5)
    key(rig, "", "delta_rotation_euler", tilt)


def keyed_delta_quaternion(rig: Any) -> None:
    rig.rotation_mode = "QUATERNION"
    key(rig, "", "delta_rotation_quaternion", turned)


MOTIONS = [
    keyed_delta_location,
    keyed_delta_over_a_place,
    keyed_delta_and_location,
    location_over_a_delta,
    keyed_delta_rotation,
    keyed_delta_quaternion,
]


@pytest.mark.parametrize("move", MOTIONS)
@pytest.mark.parametrize("controls", [False, True])
def test_deltas_count_once(door: Any, move: Callable[[Any], None], controls: bool) -> None:
    rig = add_control_biped() if controls else add_dancing_biped()
    if controls:
        walk_control_biped(rig)
    move(rig)
    motion = assert_round_trip(door, rig)
    assert motion.skeleton.names[0] == rig.name
    assert not [one.path for one in motion.skeleton.properties if "delta" in one.path]


def test_a_delta_leaves_the_location_alone(door: Any) -> None:
    biped = add_dancing_biped()
    keyed_delta_over_a_place(biped)
    source = biped.animation_data.action
    door.play(biped, door.write_motion(biped, door.read_motion(biped), "Written", source_action=source))
    assert world_pose(biped, 101)["root"][:3, 3] == pytest.approx([1.0 - 0.5 * 6.25, 2.0 + 0.1 * math.sin(6.25), 0.5])
    assert tuple(biped.location) == (1.0, 2.0, 0.5)


def test_a_driven_object_is_not_moved_twice(door: Any) -> None:
    biped = add_dancing_biped()
    curve = biped.driver_add("location", 1)
    curve.driver.expression = "frame / 20"
    assert door.read_motion(biped).root_positions()[:, 1].max() < 4.0
    assert_round_trip(door, biped)


def grow(t: float) -> tuple[float, float, float]:
    return (0.01 * (1.0 + t),) * 3


def pop_in(t: float) -> tuple[float, float, float]:
    return (min(1.0, t / 2.0),) * 3


@pytest.mark.parametrize("scale", [grow, pop_in])
@pytest.mark.parametrize("path", ["scale", "delta_scale"])
def test_an_even_scale_plays_through(door: Any, scale: Callable[[float], Any], path: str) -> None:
    biped = add_dancing_biped()
    plain = door.read_motion(biped)
    key(biped, "", path, scale)
    source = biped.animation_data.action
    motion = door.read_motion(biped)
    largest = scale(6.25)[0]
    np.testing.assert_allclose(motion.features, plain.features, atol=1e-5)
    assert motion.skeleton.unit == pytest.approx(plain.skeleton.unit * largest, rel=1e-5)
    before = [world_pose(biped, frame) for frame in (1, 9, 40, 101)]
    action = door.write_motion(biped, motion, "Written", source_action=source)
    door.play(biped, action)
    for frame, pose in zip((1, 9, 40, 101), before, strict=True):
        after = world_pose(biped, frame)
        assert max(np.abs(after[bone] - pose[bone]).max() for bone in pose) < 1e-4 * 1.8 * largest
    sizes = [value[1] for value in next(v for k, v in curve_values(action).items() if k[1:] == (path, 0))]
    assert len(sizes) == 101
    assert sizes[8] == pytest.approx(scale(0.5)[0], rel=1e-5)


def test_a_driven_scale_is_left_to_its_driver(door: Any) -> None:
    biped = add_dancing_biped()
    for index in range(3):
        biped.driver_add("scale", index).driver.expression = "1 + frame / 50"
    assert_round_trip(door, biped)


def test_an_even_scale_on_controls_plays_through(door: Any) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    key(biped, "", "scale", lambda t: (0.5 + 0.1 * t,) * 3)
    assert_round_trip(door, biped)


def test_a_scale_that_rests_is_the_objects(door: Any) -> None:
    biped = add_dancing_biped()
    key(biped, "", "scale", lambda t: (2.0, 2.0, 2.0))
    assert_round_trip(door, biped)


def test_an_uneven_scale_is_told_with_its_frame(door: Any) -> None:
    biped = add_dancing_biped()
    key(biped, "", "scale", lambda t: (1.0, 1.0, 1.0 if t < 1.0 else 0.7))
    with pytest.raises(door.error) as caught:
        door.read_motion(biped)
    assert str(caught.value) == (
        "The object “Biped” has an uneven or negative scale at frame 14; key its X, Y and Z scale alike, or delete "
        "these keys."
    )


def test_a_scale_in_the_nla_is_told(door: Any) -> None:
    biped = add_dancing_biped()
    key(biped, "", "scale", pop_in)
    with pytest.raises(door.error, match="in the NLA; turn off Whole NLA"):
        door.read_motion(biped, options=door.ReadOptions(nla=True))


def key_mode(bone: Any, *modes: tuple[int, str]) -> None:
    for frame, mode in modes:
        bone.rotation_mode = mode
        bone.keyframe_insert("rotation_mode", frame=frame)


def shown(biped: Any, frame: int) -> dict[str, np.ndarray]:
    """The pose that the keys of a frame mean: at a change of the mode Blender first converts the rotation before."""
    bpy.context.scene.frame_set(frame)
    return world_pose(biped, frame)


@pytest.mark.parametrize("first", ["QUATERNION", "XYZ"])
@pytest.mark.parametrize("now", [5, 90])
def test_a_keyed_rotation_mode_becomes_one(door: Any, first: str, now: int) -> None:
    biped = add_dancing_biped()
    second = "ZYX" if first == "QUATERNION" else "AXIS_ANGLE"
    for mode in (first, second):
        biped.pose.bones["arm.L"].rotation_mode = mode
        key_turns(biped, "arm.L", lambda t: swing(t, 4))
    key_mode(biped.pose.bones["arm.L"], (1, first), (51, second))
    bpy.context.scene.frame_set(now)
    source, frames = biped.animation_data.action, range(1, 102)
    before = [shown(biped, frame) for frame in frames]
    bpy.context.scene.frame_set(now)
    reading = importlib.import_module(f"{door.package}.rig.reading.read")
    motion = door.read_motion(biped)
    steps = importlib.import_module(f"{door.package}.rig.steps")
    np.testing.assert_array_equal(steps.run_through(reading.read_steps(biped, seconds=0.0)).features, motion.features)
    action = door.write_motion(biped, motion, "Written", source_action=source)
    door.play(biped, action)
    for frame, pose in zip(frames, before, strict=True):
        after = shown(biped, frame)
        assert max(np.abs(after[bone] - pose[bone]).max() for bone in pose) < 2e-4
    path = "rotation_quaternion" if first == "QUATERNION" else "rotation_euler"
    keys = {path: len(values) for (_, path, _), values in curve_values(action).items() if "arm.L" in path}
    assert keys[f'pose.bones["arm.L"].{path}'] == 101
    assert keys['pose.bones["arm.L"].rotation_mode'] == 1


def test_dead_rotation_keys_are_found(door: Any, riff: Any) -> None:
    actions = importlib.import_module(f"{riff.__name__}.rig.reading.actions")
    dead_keys = importlib.import_module(f"{riff.__name__}.rig.hints.dead_keys")
    biped = add_dancing_biped()

    def found() -> list[str]:
        return [one.bone for one in dead_keys.find_dead_keys(biped, actions.source_of(biped)) if one.alone]

    assert found() == []
    for bone in ("arm.R", "head"):
        biped.pose.bones[bone].rotation_mode = "XYZ"
    assert found() == ["head", "arm.R"]
    key_turns(biped, "head", lambda t: swing(t, 2))
    assert found() == ["arm.R"]
    key_mode(biped.pose.bones["arm.R"], (1, "XYZ"), (50, "QUATERNION"))
    assert found() == []
