"""Summary of the motion that Riff would learn, and the user's corrections."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.walkers import add_control_biped, walk_control_biped


@pytest.fixture
def source(riff: ModuleType) -> Iterator[ModuleType]:
    module = importlib.import_module(f"{riff.__name__}.state.armature_summary")
    module.forget()
    yield module
    importlib.import_module(f"{riff.__name__}.rig.background.jobs").stop_all()
    module.forget()


@pytest.fixture
def dancer(riff: ModuleType) -> bpy.types.Object:
    bpy.ops.riff.add_sample_dancer()
    return bpy.context.object


def summary(source: ModuleType, ob: bpy.types.Object) -> Any:
    """Ask as drawing does, then let the timer look."""
    assert source.summary_of(ob) is None
    while source.update_summary() is not None:
        pass
    return source.summary_of(ob)


def test_joints_root_and_feet_are_told(source: ModuleType, dancer: bpy.types.Object) -> None:
    told = summary(source, dancer)
    assert (told.problem, told.joints, told.root) == ("", 21, "hips")
    assert sorted(told.feet) == ["foot.L", "foot.R", "toe.L", "toe.R"]


def test_the_time_of_each_recipe_is_told(riff: ModuleType, source: ModuleType, dancer: bpy.types.Object) -> None:
    source._paces.clear()  # of trainings of this dance in other tests
    told = summary(source, dancer)
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    told.estimate.join()
    tick()
    assert set(told.seconds) == {"fast", "paper", "ganimator"}
    assert 1.0 < told.seconds["fast"] < min(told.seconds["paper"], told.seconds["ganimator"])
    assert told.device


def test_what_cannot_be_learned_is_told(source: ModuleType, dancer: bpy.types.Object) -> None:
    action = dancer.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 31
    assert "at least 2 s" in summary(source, dancer).problem


def test_another_key_or_root_is_looked_at_anew(source: ModuleType, dancer: bpy.types.Object) -> None:
    summary(source, dancer)
    dancer.riff.root = "spine"
    told = summary(source, dancer)
    assert (told.root, "moves" in told.problem) == ("", True)  # the hips above it carry the body


def test_an_armature_of_the_same_name_takes_the_place_of_one_that_is_looked_at(
    riff: ModuleType, source: ModuleType, dancer: bpy.types.Object
) -> None:
    name, action = dancer.name, dancer.animation_data.action
    assert source.summary_of(dancer) is None
    for _ in range(3):
        assert source.update_summary() is not None
    other = dancer.copy()
    bpy.context.collection.objects.link(other)
    bpy.data.objects.remove(dancer)
    other.name = name
    other.animation_data.action = action
    bpy.context.view_layer.objects.active = other
    while source.update_summary() is not None:
        pass
    assert source.summary_of(other).joints == 21


def test_feet_that_the_user_chose(riff: ModuleType, source: ModuleType, dancer: bpy.types.Object) -> None:
    summary(source, dancer)
    assert bpy.ops.riff.add_foot() == {"FINISHED"}
    assert sorted(foot.name for foot in dancer.riff.feet) == ["foot.L", "foot.R", "toe.L", "toe.R"]
    for _ in range(3):
        bpy.ops.riff.remove_foot()
    dancer.riff.feet[0].name = "hand.L"
    dancer.riff.own_feet = True
    assert summary(source, dancer).feet == ["hand.L"]
    read = importlib.import_module(f"{riff.__name__}.state.source").read_source
    motion = read(dancer, bpy.context.scene)
    assert [motion.skeleton.names[j] for j in motion.skeleton.contacts] == ["hand.L"]
    assert motion.features.shape[1] == motion.skeleton.channels
    dancer.riff.feet[0].name = "nothing"
    with pytest.raises(RuntimeError, match="not a bone below the root"):
        bpy.ops.riff.train(scale=0.0001)
    dancer.riff.root = "nothing"
    with pytest.raises(RuntimeError, match="no bone “nothing” to use as root"):
        bpy.ops.riff.train(scale=0.0001)


def test_learned_bones_are_listed_left_out_and_corrected(riff: ModuleType, source: ModuleType) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    bpy.context.view_layer.objects.active = biped
    told = summary(source, biped)
    assert (told.problem, told.controls, told.root) == ("", True, "body")
    assert sorted(told.properties) == ["armed", "influence", "mood", "value", "weather"]
    assert bpy.ops.riff.list_learned() == {"FINISHED"}
    rows = {row.name: (row.partner, row.part) for row in biped.riff.controls}
    assert rows["ik_foot.L"] == ("ik_foot.R", "Left Leg")
    assert set(rows) == {"body", "ik_foot.L", "ik_foot.R", "spine", "head", "arm.L"}
    biped.riff.controls["spine"].learn = False
    biped.riff.controls["arm.L"].part = "Wing"
    biped.riff.controls["ik_foot.L"].partner = ""
    told = summary(source, biped)
    assert ("arm.L", "", "Wing") in told.rows
    assert {name: partner for name, partner, _ in told.rows}["ik_foot.L"] == ""
    assert "spine" not in [name for name, _, _ in told.rows]
    read = importlib.import_module(f"{riff.__name__}.state.source").read_source
    assert "spine" not in read(biped, bpy.context.scene).skeleton.names
    assert bpy.ops.riff.list_learned() == {"FINISHED"}
    assert [row.name for row in biped.riff.controls if not row.learn] == ["spine"]
    assert bpy.ops.riff.forget_learned() == {"FINISHED"}
    assert "spine" in [name for name, _, _ in summary(source, biped).rows]


def test_the_whole_nla_is_learned_where_it_is_wished(riff: ModuleType, source: ModuleType) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    bpy.context.view_layer.objects.active = biped
    data = biped.animation_data
    data.nla_tracks.new().strips.new("Walk", 20, data.action)
    data.action = None
    biped.riff.whole_nla = True
    assert summary(source, biped).root == "body"
    assert bpy.ops.riff.train(scale=0.0001) == {"FINISHED"}


def test_a_glance_is_the_same_motion_in_fewer_frames(riff: ModuleType, dancer: bpy.types.Object) -> None:
    module = importlib.import_module(f"{riff.__name__}.rig.reading.read")
    whole = module.read_motion(dancer)
    glance = module.read_motion(dancer, options=module.ReadOptions(step=5))
    assert (glance.fps, glance.frames) == (6.0, 120)
    np.testing.assert_allclose(glance.rotations(), whole.rotations()[::5], atol=1e-6)
    np.testing.assert_allclose(glance.root_positions(), whole.root_positions()[::5], atol=1e-6)


def test_settings_are_saved_with_the_armature(dancer: bpy.types.Object, tmp_path: Any) -> None:
    dancer.riff.root, dancer.riff.own_feet = "hips", True
    dancer.riff.feet.add().name = "foot.L"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "roles.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "roles.blend"))
    settings = bpy.data.objects["Dancer"].riff
    assert (settings.root, settings.own_feet, [foot.name for foot in settings.feet]) == ("hips", True, ["foot.L"])


def test_custom_recipe(riff: ModuleType) -> None:
    chosen = importlib.import_module(f"{riff.__name__}.operators.train").chosen_recipe
    recipes = importlib.import_module(f"{riff.__name__}.core.model.recipe").RECIPES
    settings = bpy.context.scene.riff
    settings.base, settings.effort, settings.faithfulness, settings.foot_weight = "paper", 0.5, 2.0, 0.0
    recipe = chosen(settings, "custom")
    assert recipe.name == "custom"
    assert recipe.iterations == recipes["paper"].scaled(0.5).iterations
    assert recipe.reconstruction == (100.0, 150.0, 200.0, 200.0)
    assert recipe.contact == 0.0
    assert chosen(settings, "fast") is recipes["fast"]
    settings.last_level = 1
    assert chosen(settings, "custom").iterations[1:] == (0, 0, 0)
    assert chosen(settings, "fast") is recipes["fast"]
    settings.last_level = 4


def test_training_preset_is_saved_and_read(riff: ModuleType) -> None:
    settings = bpy.context.scene.riff
    settings.recipe, settings.effort = "custom", 2.5
    assert bpy.ops.riff.add_training_preset(name="Thorough") == {"FINISHED"}
    settings.recipe, settings.effort = "fast", 1.0
    folders = bpy.utils.preset_paths("riff/training")
    path = next(path for path in (Path(folder) / "Thorough.py" for folder in folders) if path.exists())
    bpy.ops.script.execute_preset(filepath=str(path), menu_idname="RIFF_PT_training_presets")
    assert (settings.recipe, settings.effort) == ("custom", 2.5)
    bpy.ops.riff.add_training_preset(name="Thorough", remove_name=True)
