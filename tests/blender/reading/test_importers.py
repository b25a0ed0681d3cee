"""Files from other programs, and rigs of every kind: read, written, played back by Blender the same."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.round_trip import assert_round_trip
from tests.support.rigs.walkers import add_rigify_quadruped
from tests.support.rigs.zoo import (
    ELEPHANT_FEET,
    IMPORTERS,
    RIGIFY_PAWS,
    Way,
    add_crane,
    add_creature,
    add_fingers,
    add_quadruped,
    baked,
    imported,
    through_bvh,
    through_fbx,
    through_gltf,
)


def dancer(riff: ModuleType, fingers: bool) -> Any:
    bpy.ops.riff.add_sample_dancer()
    found = bpy.context.object
    found.animation_data.action.use_frame_range = True
    found.animation_data.action.frame_start, found.animation_data.action.frame_end = 1, 90
    if fingers:
        add_fingers(found)
    return found


@pytest.mark.parametrize("fingers", [False, True])
@pytest.mark.parametrize("way", [through_bvh, through_fbx, through_gltf])
def test_what_was_imported(riff: ModuleType, door: SimpleNamespace, tmp_path: Path, way: Way, fingers: bool) -> None:
    for addon in IMPORTERS:
        importlib.import_module("addon_utils").enable(addon, default_set=True)
    ob = imported(dancer(riff, fingers), way, tmp_path / "clip")
    motion = assert_round_trip(door, ob)
    skeleton = motion.skeleton
    assert skeleton.joints >= (65 if fingers else 21)
    feet = {skeleton.names[joint].casefold() for joint in skeleton.contacts}
    assert feet == {"foot.l", "foot.r", "toe.l", "toe.r"}, feet
    assert skeleton.names[0] == "hips"


def test_quadruped(door: SimpleNamespace) -> None:
    motion = assert_round_trip(door, add_quadruped())
    feet = {motion.skeleton.names[joint] for joint in motion.skeleton.contacts}
    assert feet == {"front_foot.L", "front_foot.R", "hind_foot.L", "hind_foot.R"}


def test_quadruped_baked_to_its_bones(door: SimpleNamespace) -> None:
    motion = assert_round_trip(door, baked(add_quadruped()))
    feet = {motion.skeleton.names[joint] for joint in motion.skeleton.contacts}
    assert {"front_foot.L", "front_foot.R", "hind_foot.L", "hind_foot.R"} <= feet


def test_rigify_quadruped(door: SimpleNamespace) -> None:
    motion = assert_round_trip(door, add_rigify_quadruped())
    assert {motion.skeleton.names[joint] for joint in motion.skeleton.contacts} == RIGIFY_PAWS
    assert motion.skeleton.names[0] == "torso"


@pytest.mark.parametrize(
    ("name", "feet"),
    [
        ("elephant", ELEPHANT_FEET),
        ("salsa", frozenset({"LeftFoot", "LeftToeBase", "RightFoot", "RightToeBase"})),
        ("walk", frozenset({"LeftFoot", "LeftToeBase", "RightFoot", "RightToeBase"})),
    ],
)
def test_feet_of_real_clips(
    door: SimpleNamespace, clip: Callable[[str], Path], name: str, feet: frozenset[str]
) -> None:
    importlib.import_module("addon_utils").enable("io_anim_bvh", default_set=True)
    bpy.ops.import_anim.bvh(filepath=str(clip(name)), update_scene_fps=True, update_scene_duration=True)
    skeleton = door.read_motion(bpy.context.object).skeleton
    assert {skeleton.names[joint].rpartition(":")[2] for joint in skeleton.contacts} == feet


def test_machine(door: SimpleNamespace) -> None:
    motion = assert_round_trip(door, add_crane())
    assert motion.skeleton.names == ("turntable", "jib", "hook")
    assert motion.skeleton.contacts == ()


def test_creature_of_150_bones(door: SimpleNamespace) -> None:
    motion = assert_round_trip(door, add_creature())
    assert motion.skeleton.joints == 150
    assert motion.skeleton.names[0] == "core"


@pytest.mark.parametrize(("fps", "base"), [(24, 1.0), (25, 1.0), (30, 1.001), (48, 1.0), (60, 1.0), (12, 1.0)])
def test_as_long_as_the_source_at_any_rate(door: SimpleNamespace, fps: int, base: float) -> None:
    core = importlib.import_module(f"{door.package}.core.motion.resampling")
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = fps, base
    crane = add_crane()
    motion = door.read_motion(crane)
    learned = core.resample(motion, 30.0)
    assert learned.duration == pytest.approx(motion.duration, abs=0.5 / 30.0)
    np.testing.assert_allclose(learned.features[[0, -1], :18], motion.features[[0, -1], :18], atol=1e-6)
    back = core.resample(learned, motion.fps)
    assert abs(back.frames - motion.frames) <= (1 if fps > 30 else 0)
    np.testing.assert_allclose(back.features[[0, -1], :18], motion.features[[0, -1], :18], atol=1e-6)
