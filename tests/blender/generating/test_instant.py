"""Instant models: variations at the first click, without training and without PyTorch."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.editing.beside import Beside


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.refresh_models()
    return bpy.context.object


def model_rows() -> Any:
    return bpy.context.window_manager.riff.models


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.rglob("*") if path.is_file() and "log" not in path.name)


def values(action: bpy.types.Action) -> np.ndarray:
    fcurves = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves
    first, last = (int(frame) for frame in action.frame_range)
    return np.array([[curve.evaluate(frame) for frame in range(first, last + 1)] for curve in fcurves])


def test_generate_without_a_model_makes_an_instant_one(dancer: bpy.types.Object, models: Path) -> None:
    source = dancer.animation_data.action
    assert not len(model_rows())
    assert bpy.ops.riff.generate(count=2) == {"FINISHED"}
    assert [row.label for row in model_rows()] == ["Sample Dance Instant"]
    assert "instant" in model_rows()[0].detail
    variations = [action for action in bpy.data.actions if action.get("riff_model") == "Sample Dance Instant"]
    assert len(variations) == 2
    assert dancer.animation_data.action == source
    one, other = (values(action) for action in variations)
    assert one.shape == other.shape
    assert np.abs(one - other).max() > 0.1, "two variations are the same"
    bpy.ops.riff.generate(count=1)
    assert len(model_rows()) == 1, "the model that is there is used again"


def test_an_instant_model_is_measured(dancer: bpy.types.Object, models: Path) -> None:
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    bpy.ops.riff.refresh_models()
    assert model_rows()[0].quality in ("Good", "Fair", "Poor")
    assert "of the source's moves appear" in model_rows()[0].figures
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    assert {row.name for row in model_rows()} == {"Sample Dance Instant", "Sample Dance Instant.001"}
    active = bpy.context.window_manager.riff.active_model
    assert model_rows()[active].name == "Sample Dance Instant.001", "the new model is not chosen"


def test_in_a_window_the_model_is_there_before_it_is_measured(dancer: bpy.types.Object, models: Path) -> None:
    operator = Beside("instant_model")
    operator.click()
    until = time.monotonic() + 60
    while operator.running and time.monotonic() < until:
        operator.pulse()
        time.sleep(0.005)
    assert operator.words == ["Made the model “Sample Dance Instant”"]
    assert [row.label for row in model_rows()] == ["Sample Dance Instant"]


def test_esc_leaves_nothing(dancer: bpy.types.Object, models: Path) -> None:
    before = files(models)
    operator = Beside("instant_model")
    operator.click()
    operator.pulse()
    operator.escape()
    assert not operator.running
    until = time.monotonic() + 30
    while files(models) != before and time.monotonic() < until:
        time.sleep(0.05)
    assert files(models) == before
    assert not len(model_rows())


def test_a_clip_under_two_seconds_is_refused_and_leaves_nothing(dancer: bpy.types.Object, models: Path) -> None:
    action = dancer.animation_data.action
    action.use_frame_range = True
    action.frame_start, action.frame_end = 1, 20
    before = files(models)
    for operator in (bpy.ops.riff.instant_model, bpy.ops.riff.generate):
        with pytest.raises(RuntimeError, match="learns from at least 2 s"):
            operator()
    assert files(models) == before
    assert list(bpy.data.actions) == [action]


def test_an_armature_without_an_action_cannot_generate(riff: ModuleType, models: Path) -> None:
    armature = bpy.data.objects.new("Still", bpy.data.armatures.new("Still"))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    with pytest.raises(RuntimeError, match="no action"):
        bpy.ops.riff.generate()
