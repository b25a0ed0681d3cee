"""Roots, copies, constant offsets and feet on rigs made here, as people's files have them."""

from __future__ import annotations

import importlib
import math
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Quaternion, Vector

from tests.support.rigs.biped import add_biped, add_dancing_biped, key, key_turns
from tests.support.rigs.round_trip import assert_round_trip, poses, shaken
from tests.support.rigs.walkers import add_control_biped, in_bone, key_bone
from tests.support.rigs.zoo import Bones, add_bones, add_copies, add_rig

CYCLE_FRAMES = 24
"""Frames of a step of each foot."""


def gentle(t: float, number: int) -> Matrix:
    return Matrix.Rotation(0.3 * math.sin(t + number), 3, "X")


def wriggle(t: float, number: int) -> Matrix:
    return Matrix.Rotation(0.2 * math.sin(t + number), 3, "Z")


def parts_of(door: SimpleNamespace, motion: Any) -> dict[str, set[str]]:
    module = importlib.import_module(f"{door.package}.core.motion.body_parts")
    names = motion.skeleton.names
    return {part.name: {names[joint] for joint in part.joints} for part in module.find_parts(motion.skeleton)}


def feet(motion: Any) -> set[str]:
    return {motion.skeleton.names[joint] for joint in motion.skeleton.contacts}


def test_resting_hips_are_the_root_of_an_idle_on_controls(door: SimpleNamespace) -> None:
    biped = add_control_biped()
    key(biped, "body", "location", lambda t: (0.0, 0.0, 0.02))
    for number, bone in enumerate(("head", "arm.L")):
        key_turns(biped, bone, partial(gentle, number=number))
    motion = assert_round_trip(door, biped)
    assert motion.skeleton.names[0] == "body"
    assert np.ptp(motion.root_positions(), axis=0).max() < 1e-5


def test_common_ancestor_is_the_root_where_no_hips_have_keys(door: SimpleNamespace) -> None:
    biped = add_control_biped()
    for number, bone in enumerate(("head", "arm.L")):
        key_turns(biped, bone, partial(gentle, number=number))
    assert assert_round_trip(door, biped).skeleton.names[0] == "spine"


def test_resting_hips_with_keys_are_the_root_of_bones(door: SimpleNamespace) -> None:
    biped = add_biped()
    key(biped, "hips", "location", lambda t: (0.0, 0.0, 0.0))
    key_turns(biped, "head", lambda t: gentle(t, 0))
    motion = assert_round_trip(door, biped)
    assert motion.skeleton.names[0] == "hips"
    assert "Left Leg" in parts_of(door, motion)


def test_bones_that_copy_others_are_written_as_copies(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    add_copies(biped)
    source = biped.animation_data.action
    motion = assert_round_trip(door, biped)
    assert not [name for name in motion.skeleton.names if name.startswith("ik_")]
    assert "Tail" not in parts_of(door, motion)
    door.play(biped, door.write_motion(biped, shaken(motion), "Shaken", source_action=source))
    axes, places = poses(biped, range(1, 102, 5))
    bones = [bone.name for bone in biped.pose.bones]
    for side in "LR":
        copy, foot = bones.index(f"ik_foot.{side}"), bones.index(f"foot.{side}")
        np.testing.assert_allclose(places[:, copy], places[:, foot], atol=2e-4)
        relative = axes[:, foot].swapaxes(-1, -2) @ axes[:, copy]
        np.testing.assert_allclose(relative, np.repeat(relative[:1], len(relative), axis=0), atol=1e-4)


def test_a_control_at_a_constant_offset_comes_along(door: SimpleNamespace) -> None:
    """Two controls of the torso, side by side, keyed alike; the second carries the spine."""
    biped = add_control_biped()
    add_bones(biped, {"chest": ("master", (0.0, 0.0, 1.1), (0.0, 0.2, 1.1))})
    bpy.ops.object.mode_set(mode="EDIT")
    biped.data.edit_bones["spine"].use_connect = False
    biped.data.edit_bones["spine"].parent = biped.data.edit_bones["chest"]
    bpy.ops.object.mode_set(mode="OBJECT")
    for step in range(11):
        shift = Vector((0.03 * math.sin(step), -0.3 * step, 0.02 * math.cos(step)))
        for bone, extra in (("body", Vector()), ("chest", Vector((0.0, 0.0, 0.09)))):
            key_bone(biped, bone, 1 + 10 * step, location=in_bone(biped, bone, Matrix.Identity(3), shift + extra)[1])
        key_bone(biped, "head", 1 + 10 * step, turn=Quaternion((1.0, 0.0, 0.0), 0.2 * math.sin(step)))
    motion = assert_round_trip(door, biped)
    assert "chest" in motion.skeleton.names
    features = motion.features.copy()
    features[:, motion.skeleton.root_channel] += 0.02
    source = biped.animation_data.action
    far = door.write_motion(biped, replace(motion, features=features), "Far", source_action=source)
    door.play(biped, far)
    _, places = poses(biped, range(1, 102, 10))
    bones = [bone.name for bone in biped.pose.bones]
    between = places[:, bones.index("chest")] - places[:, bones.index("body")]
    np.testing.assert_allclose(between, np.repeat(between[:1], len(between), axis=0), atol=1e-4)


def test_controls_that_rest_in_one_place(door: SimpleNamespace) -> None:
    rig = add_rig(
        "Spider",
        {
            "front": ("", (0.0, 0.0, 0.5), (0.0, -0.4, 0.5)),
            "back": ("", (0.0, 0.0, 0.5), (0.0, 0.4, 0.5)),
            "leg": ("front", (0.0, 0.0, 0.5), (0.5, 0.0, 0.0)),
        },
    )
    rig.pose.bones["leg"].constraints.new("COPY_ROTATION").target = rig
    rig.pose.bones["leg"].constraints[0].subtarget = "back"
    for step in range(9):
        for number, bone in enumerate(("front", "back")):
            turn = Quaternion((0.0, 0.0, 1.0), 0.3 * math.sin(step + number))
            key_bone(rig, bone, 1 + 8 * step, location=(0.0, 0.0, 0.02 * math.sin(step)), turn=turn)
    assert_round_trip(door, rig)


def test_what_is_not_a_number_is_never_keyed(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    motion = door.read_motion(biped)
    features = motion.features.copy()
    features[7, motion.skeleton.root_channel + 2] = np.nan
    before = len(bpy.data.actions)
    error = importlib.import_module(f"{door.package}.core.errors").ModelError
    with pytest.raises(error, match="not a number"):
        door.write_motion(biped, replace(motion, features=features), "Bad")
    assert len(bpy.data.actions) == before


LEGS: Bones = {
    "hips": ("", (0.0, 0.0, 0.9), (0.0, 0.0, 1.1)),
    "spine": ("hips", (0.0, 0.0, 1.1), (0.0, 0.0, 1.5)),
    "head": ("spine", (0.0, 0.0, 1.5), (0.0, 0.0, 1.8)),
    **{
        name: bone
        for side, x in (("gauche", 0.1), ("droite", -0.1))
        for name, bone in {
            f"bras {side}": ("spine", (2 * x, 0.0, 1.4), (6 * x, 0.0, 1.4)),
            f"main {side}": (f"bras {side}", (6 * x, 0.0, 1.4), (8 * x, 0.0, 1.4)),
            f"cuisse {side}": ("hips", (x, 0.0, 0.9), (x, -0.02, 0.48)),
            f"jambe {side}": (f"cuisse {side}", (x, -0.02, 0.48), (x, 0.0, 0.08)),
            f"pied {side}": (f"jambe {side}", (x, 0.0, 0.08), (x, -0.15, 0.02)),
            f"orteil {side}": (f"pied {side}", (x, -0.15, 0.02), (x, -0.22, 0.02)),
        }.items()
    },
}


def add_walk_in_place(frames: int = 97) -> Any:
    """A biped with French names that walks on the spot: each foot slides back on a belt and swings forward."""
    rig = add_rig("Marcheur", LEGS)
    for frame in range(1, frames + 1):
        for side, phase in (("gauche", 0.0), ("droite", 0.5)):
            part = (frame / CYCLE_FRAMES + phase) % 1.0
            swings = part > 0.55
            along = (part - 0.55) / 0.45 if swings else part / 0.55
            y = 0.25 - 0.5 * along if swings else -0.25 + 0.5 * along
            z = 0.08 + (0.1 * math.sin(math.pi * along) if swings else 0.0)
            reach = math.hypot(y, 0.86 - z)
            bend = math.acos(min(1.0, reach / 0.821))
            lean = math.atan2(y, 0.86 - z)
            for bone, angle in (("cuisse", lean + bend), ("jambe", -2 * bend), ("pied", bend - lean)):
                turn, _ = in_bone(rig, f"{bone} {side}", Matrix.Rotation(angle, 3, "X"), Vector())
                key_bone(rig, f"{bone} {side}", frame, turn=turn)
        bob = 0.01 * math.sin(2 * math.tau * frame / CYCLE_FRAMES) - 0.04
        key_bone(rig, "hips", frame, location=(0.0, bob, 0.0))
    return rig


def test_a_walk_in_place_has_feet_and_legs(door: SimpleNamespace) -> None:
    motion = assert_round_trip(door, add_walk_in_place())
    assert feet(motion) == {f"{bone} {side}" for bone in ("pied", "orteil") for side in ("gauche", "droite")}
    assert {"Left Leg", "Right Leg", "Left Arm", "Right Arm"} <= set(parts_of(door, motion))
    assert 0.35 < motion.contact_labels().mean() < 0.8
    cleanup = importlib.import_module(f"{door.package}.core.motion.feet_cleanup")
    assert abs(cleanup.belt_of(motion)[1]) > 0.02
    assert np.ptp(cleanup.clean_feet(motion, motion).root_positions()[:, :2], axis=0).max() < 1e-6


def test_eight_feet_on_controls(door: SimpleNamespace) -> None:
    """A spider whose feet are single controls on the ground, below a root that rests there too."""
    bones: Bones = {"Root": ("", (0.0, 0.0, 0.0), (0.0, 0.3, 0.0)), "Body": ("Root", (0.0, 0.0, 0.3), (0.0, 0.3, 0.3))}
    for number, y in enumerate((-0.6, -0.2, 0.2, 0.6)):
        for side, x in (("L", 0.8), ("R", -0.8)):
            bones[f"Leg{number}IK.{side}"] = ("Root", (x, y, 0.0), (x, y - 0.1, 0.0))
            bones[f"Shin{number}.{side}"] = ("Body", (0.1 * x, y, 0.3), (x, y, 0.0))
    spider = add_rig("Spider", bones)
    for number in range(4):
        for side in "LR":
            reach = spider.pose.bones[f"Shin{number}.{side}"].constraints.new("IK")
            reach.target, reach.subtarget, reach.chain_count = spider, f"Leg{number}IK.{side}", 1
    for step in range(9):
        frame = 1 + 8 * step
        key_bone(spider, "Root", frame, location=(0.0, -0.1 * step, 0.0))
        for number in range(4):
            for side in "LR":
                lifts = (step + number + (side == "R")) % 2
                shift = Vector((0.0, 0.1 * lifts - 0.05, 0.06 * lifts))
                own = in_bone(spider, f"Leg{number}IK.{side}", Matrix.Identity(3), shift)[1]
                key_bone(spider, f"Leg{number}IK.{side}", frame, location=own)
    motion = assert_round_trip(door, spider)
    assert feet(motion) == {f"Leg{number}IK.{side}" for number in range(4) for side in "LR"}
    assert sum(name.endswith("Leg") for name in parts_of(door, motion)) == 8


def test_no_feet_where_nothing_is_a_leg(door: SimpleNamespace) -> None:
    snake = add_rig(
        "Snake", {f"s{k}": (f"s{k - 1}" if k else "", (0.0, 0.2 * k, 0.0), (0.0, 0.2 * k + 0.2, 0.0)) for k in range(8)}
    )
    for number in range(8):
        key_turns(snake, f"s{number}", partial(wriggle, number=number))
    assert feet(assert_round_trip(door, snake)) == set()


def test_the_sample_dancer_keeps_its_feet(door: SimpleNamespace) -> None:
    dancer = importlib.import_module(f"{door.package}.sample.dancer").add_sample_dancer(bpy.context)
    assert feet(door.read_motion(dancer)) == {"foot.L", "foot.R", "toe.L", "toe.R"}


def test_one_bone_has_the_size_of_its_length(door: SimpleNamespace) -> None:
    door_leaf = add_rig("Door", {"hinge": ("", (0.0, 0.0, 0.0), (0.0, 0.0, 2.0))})
    key_turns(door_leaf, "hinge", lambda t: Matrix.Rotation(0.8 * math.sin(t), 3, "Y"))
    motion = assert_round_trip(door, door_leaf)
    assert 1.8 * motion.skeleton.unit == pytest.approx(2.0)


def test_no_step_of_reading_is_long(door: SimpleNamespace) -> None:
    """Building the motion is cut in steps: a window stays responsive between them."""
    biped = add_dancing_biped()
    read_steps = importlib.import_module(f"{door.package}.rig.reading.read").read_steps
    assert len(list(read_steps(biped, seconds=0.0))) >= 101 + 10
