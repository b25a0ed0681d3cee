"""History of takes that another body drives: made again key by key, their settings put back, and what prevents it."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.support.remade import keys, made, made_again, remembered, same
from tests.support.rigs.beast import PAIRS


def drive(**choices: Any) -> None:
    chosen = {"armature": "Beast", "pairs": PAIRS, "scale": 1.0, **choices}
    assert bpy.ops.riff.drive("EXEC_DEFAULT", True, **chosen) == {"FINISHED"}


@pytest.mark.parametrize("choices", [{"count": 2, "seed": 4}, {"length": 60, "variation": 0.7, "clean_feet": False}])
def test_takes_are_made_again_key_by_key(bodies: tuple[Any, Any], choices: dict[str, Any]) -> None:
    biped, beast = bodies
    drive(**choices)
    (run,) = biped.riff.runs
    assert (run.label, run.source, run.seed) == ("Follow Driver", "Step", str(choices.get("seed", 1)))
    # the choices of the panel and what the driver plays now are another matter
    biped.riff_driving.variation = 0.1
    beast.animation_data.action = None
    for bone in beast.pose.bones:
        bone.matrix_basis.identity()
    made_again(remembered(made()))


def test_one_that_is_gone_is_made_again_in_another_session(
    bodies: tuple[Any, Any], riff: ModuleType, tmp_path: Any
) -> None:
    drive(count=2, seed=6)
    before = remembered(made())
    second = sorted(before)[1]
    path = str(tmp_path / "bodies.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    bpy.context.view_layer.objects.active = bpy.data.objects["Biped"]
    importlib.import_module(f"{riff.__name__}.state.session").refresh()
    bpy.ops.ed.undo_push(message="Opened")
    bpy.ops.riff.discard_variation("EXEC_DEFAULT", True, action=second)
    assert bpy.ops.riff.make_again("EXEC_DEFAULT", True) == {"FINISHED"}
    assert same(keys(bpy.data.actions[second]), before[second][0])
    bpy.ops.ed.undo()
    assert second not in bpy.data.actions


def test_the_settings_come_back_into_the_panel(bodies: tuple[Any, Any]) -> None:
    biped, beast = bodies
    drive(count=2, seed=4, length=60, variation=0.7, scale=1.5)
    driving = biped.riff_driving
    assert (driving.driver, len(driving.pairs)) == (None, 0)
    assert bpy.ops.riff.use_settings() == {"FINISHED"}
    assert (driving.driver, driving.action) == (beast, bpy.data.actions["Prowl"])
    assert ", ".join(f"{pair.name}={pair.other}" for pair in driving.pairs) == PAIRS
    assert (driving.count, driving.length, driving.scale, bpy.context.scene.riff.seed) == (2, 60, 1.5, 4)
    assert driving.variation == pytest.approx(0.7)


def test_settings_of_a_linked_armature_stay(bodies: tuple[Any, Any], riff: ModuleType, tmp_path: Any) -> None:
    bodies[0].riff_driving.driver = bodies[1]
    drive(seed=4, length=60)
    assert bpy.ops.riff.generate_spans(spans="Step@1-60, Step@80-140", seed=3) == {"FINISHED"}
    path = str(tmp_path / "bodies.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (there, here):
        here.objects, here.actions = ["Biped", "Beast"], there.actions
    for ob in here.objects:
        bpy.context.scene.collection.objects.link(ob)
    linked: Any = bpy.data.objects["Biped"]
    importlib.import_module(f"{riff.__name__}.state.session").refresh()
    bpy.context.view_layer.objects.active = linked
    bpy.context.view_layer.update()

    def refused(ob: Any, sentence: str) -> None:
        for row in ob.riff.runs:
            with pytest.raises(RuntimeError, match=sentence):
                bpy.ops.riff.use_settings(run=row.number)
        assert (len(ob.riff.spans), len(ob.riff_driving.pairs), ob.riff_driving.length) == (0, 0, 0)

    refused(linked, "is linked from another file")
    assert bpy.ops.riff.make_again(variation=1) == {"FINISHED"}
    override: Any = linked.override_create(remap_local_usages=True)
    bpy.context.view_layer.objects.active = override
    bpy.context.view_layer.update()
    refused(override, "is a library override")
    assert bpy.ops.riff.make_again(variation=1) == {"FINISHED"}


def test_what_is_gone_or_changed_is_said(bodies: tuple[Any, Any]) -> None:
    biped, beast = bodies
    prowl = bpy.data.actions["Prowl"]
    drive()
    bpy.ops.riff.discard_others()
    before = len(bpy.data.actions)

    def refused(sentence: str, *operators: Any) -> None:
        for operator in operators or (bpy.ops.riff.make_again,):
            with pytest.raises(RuntimeError, match=sentence):
                operator()
        assert len(bpy.data.actions) == before

    curve = prowl.layers[0].strips[0].channelbag(prowl.slots[0]).fcurves[0]
    height = curve.keyframe_points[5].co.y
    curve.keyframe_points[5].co.y = height + 0.1
    refused("“Prowl” was changed since")
    curve.keyframe_points[5].co.y = height
    beast.rotation_euler.z = 0.5
    refused("The driver “Beast” was changed or moved since")
    beast.rotation_euler.z = 0.0
    both = (bpy.ops.riff.make_again, bpy.ops.riff.use_settings)
    beast.name = "Lion"
    refused("driver “Beast” is no longer in the file", *both)
    beast.name = "Beast"
    prowl.name = "Creep"
    refused("“Prowl”.* is no longer in the file", *both)
    prowl.name = "Prowl"
    biped.data.bones["foot.L"].name = "sole"
    refused("has no bone “foot.L”")
    biped.data.bones["sole"].name = "foot.L"
    assert bpy.ops.riff.make_again() == {"FINISHED"}
