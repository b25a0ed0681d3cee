"""Bones that copy others, in a live preview and in crowds: they follow what they copy there as in an action."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.biped import add_dancing_biped
from tests.support.rigs.round_trip import poses, shaken
from tests.support.rigs.zoo import add_copies

FRAMES = range(1, 60, 7)


@pytest.fixture
def biped() -> Any:
    biped = add_dancing_biped()
    add_copies(biped)
    return biped


def assert_copied(biped: Any, frames: range) -> None:
    """Each copy is where its foot is, turned against it as always."""
    axes, places = poses(biped, frames)
    assert_together(biped, axes, places)


def assert_together(biped: Any, axes: np.ndarray, places: np.ndarray) -> None:
    bones = [bone.name for bone in biped.pose.bones]
    scale = float(np.linalg.norm(np.array(biped.matrix_world)[:3, 0]))
    for side in "LR":
        copy, foot = bones.index(f"ik_foot.{side}"), bones.index(f"foot.{side}")
        np.testing.assert_allclose(places[:, copy], places[:, foot], atol=2e-4 * max(1.0, scale))
        relative = axes[:, foot].swapaxes(-1, -2) @ axes[:, copy]
        np.testing.assert_allclose(relative, np.repeat(relative[:1], len(relative), axis=0), atol=2e-4)
        assert np.ptp(places[:, copy], axis=0).max() > 0.1, "the copy does not move at all"


def test_in_a_preview(door: SimpleNamespace, biped: Any) -> None:
    module = importlib.import_module(f"{door.package}.rig.writing.preview")
    source = biped.animation_data.action
    motion = door.read_motion(biped)
    scene = bpy.context.scene
    scene.frame_set(20)
    before = [np.array(bone.matrix_basis) for bone in biped.pose.bones]
    preview = module.Preview(biped, source, motion)
    axes, places = [], []
    for frame in FRAMES:
        scene.frame_set(frame)
        preview.show(shaken(motion))
        bpy.context.view_layer.update()
        evaluated = biped.evaluated_get(bpy.context.evaluated_depsgraph_get())
        matrices = np.array([evaluated.matrix_world @ bone.matrix for bone in evaluated.pose.bones])
        axes.append(matrices[:, :3, :3])
        places.append(matrices[:, :3, 3])
    assert_together(biped, np.array(axes), np.array(places))
    scene.frame_set(20)
    preview.show(shaken(motion))
    preview.end()
    after = [np.array(bone.matrix_basis) for bone in biped.pose.bones]
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_in_a_crowd(door: SimpleNamespace, biped: Any, models: Path) -> None:
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60, distance=1.0) == {"FINISHED"}
    members = [ob for ob in bpy.data.objects if ob.get("riff_member")]
    assert len(members) == 2
    for member in members:
        assert_copied(member, FRAMES)


def test_in_a_generated_action(door: SimpleNamespace, biped: Any, models: Path) -> None:
    assert bpy.ops.riff.generate(count=1) == {"FINISHED"}
    door.play(biped, next(action for action in bpy.data.actions if action.get("riff_model")))
    assert_copied(biped, FRAMES)
