"""Takes of a biped with the timing and the course of a quadruped: pairs of bones, the operator, scripts."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.composing import compose
from tests.support.rigs.beast import LAST, PAIRS, add_stepping_biped
from tests.support.rigs.biped import state_of_file


def read(riff: ModuleType, ob: Any, action: Any) -> Any:
    return importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(ob, action)


def ahead(motion: Any, bone: str) -> np.ndarray:
    """Distance of a foot ahead of the body in each frame, as the body faces, less its mean."""
    facing = importlib.import_module(f"{motion.__class__.__module__.rpartition('.motion.motion')[0]}.driving.facing")
    course = facing.Course.of(motion)
    way = motion.positions()[:, motion.skeleton.names.index(bone), :2] - motion.root_positions()[:, :2]
    along = way[:, 0] * np.cos(course.heading) + way[:, 1] * np.sin(course.heading)
    return np.asarray(along - along.mean())


def test_a_beast_tells_when_to_step_and_where_to_go(riff: ModuleType, bodies: tuple[Any, Any]) -> None:
    biped, beast = bodies
    bpy.ops.ed.undo_push(message="Before")
    made = compose(bpy.ops.riff.drive, armature="Beast", pairs=PAIRS, count=2, seed=4, scale=1.0)
    assert len(made) == 2
    guide = read(riff, beast, beast.animation_data.action)
    for action in made:
        assert tuple(action.frame_range) == (11.0, LAST)
        assert action["riff_driver"] == "Beast: Prowl"
        take = read(riff, biped, action)
        for own, other in (("foot.L", "HindPawLeft"), ("foot.R", "HindPawRight")):
            assert np.corrcoef(ahead(take, own), ahead(guide, other))[0, 1] > 0.8
        ours, theirs = (one.root_positions()[:, :2] - one.origin for one in (take, guide))
        scale = np.linalg.norm(ours[-1]) / np.linalg.norm(theirs[-1])
        assert 0.3 < scale < 3.0
        assert np.abs(ours - scale * theirs).max() < 0.1 * scale * np.linalg.norm(theirs[-1])
    assert biped.animation_data.action.name == "Step"
    assert beast.animation_data.action.name == "Prowl"
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert not [action for action in bpy.data.actions if "Driven" in action.name]


def test_the_list_of_pairs(riff: ModuleType, bodies: tuple[Any, Any]) -> None:
    biped, beast = bodies
    with pytest.raises(RuntimeError, match="Choose a driver first"):
        bpy.ops.riff.pair_bones()
    biped.riff_driving.driver = beast
    assert bpy.ops.riff.pair_bones() == {"FINISHED"}
    pairs = {pair.name: pair.other for pair in biped.riff_driving.pairs}
    assert {"hips": "Pelvis", "head": "Skull"}.items() <= pairs.items()
    assert {pairs["foot.L"], pairs["foot.R"]} == {"HindPawLeft", "HindPawRight"}
    made = compose(bpy.ops.riff.drive, length=60, variation=0.0, scale=1.0)
    assert tuple(made[0].frame_range) == (11.0, 70.0)
    assert bpy.ops.riff.add_bone_pair() == {"FINISHED"}
    biped.riff_driving.pairs[-1].name = "arm.L"
    with pytest.raises(RuntimeError, match="paired with no bone"):
        bpy.ops.riff.drive()
    assert bpy.ops.riff.remove_bone_pair() == {"FINISHED"}
    assert len(biped.riff_driving.pairs) == len(pairs)


@pytest.mark.parametrize(
    ("choices", "problem"),
    [
        ({"pairs": "hips=Pelvis, head=Skull"}, "Only 2 bones are paired.*“foot.L”, “foot.R” could be paired"),
        ({"pairs": PAIRS.replace("head", "spine.009")}, "has no bone “spine.009”"),
        ({"pairs": PAIRS.replace("Skull", "Horn")}, "The driver has no bone “Horn”"),
        ({"pairs": PAIRS + ", arm.L=Skull"}, "“Skull” of the driver is paired with both “head” and “arm.L”"),
        ({"pairs": PAIRS + ", head=Neck"}, "“head” is paired with both “Skull” and “Neck”"),
        ({"pairs": "hips"}, "“hips” is no pair of bones"),
        ({"armature": "Biped"}, "“Biped” cannot drive itself"),
        ({"armature": "Ghost"}, "no armature “Ghost”"),
        ({"action": "Fly"}, "no action “Fly”"),
        ({}, "own steps go .*% of the driver's way"),
        ({"length": 500}, "lasts 91 frames and does not repeat"),
        ({"length": 3}, "takes at least"),
    ],
)
def test_what_cannot_drive_leaves_the_file_as_it_was(
    riff: ModuleType, bodies: tuple[Any, Any], choices: dict[str, Any], problem: str
) -> None:
    before = state_of_file()
    with pytest.raises(RuntimeError, match=problem):
        bpy.ops.riff.drive(**{"armature": "Beast", "pairs": PAIRS, **choices})
    assert state_of_file() == before


def test_the_armature_has_the_models_bones_under_other_names(riff: ModuleType, bodies: tuple[Any, Any]) -> None:
    biped = bodies[0]
    for bone in biped.data.bones:
        bone.name = f"Rig:{bone.name}"
    pairs = ", ".join(f"Rig:{pair}" for pair in PAIRS.split(", "))
    made = compose(bpy.ops.riff.drive, armature="Beast", pairs=pairs, scale=1.0)
    assert made[0]["riff_pairs"] == pairs
    turns = read(riff, biped, made[0]).rotations()
    assert (
        np.ptp(turns[:, [name.endswith("thigh.L") for name in read(riff, biped, made[0]).skeleton.names]], axis=0).max()
        > 0.1
    )


def test_a_driver_without_an_action(riff: ModuleType, bodies: tuple[Any, Any]) -> None:
    bodies[1].animation_data.action = None
    with pytest.raises(RuntimeError, match="The driver “Beast” has no action"):
        bpy.ops.riff.drive(armature="Beast", pairs=PAIRS)


def test_a_driver_that_was_deleted_in_the_viewport(riff: ModuleType, bodies: tuple[Any, Any]) -> None:
    """The panel's setting keeps it in the file."""
    biped, beast = bodies
    biped.riff_driving.driver = beast
    bpy.context.view_layer.objects.active = beast
    beast.select_set(True)
    biped.select_set(False)
    assert bpy.ops.object.delete() == {"FINISHED"}
    bpy.context.view_layer.objects.active = biped
    before = state_of_file()
    with pytest.raises(RuntimeError, match="“Beast” is in no scene any more; choose another one"):
        bpy.ops.riff.pair_bones()
    for armature in ("", "Beast"):
        with pytest.raises(RuntimeError, match="“Beast” is in no scene any more; choose another one"):
            bpy.ops.riff.drive(armature=armature, pairs=PAIRS)
    assert state_of_file() == before


def test_odd_settings_of_a_file_are_brought_into_their_ranges(
    riff: ModuleType, bodies: tuple[Any, Any], tmp_path: Path
) -> None:
    driving = bodies[0].riff_driving
    stored = driving.bl_system_properties_get() if hasattr(driving, "bl_system_properties_get") else driving
    driving.count, driving.scale, driving.variation = 2, 1.0, 0.5
    stored["count"], stored["scale"], stored["variation"] = 2**31 - 1, float("nan"), -7.0
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "odd.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "odd.blend"))
    read_back: Any = bpy.data.objects["Biped"]
    driving = read_back.riff_driving
    assert (driving.count, driving.scale, driving.variation) == (100, 0.0, 0.0)


def test_scripts(riff: ModuleType, bodies: tuple[Any, Any]) -> None:
    biped, beast = bodies
    api = importlib.import_module(f"{riff.__name__}.api")
    model, driver = api.instant(api.read(biped)), api.read(beast)
    pairs = api.pair_bones(model, driver)
    assert pairs["hips"] == "Pelvis"
    take = api.drive(model, driver, pairs=pairs, seed=2, scale=1.0)[0]
    assert take.frames == driver.frames
    assert api.write(biped, take, "Followed").frame_range[1] == driver.frames
    with pytest.raises(api.RiffError, match="“horn” is not learned"):
        api.drive(model, driver, pairs={**pairs, "horn": "Neck"})


def test_a_driven_take_needs_an_armature_and_a_driver(models: Path) -> None:
    with pytest.raises(RuntimeError, match="Select an armature"):
        bpy.ops.riff.drive()
    add_stepping_biped()
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="No driver is chosen"):
        bpy.ops.riff.drive()
