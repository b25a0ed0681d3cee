"""Writing an action: what it holds, what it leaves alone, and for which armatures it refuses."""

from __future__ import annotations

import importlib
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.biped import add_biped, add_dancing_biped, curve_values, key, state_of_file, world_pose


@pytest.fixture
def door(riff: ModuleType) -> SimpleNamespace:
    errors = importlib.import_module(f"{riff.__name__}.core.errors")
    return SimpleNamespace(
        read_motion=importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion,
        write_motion=importlib.import_module(f"{riff.__name__}.rig.writing.write").write_motion,
        assign_action=importlib.import_module(f"{riff.__name__}.rig.compat").assign_action,
        ClipError=errors.ClipError,
        ModelError=errors.ModelError,
    )


def curves_of(action: Any) -> dict[tuple[str, int], Any]:
    bag = action.layers[0].strips[0].channelbags[0]
    return {(curve.data_path, curve.array_index): curve for curve in bag.fcurves}


def test_source_and_file_stay_as_they_were(door: SimpleNamespace) -> None:
    biped = add_dancing_biped("XYZ")
    source = biped.animation_data.action
    motion = door.read_motion(biped)
    bpy.context.scene.frame_set(17)
    keys, before = curve_values(source), state_of_file()
    action = door.write_motion(biped, motion, "Written", source_action=source)
    assert curve_values(source) == keys
    bpy.data.actions.remove(action)
    assert state_of_file() == before


def test_the_new_action(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    motion = door.read_motion(biped)
    properties = {"riff_model": "Salsa", "riff_seed": 7, "riff_settings": {"frames": 60}}
    action = door.write_motion(
        biped, motion, "Variation", source_action=biped.animation_data.action, properties=properties
    )
    assert action.name == "Variation"
    assert action.use_fake_user
    assert action.asset_data is None, "assets are made of what is kept"
    assert [(slot.identifier, slot.target_id_type) for slot in action.slots] == [("OBBiped", "OBJECT")]
    assert (action["riff_model"], action["riff_seed"], action["riff_settings"]["frames"]) == ("Salsa", 7, 60)
    assert action.frame_range[:] == (1.0, float(motion.frames))
    points = [point for curve in curves_of(action).values() for point in curve.keyframe_points]
    assert {(point.type, point.interpolation) for point in points} == {("GENERATED", "LINEAR")}
    assert not any(point.select_control_point for point in points)
    hips = curves_of(action)['pose.bones["hips"].location', 0]
    assert hips.group.name == "hips"
    assert [point.co[0] for point in hips.keyframe_points] == list(range(1, motion.frames + 1))


def test_only_what_the_source_keys(door: SimpleNamespace) -> None:
    biped = add_dancing_biped(still=("root", "head", "foot.L"))
    action = door.write_motion(biped, door.read_motion(biped), "Written", source_action=biped.animation_data.action)
    assert set(curves_of(action)) == set(curves_of(biped.animation_data.action))


def test_what_stands_still_gets_one_key(door: SimpleNamespace) -> None:
    biped = add_dancing_biped(still=("root", "foot.L"))
    key(biped, "foot.L", "rotation_quaternion", lambda t: (0.8, 0.6, 0.0, 0.0))
    key(biped, "head", "scale", lambda t: (1.1, 1.2, 1.3))
    biped["mood"] = 1.0
    biped.keyframe_insert('["mood"]', frame=1)
    biped.keyframe_insert('["mood"]', frame=20)
    action = door.write_motion(biped, door.read_motion(biped), "Written", source_action=biped.animation_data.action)
    curves = curves_of(action)
    for path, index, value in (
        ('pose.bones["foot.L"].rotation_quaternion', 0, 0.8),
        ('pose.bones["foot.L"].rotation_quaternion', 1, 0.6),
        ('pose.bones["head"].scale', 2, 1.3),
        ('["mood"]', 0, 1.0),
    ):
        assert [point.co[1] for point in curves[path, index].keyframe_points] == pytest.approx([value], abs=1e-5), path


def test_frame_start(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    motion = door.read_motion(biped)
    source = biped.animation_data.action
    action = door.write_motion(biped, motion, "Later", source_action=source, frame_start=-20)
    assert action.frame_range[:] == (-20.0, motion.frames - 21.0)
    again = door.read_motion(biped, action)
    assert np.allclose(again.positions(), motion.positions(), atol=1e-4)


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "ZYX"])
def test_curves_do_not_jump(door: SimpleNamespace, mode: str) -> None:
    biped = add_biped(mode)
    key(biped, "hips", "location", lambda t: (t, 0.0, 0.0))
    path = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(mode, "rotation_euler")
    rotations = {
        "rotation_quaternion": lambda t: (np.cos(1.5 * t), np.sin(1.5 * t), 0.0, 0.0),
        "rotation_axis_angle": lambda t: (3.0 * t, 0.0, 0.6, 0.8),
        "rotation_euler": lambda t: (3.0 * t, 0.4, -2.0 * t),
    }
    key(biped, "hips", path, rotations[path])
    action = door.write_motion(biped, door.read_motion(biped), "Written", source_action=biped.animation_data.action)
    for (written, _), curve in curves_of(action).items():
        if written.endswith(path):
            values = np.array([point.co[1] for point in curve.keyframe_points])
            assert np.abs(np.diff(values)).max(initial=0.0) < 0.3


def test_assign_action(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    played = biped.animation_data.action
    action = door.write_motion(biped, door.read_motion(biped), "Written", source_action=played)
    assert biped.animation_data.action == played
    biped.name = "Renamed"
    door.assign_action(biped, action)
    assert biped.animation_data.action == action
    assert biped.animation_data.action_slot == action.slots[0]
    assert not np.allclose(world_pose(biped, 10)["foot.L"], world_pose(biped, 40)["foot.L"], atol=0.01)
    fresh = bpy.data.objects.new("Fresh", biped.data)
    bpy.context.scene.collection.objects.link(fresh)
    door.assign_action(fresh, action)
    assert fresh.animation_data.action_slot == action.slots[0]


def test_refuses_an_action_without_a_slot_for_objects(door: SimpleNamespace) -> None:
    biped = add_biped()
    action = bpy.data.actions.new("Colours")
    action.slots.new(id_type="MATERIAL", name="Skin")
    with pytest.raises(door.ClipError, match="“Colours” has no slot"):
        door.assign_action(biped, action)
    assert biped.animation_data is None


def remove_bone(biped: Any) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    biped.data.edit_bones.remove(biped.data.edit_bones["foot.L"])
    bpy.ops.object.mode_set(mode="OBJECT")


def hang_elsewhere(biped: Any) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    biped.data.edit_bones["arm.L"].parent = biped.data.edit_bones["hips"]
    bpy.ops.object.mode_set(mode="OBJECT")


def stop_inheriting(biped: Any) -> None:
    biped.data.bones["arm.L"].use_inherit_rotation = False


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (remove_bone, "ModelError", "“Biped” has no bone “foot.L”"),
        (hang_elsewhere, "ModelError", "“arm.L” of “Biped” has a different parent"),
        (stop_inheriting, "ClipError", "“arm.L” does not inherit its parent's rotation"),
    ],
)
def test_refuses_another_armature(door: SimpleNamespace, change: object, error: str, sentence: str) -> None:
    biped = add_dancing_biped()
    motion = door.read_motion(biped)
    assert callable(change)
    change(biped)
    before = state_of_file()
    with pytest.raises(getattr(door, error), match=sentence):
        door.write_motion(biped, motion, "Written", source_action=biped.animation_data.action)
    assert state_of_file() == before


def test_a_property_that_cannot_be_stored_leaves_nothing_behind(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    motion = door.read_motion(biped)
    before = state_of_file()
    with pytest.raises((TypeError, OverflowError)):
        door.write_motion(biped, motion, "Written", properties={"riff_seed": 2**80})
    assert state_of_file() == before
