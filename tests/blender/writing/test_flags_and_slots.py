"""Locked channels, two rigs in one action, and the way that motion capture keys: all come back as they were."""

from __future__ import annotations

import importlib
import math
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.biped import MODES, add_biped, add_dancing_biped, curve_values, key_turns, swing
from tests.support.rigs.round_trip import assert_round_trip, channels, poses
from tests.support.rigs.walkers import add_control_biped, walk_control_biped

LOCKS = ("lock_location", "lock_rotation", "lock_scale")


def lock(bone: Any, locked: bool) -> None:
    for name in LOCKS:
        setattr(bone, name, (locked, locked, locked))
    bone.lock_rotation_w = bone.lock_rotations_4d = locked


def locks_of(ob: Any) -> list[tuple[bool, ...]]:
    return [
        (*(value for name in LOCKS for value in getattr(bone, name)), bone.lock_rotation_w, bone.lock_rotations_4d)
        for bone in ob.pose.bones
    ]


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "YXZ"])
@pytest.mark.parametrize("controls", [False, True])
def test_locks_say_what_a_hand_may_move_not_what_keys_do(door: SimpleNamespace, mode: str, controls: bool) -> None:
    biped = add_dancing_biped(mode)
    biped.data.bones["head"].use_inherit_rotation = not controls
    for number, bone in enumerate(biped.pose.bones):
        lock(bone, number % 2 == 0)
    before = locks_of(biped)
    assert_round_trip(door, biped)
    assert locks_of(biped) == before


def test_every_rotation_mode_on_controls(door: SimpleNamespace) -> None:
    biped = add_biped()
    biped.data.bones["head"].use_inherit_rotation = False
    for number, bone in enumerate(biped.pose.bones):
        bone.rotation_mode = MODES[number % len(MODES)]
        if bone.name != "root":
            key_turns(biped, bone.name, partial(swing, number=number))
    motion = assert_round_trip(door, biped)
    assert motion.skeleton.reference_frames


def test_two_rigs_in_two_slots_of_one_action(door: SimpleNamespace) -> None:
    walker = add_control_biped()
    walk_control_biped(walker)
    action = walker.animation_data.action
    dancer = add_biped("XYZ", "Dancer")
    slot = action.slots.new(id_type="OBJECT", name="Dancer")
    importlib.import_module(f"{door.package}.rig.compat").assign_action(dancer, action, slot)
    for number, bone in enumerate(("hips", "spine", "head", "arm.L", "thigh.R")):
        key_turns(dancer, bone, partial(swing, number=number))
    keys = curve_values(action)
    walk = assert_round_trip(door, walker)
    assert "ik_foot.L" in walk.skeleton.names
    dance = door.read_motion(dancer)
    assert dance.skeleton.names[0] == "hips"
    axes, _ = poses(dancer, range(1, 102, 10))
    written = door.write_motion(dancer, dance, "Dance", source_action=action)
    assert [slot.identifier for slot in written.slots if slot.target_id_type == "OBJECT"] == ["OBDancer"]
    door.play(dancer, written)
    assert door.angle_between(axes, poses(dancer, range(1, 102, 10))[0]).max() < 1e-4
    assert curve_values(action) == keys


def capture(path: Path, frames: int = 40) -> Path:
    """A BVH file as Rokoko writes it: centimetres, and place and rotation of every joint, Y first, at 100 frames a
    second."""
    joints = [("Hips", 0, "0 96 0"), ("Spine", 1, "0 12 0"), ("Head", 2, "0 45 0")]
    for side, x in (("Left", 10), ("Right", -10)):
        joints += [(f"{side}Thigh", 1, f"{x} -4 0"), (f"{side}Shin", 2, "0 -42 0"), (f"{side}Foot", 3, "0 -42 0")]
    lines, depth = ["HIERARCHY"], -1
    for name, level, offset in joints:
        while depth >= level:
            lines.append("}")
            depth -= 1
        lines += [
            f"{'JOINT' if level else 'ROOT'} {name}",
            "{",
            f"OFFSET {offset}",
            "CHANNELS 6 Xposition Yposition Zposition Yrotation Xrotation Zrotation",
        ]
        if name in ("Head", "LeftFoot", "RightFoot"):
            lines += ["End Site", "{", "OFFSET 0 0 15", "}"]
        depth = level
    lines += ["}"] * (depth + 1) + ["MOTION", f"Frames: {frames}", "Frame Time: 0.01"]
    for frame in range(frames):
        row: list[float] = []
        for number, (name, _, offset) in enumerate(joints):
            place = [float(value) for value in offset.split()]
            if name == "Hips":
                place = [3.0 * math.sin(0.2 * frame), 94.0 + math.cos(0.4 * frame), 2.0 * frame]
            swing_of = 25.0 * math.sin(0.2 * frame + number)
            row += [*place, swing_of, 0.6 * swing_of, -0.3 * swing_of]
        lines.append(" ".join(f"{value:.6f}" for value in row))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_captured_motion_that_keys_the_place_of_every_joint(door: SimpleNamespace, tmp_path: Path) -> None:
    importlib.import_module("addon_utils").enable("io_anim_bvh", default_set=True)
    path = capture(tmp_path / "capture.bvh")
    bpy.ops.import_anim.bvh(filepath=str(path), global_scale=0.01, update_scene_fps=True, update_scene_duration=True)
    ob = bpy.context.object
    motion = assert_round_trip(door, ob)
    assert motion.skeleton.names[0] == "Hips"
    assert motion.skeleton.joints == 9
    assert motion.fps == pytest.approx(100.0)
    assert motion.frames == 40
    # places of joints that stand where they rest are keyed, but say nothing
    assert motion.skeleton.translated == ()
    height = motion.root_positions()[:, 2] * motion.skeleton.unit
    np.testing.assert_allclose(height, 0.94 + 0.01 * np.cos(0.4 * np.arange(40)), atol=1e-4)
    source = ob.animation_data.action
    assert set(channels(door, bpy.data.actions["Written"])) == set(channels(door, source))
