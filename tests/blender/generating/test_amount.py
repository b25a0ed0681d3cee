"""Amount of Variation in Blender: an action between source and variation, changed again, told where it cannot be."""

from __future__ import annotations

import importlib
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest


@pytest.fixture
def dancer(short_dancer: Any) -> Any:
    """The dancer with one instant variation."""
    assert bpy.ops.riff.generate(count=1) == {"FINISHED"}
    return short_dancer


class Rows(list[Any]):
    """A collection property's rows, as the operator has them."""

    def add(self) -> Any:
        self.append(SimpleNamespace())
        return self[-1]


def rows() -> Any:
    return bpy.context.window_manager.riff.variations


def curves(action: bpy.types.Action) -> Any:
    return action.layers[0].strips[0].channelbag(action.slots[0]).fcurves


def values(action: bpy.types.Action, bone: str) -> np.ndarray:
    found = [one for one in curves(action) if f'"{bone}"' in one.data_path and "rotation" in one.data_path]
    assert found
    return np.array([[curve.evaluate(frame) for frame in range(1, 120)] for curve in found])


def made() -> list[bpy.types.Action]:
    return [action for action in bpy.data.actions if action.get("riff_amount") is not None]


def test_an_action_between_source_and_variation(dancer: bpy.types.Object) -> None:
    source, full = dancer.animation_data.action, bpy.data.actions[rows()[0].name]
    assert bpy.ops.riff.set_amount(action=full.name, amount=0.5) == {"FINISHED"}
    (half,) = made()
    assert half.name.endswith("50%")
    assert half["riff_full"] == full.name
    assert dancer.animation_data.action == source
    bone = next(one.name for one in dancer.pose.bones if "arm" in one.name.lower())
    ends = np.abs(values(full, bone) - values(source, bone)).mean()
    for end in (source, full):
        assert 0.0 < np.abs(values(half, bone) - values(end, bone)).mean() < ends


def test_at_its_ends_it_is_the_source_and_the_variation(dancer: bpy.types.Object) -> None:
    source, full = dancer.animation_data.action, bpy.data.actions[rows()[0].name]
    for amount, end in ((0.0, source), (1.0, full)):
        bpy.ops.riff.set_amount(action=full.name, amount=amount)
        (action,) = [one for one in made() if one["riff_amount"] == amount]
        for bone in dancer.pose.bones.keys()[:6]:
            if any(f'"{bone}"' in one.data_path and "rotation" in one.data_path for one in curves(action)):
                assert np.abs(values(action, bone) - values(end, bone)).max() < 2e-3


def test_the_amount_of_one_that_is_shown_is_changed_in_its_place(dancer: bpy.types.Object) -> None:
    full = bpy.data.actions[rows()[0].name]
    bpy.ops.riff.set_amount(action=full.name, amount=0.5)
    (half,) = made()
    bpy.ops.riff.show_action(action=half.name)
    bpy.ops.riff.set_amount(amount=0.25)
    (quarter,) = made()
    assert quarter["riff_amount"] == pytest.approx(0.25)
    assert quarter["riff_full"] == full.name
    assert dancer.animation_data.action == quarter
    assert {row.name for row in rows()} == {full.name, quarter.name}
    quarter["riff_kept"] = True
    bpy.ops.riff.set_amount(amount=0.75)
    assert len(made()) == 2


def test_one_that_the_user_plays_elsewhere_stays(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.set_amount(action=rows()[0].name, amount=0.5)
    (half,) = made()
    other = bpy.data.objects.new("Other", dancer.data)
    bpy.context.collection.objects.link(other)
    other.animation_data_create().action = half
    bpy.ops.riff.set_amount(action=half.name, amount=0.25)
    assert len(made()) == 2
    assert other.animation_data.action == half


def test_parts_have_shares(riff: ModuleType, dancer: bpy.types.Object) -> None:
    full = rows()[0].name
    motion = importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(dancer)
    parts = importlib.import_module(f"{riff.__name__}.core.motion.body_parts").find_parts(motion.skeleton)
    shares = [{"name": part.name, "factor": 0.0} for part in parts]
    assert bpy.ops.riff.set_amount(action=full, amount=1.0, parts=shares) == {"FINISHED"}
    source = dancer.animation_data.action
    for bone in dancer.pose.bones.keys()[:6]:
        if any(f'"{bone}"' in one.data_path and "rotation" in one.data_path for one in curves(made()[0])):
            assert np.abs(values(made()[0], bone) - values(source, bone)).max() < 2e-3
    with pytest.raises(RuntimeError, match="no body part “Wing”"):
        bpy.ops.riff.set_amount(action=full, parts=[{"name": "Wing", "factor": 0.5}])


def test_the_dialog_lists_the_body_parts(riff: ModuleType, dancer: bpy.types.Object) -> None:
    part_amounts = importlib.import_module(f"{riff.__name__}.state.shown.part_amounts")
    rows = Rows()
    part_amounts.fill_parts(rows, dancer, bpy.context.scene)
    assert {"Left Arm", "Right Leg"} <= {row.name for row in rows}
    dancer.animation_data_clear()
    dancer.name = "Another"
    part_amounts.fill_parts(rows, dancer, bpy.context.scene)
    assert not rows


def test_without_its_source_it_is_told(dancer: bpy.types.Object) -> None:
    full = bpy.data.actions[rows()[0].name]
    full["riff_source"] = "Gone"
    before = len(bpy.data.actions)
    with pytest.raises(RuntimeError, match="no longer in the file"):
        bpy.ops.riff.set_amount(action=full.name)
    assert len(bpy.data.actions) == before


def test_a_source_is_no_variation(dancer: bpy.types.Object) -> None:
    for action in [bpy.data.actions[row.name] for row in rows()]:
        bpy.data.actions.remove(action)
    bpy.ops.riff.refresh_models()
    with pytest.raises(RuntimeError, match="Choose a variation"):
        bpy.ops.riff.set_amount()
