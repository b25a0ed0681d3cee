"""Cycles in Blender: a short cyclic action is learned, and its variations are cycles again."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest

from tests.support.rigs.biped import add_biped, world_pose

CYCLE_FRAMES = 24
"""Frames of a cycle: a second at 24 frames a second."""


@pytest.fixture
def walker(riff: ModuleType, models: Path) -> bpy.types.Object:
    """A biped that walks in place for 24 frames with Cycles modifiers, as game packs have it."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.0
    biped = add_biped("XYZ")
    for number, name in enumerate(("thigh.L", "thigh.R", "shin.L", "shin.R", "arm.L", "arm.R", "spine")):
        bone = biped.pose.bones[name]
        for frame in range(0, CYCLE_FRAMES + 1, 4):
            phase = 2 * math.pi * (frame / CYCLE_FRAMES + 0.5 * (number % 2))
            bone.rotation_euler = (0.4 * math.sin(phase), 0.1 * math.cos(phase), 0.0)
            bone.keyframe_insert("rotation_euler", frame=frame + 1)
    for curve in curves(biped.animation_data.action):
        curve.modifiers.new("CYCLES")
    bpy.ops.riff.refresh_models()
    return biped


def curves(action: bpy.types.Action) -> bpy.types.bpy_prop_collection:
    return action.layers[0].strips[0].channelbags[0].fcurves


def variations() -> list[bpy.types.Action]:
    return [action for action in bpy.data.actions if action.get("riff_model")]


def test_a_cycle_of_a_second_is_learned_and_its_variations_repeat_like_it(walker: bpy.types.Object) -> None:
    assert bpy.ops.riff.generate(count=2) == {"FINISHED"}
    made = variations()
    assert len(made) == 2
    assert bpy.context.window_manager.riff.models[0].detail.startswith("1.0 s cycle")
    source = walker.animation_data.action
    poses = {frame: world_pose(walker, frame) for frame in (5, 13)}
    for action in made:
        assert tuple(action.frame_range) == (1.0, 1.0 + CYCLE_FRAMES)
        assert action.use_frame_range
        assert action.use_cyclic
        assert {modifier.type for curve in curves(action) for modifier in curve.modifiers} == {"CYCLES"}
        walker.animation_data.action = action
        walker.animation_data.action_slot = action.slots[0]
        for frame, pose in poses.items():
            now, ten_cycles_on = world_pose(walker, frame), world_pose(walker, frame + 10 * CYCLE_FRAMES)
            apart = max(np.abs(now[bone] - pose[bone]).max() for bone in pose)
            assert 1e-3 < apart < 0.5, "no variation of the walk in its phase"
            assert max(np.abs(now[bone] - ten_cycles_on[bone]).max() for bone in pose) < 1e-5
    walker.animation_data.action = source


def test_loops_can_be_turned_off_and_on(riff: ModuleType, walker: bpy.types.Object) -> None:
    assert bpy.ops.riff.generate(count=1, loop="OFF", frames=100) == {"FINISHED"}
    take = variations()[0]
    assert tuple(take.frame_range) == (1.0, 100.0)
    assert not take.use_cyclic
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.instant_model()
    assert bpy.ops.riff.generate(count=1, loop="ON", frames=80) == {"FINISHED"}
    loop = next(action for action in variations() if action.get("riff_loop"))
    assert loop.use_cyclic
    assert tuple(loop.frame_range) == (1.0, 80.0)
    assert not any(curve.modifiers for curve in curves(loop)), "the dance has no modifiers to pass on"
    bpy.context.object.animation_data.action = loop
    bpy.context.object.animation_data.action_slot = loop.slots[0]
    ends = [world_pose(bpy.context.object, frame) for frame in (1, 80)]
    assert max(np.abs(ends[0][bone] - ends[1][bone]).max() for bone in ends[0]) < 1e-4


def test_more_like_a_loop_are_loops(walker: bpy.types.Object) -> None:
    assert bpy.ops.riff.generate(count=1) == {"FINISHED"}
    bpy.context.scene.riff.count = 1
    assert bpy.ops.riff.more_like_this(action=variations()[0].name) == {"FINISHED"}
    assert len(variations()) == 2
    assert all(action["riff_loop"] and action.use_cyclic for action in variations())


def test_undo_takes_a_loop_back_in_one_step(walker: bpy.types.Object) -> None:
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.riff.generate("EXEC_DEFAULT", True, count=1)
    assert len(variations()) == 1
    bpy.ops.ed.undo()
    assert variations() == []


def test_a_short_action_that_is_no_cycle_is_told_the_way_out(walker: bpy.types.Object) -> None:
    action = walker.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 16
    with pytest.raises(RuntimeError, match=r"or from a cycle of 0\.5 s that ends as it begins"):
        bpy.ops.riff.generate(count=1)
    assert variations() == []
