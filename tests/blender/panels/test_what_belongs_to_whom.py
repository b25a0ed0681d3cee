"""Variations and models know their armature, the seed moves on, and menus have every operator."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.editing.beside import Beside
from tests.support.recording_layout import RecordingLayout
from tests.support.rigs.biped import add_dancing_biped


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    """The sample dancer with an instant model and two variations."""
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.refresh_models()
    assert bpy.ops.riff.generate(count=2, frames=90) == {"FINISHED"}
    return bpy.context.object


def part(riff: ModuleType, name: str) -> Any:
    return importlib.import_module(f"{riff.__name__}.{name}")


def rows_of(riff: ModuleType, ob: bpy.types.Object) -> list[str]:
    session = part(riff, "state.session")
    return [row.name for row in bpy.context.window_manager.riff.variations if session.is_variation_of(row, ob)]


def values(action: bpy.types.Action) -> np.ndarray:
    fcurves = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves
    first, last = (int(frame) for frame in action.frame_range)
    return np.array([[curve.evaluate(frame) for frame in range(first, last + 1)] for curve in fcurves])


@pytest.mark.parametrize(
    ("module", "function"),
    [
        ("pytorch.installation", "refresh"),
        ("pytorch.trial", "refresh"),
        ("session", "refresh"),
        ("guard", "prepare_log"),
    ],
)
def test_what_waits_at_start_up_survives_a_file_of_the_command_line(
    riff: ModuleType, module: str, function: str
) -> None:
    """Blender loads a file of the command line before any timer runs, and drops timers that are not persistent."""
    waiting = getattr(part(riff, f"state.{module}"), function)
    part(riff, f"state.{module}").unregister()
    part(riff, f"state.{module}").register()
    assert bpy.app.timers.is_registered(waiting)
    bpy.ops.wm.read_homefile(use_empty=True)
    assert bpy.app.timers.is_registered(waiting)


def test_renamed_and_duplicated_armatures_keep_their_variations(riff: ModuleType, dancer: bpy.types.Object) -> None:
    made = rows_of(riff, dancer)
    assert len(made) == 2
    dancer.name = "Somebody Else"
    bpy.ops.riff.refresh_models()
    assert rows_of(riff, dancer) == made
    double = dancer.copy()
    bpy.context.scene.collection.objects.link(double)
    assert rows_of(riff, double) == made
    stranger = add_dancing_biped()
    assert rows_of(riff, stranger) == []


def test_buttons_act_on_no_other_armatures_variations(riff: ModuleType, dancer: bpy.types.Object) -> None:
    biped = add_dancing_biped()
    bpy.context.view_layer.objects.active = biped
    own = biped.animation_data.action
    assert bpy.context.window_manager.riff.active_variation == -1
    for operator in (bpy.ops.riff.variation_to_nla, bpy.ops.riff.mark_asset, bpy.ops.riff.more_like_this):
        with pytest.raises(RuntimeError, match="no variation; generate some first"):
            operator()
    assert biped.animation_data.action == own
    assert not len(biped.animation_data.nla_tracks)
    layout = RecordingLayout()
    panel = bpy.types.RIFF_PT_variations
    panel.draw(type("Panel", (), {"layout": layout})(), bpy.context)
    assert "Back to Sample Dance" not in layout.texts()


def test_a_second_click_makes_other_variations(riff: ModuleType, dancer: bpy.types.Object) -> None:
    settings = bpy.context.scene.riff
    assert settings.seed == 2, "the first click had the panel's seed"
    first = [values(bpy.data.actions[name]) for name in rows_of(riff, dancer)]
    assert bpy.ops.riff.generate(count=2, frames=90, seed=settings.seed) == {"FINISHED"}
    assert settings.seed == 3
    second = [values(bpy.data.actions[name]) for name in rows_of(riff, dancer)][2:]
    assert all(np.abs(one - other).max() > 0.1 for one in first for other in second)
    settings.same_seed = True
    assert bpy.ops.riff.generate(count=1, frames=90, seed=settings.seed) == {"FINISHED"}
    assert settings.seed == 3


def finish(operator: Beside) -> None:
    operator.click()
    while operator.running:
        operator.pulse()


@pytest.mark.parametrize("shown", [True, False])
def test_in_a_window_the_first_result_is_shown(riff: ModuleType, dancer: bpy.types.Object, shown: bool) -> None:
    source = dancer.animation_data.action
    source.use_fake_user = False
    bpy.context.preferences.addons[riff.__name__].preferences.show_results = shown
    try:
        finish(Beside("generate", count=2, frames=90, seed=7))
    finally:
        bpy.context.preferences.addons[riff.__name__].preferences.show_results = True
    made = [action for action in bpy.data.actions if action.get("riff_seed") == 7]
    assert dancer.animation_data.action == (made[0] if shown else source)
    assert source.users > 0, "saving would drop the user's own action"
    row = part(riff, "state.session").chosen_variation(bpy.context)
    assert (row.name, row.source) == (made[0].name, source.name) if shown else row is None


def test_the_model_used_for_an_armature_is_chosen_again(riff: ModuleType, dancer: bpy.types.Object) -> None:
    bpy.ops.riff.instant_model()
    session = bpy.context.window_manager.riff
    assert bpy.ops.riff.generate(count=1, frames=90) == {"FINISHED"}
    used = session.models[session.active_model].name
    assert used == "Sample Dance Instant.001"
    session.active_model = session.models.find("Sample Dance Instant")
    part(riff, "state.session").after_load()
    assert session.models[session.active_model].name == used


def test_menus_offer_what_the_panel_does(riff: ModuleType, dancer: bpy.types.Object) -> None:
    menus = part(riff, "panels.menus")
    layout = RecordingLayout()
    menus.RIFF_MT_riff.draw(type("Menu", (), {"layout": layout})(), bpy.context)
    for operator in [name for group in menus.OPERATORS for name in group]:
        assert operator.removeprefix("riff.") in dir(bpy.ops.riff)
    assert bpy.types.VIEW3D_MT_pose.is_extended()
    assert bpy.types.VIEW3D_MT_object_animation.is_extended()
    assert bpy.types.DOPESHEET_MT_key.is_extended()


def mesh(name: str, parent: Any = None, armature: Any = None) -> Any:
    ob = bpy.data.objects.new(name, bpy.data.meshes.new(name))
    bpy.context.scene.collection.objects.link(ob)
    ob.parent = parent
    if armature is not None:
        ob.modifiers.new("Armature", "ARMATURE").object = armature
    return ob


def test_a_mesh_stands_for_the_armature_that_deforms_it(riff: ModuleType, dancer: bpy.types.Object) -> None:
    skin, shoe = mesh("Skin", armature=dancer), mesh("Shoe", parent=dancer)
    lace, thing = mesh("Lace", parent=shoe), mesh("Thing")
    thing.modifiers.new("Armature", "ARMATURE")
    before = rows_of(riff, dancer)
    for number, ob in enumerate((skin, shoe, lace)):
        bpy.context.view_layer.objects.active = ob
        assert bpy.ops.riff.generate(count=1, frames=90, seed=20 + number) == {"FINISHED"}
        (new,) = set(rows_of(riff, dancer)) - set(before)
        before = rows_of(riff, dancer)
        assert bpy.ops.riff.show_action(action=new) == {"FINISHED"}
        assert dancer.animation_data.action.name == new
        assert ob.animation_data is None
        assert bpy.types.RIFF_PT_compose.poll(bpy.context)
    bpy.context.view_layer.objects.active = thing
    assert not bpy.ops.riff.generate.poll()
    with pytest.raises(RuntimeError, match="or a mesh that it deforms"):
        bpy.ops.riff.generate()
    bpy.context.view_layer.objects.active = None
    assert not bpy.ops.riff.train.poll()
