"""A model on a character of the same bones and another size: its feet are on the ground, and the panel says so."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest

FEET = ("foot.L", "foot.R", "toe.L", "toe.R")


@pytest.fixture
def model(riff: ModuleType, models: Path) -> None:
    """The model that the dancer brings."""
    path = importlib.import_module(f"{riff.__name__}.sample.dancer").MODEL
    shutil.copy(path, models / "Sample Dancer.safetensors")
    bpy.ops.riff.refresh_models()


def add_dancer(legs: float, whole: float = 1.0) -> bpy.types.Object:
    """The sample dancer with other legs, or another size altogether, still with her feet on the ground at rest."""
    bpy.ops.riff.add_sample_dancer()
    dancer = bpy.context.object
    bpy.ops.object.mode_set(mode="EDIT")
    bones = dancer.data.edit_bones
    heads = {bone.name: (bone.head * whole, bone.tail * whole) for bone in bones}
    drop = (legs - 1.0) * heads["thigh.L"][0].z
    for bone in bones:
        head, tail = (place.copy() for place in heads[bone.name])
        if bone.name.startswith(("thigh", "shin", "foot", "toe")):
            head.z, tail.z = head.z * legs, tail.z * legs
        else:
            head.z, tail.z = head.z + drop, tail.z + drop
        bone.head, bone.tail = head, tail
    bpy.ops.object.mode_set(mode="OBJECT")
    return dancer


def heights(ob: bpy.types.Object, action: bpy.types.Action) -> dict[str, np.ndarray]:
    """Heights in the world of hips, feet and toes over the action."""
    ob.animation_data.action, ob.animation_data.action_slot = action, action.slots[0]
    rows: dict[str, list[float]] = {name: [] for name in ("hips", *FEET)}
    for frame in range(1, int(action.frame_range[1]) + 1, 5):
        bpy.context.scene.frame_set(frame)
        for name in rows:
            rows[name].append(float((ob.matrix_world @ ob.pose.bones[name].matrix).translation.z))
    return {name: np.array(row) for name, row in rows.items()}


def generated(ob: bpy.types.Object) -> dict[str, np.ndarray]:
    before = set(bpy.data.actions)
    assert bpy.ops.riff.generate(count=1, seed=3) == {"FINISHED"}
    (made,) = set(bpy.data.actions) - before
    return heights(ob, made)


@pytest.mark.parametrize(("legs", "whole"), [(1.0, 0.5), (1.0, 2.2), (1.15, 1.0), (0.85, 1.0), (1.3, 1.4)])
def test_feet_stand_on_the_ground_and_hips_are_at_their_own_height(
    riff: ModuleType, model: None, legs: float, whole: float
) -> None:
    own = generated(add_dancer(1.0))
    bpy.ops.wm.read_homefile(use_empty=True)
    other = add_dancer(legs, whole)
    rest = {name: other.data.bones[name].head_local.z for name in FEET}
    size = legs * whole
    found = generated(other)
    np.testing.assert_allclose(found["hips"].mean(), own["hips"].mean() * size, rtol=0.03)
    for name in FEET:
        low = np.percentile(found[name], 10) - rest[name]
        wanted = (np.percentile(own[name], 10) - rest[name] / size) * size
        assert abs(low - wanted) < 0.02 * size, (name, low, wanted)


def test_the_list_says_that_the_size_is_adapted(riff: ModuleType, model: None) -> None:
    fit = importlib.import_module(f"{riff.__name__}.state.model_fit")

    def told(ob: bpy.types.Object) -> str:
        row = bpy.context.window_manager.riff.models[0]
        fit.forget()
        assert fit.fit_of(ob, row) is None
        fit.update_fits()
        found = fit.fit_of(ob, row)
        assert found is not None
        assert found.problem == ""
        return str(found.sentence)

    dancer = add_dancer(1.0)
    assert told(dancer) == ""
    dancer.scale = (2.0,) * 3
    bpy.context.view_layer.update()
    assert told(dancer) == "size adapted: legs 2.00 times as long"
    bpy.ops.wm.read_homefile(use_empty=True)
    assert "size adapted: legs 1.3" in told(add_dancer(1.4))
    assert told(add_dancer(0.5)).startswith("size adapted: legs 0.5")
