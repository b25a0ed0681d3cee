"""A model on another character of the same rig: its bones have another prefix, and some tips are missing."""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.recording_layout import RecordingLayout
from tests.support.rigs.biped import add_dancing_biped

FRAMES = (1, 40, 77)


@pytest.fixture
def part(riff: ModuleType, trained: Path) -> Iterator[Callable[[str], Any]]:
    """Modules of the extension by name, with the dance's model in the list."""
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
    shutil.copy(trained, folder)
    bpy.ops.riff.refresh_models()
    yield lambda name: importlib.import_module(f"{riff.__name__}.{name}")
    importlib.import_module(f"{riff.__name__}.state.live").end()
    importlib.import_module(f"{riff.__name__}.rig.background.jobs").stop_all()
    shutil.rmtree(folder)
    bpy.ops.riff.refresh_models()


def add_dancer(prefix: str = "") -> bpy.types.Object:
    """The sample dancer, its bones with a prefix."""
    bpy.ops.riff.add_sample_dancer()
    dancer = bpy.context.object
    for bone in dancer.data.bones:
        bone.name = prefix + bone.name
    return dancer


def pose(ob: bpy.types.Object, action: bpy.types.Action | None = None) -> np.ndarray:
    """World matrices of all bones in a few frames; of the action alone, if one is given."""
    if action is not None:
        ob.animation_data.action, ob.animation_data.action_slot = action, action.slots[0]
    found = []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        evaluated = ob.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([np.array(evaluated.matrix_world @ bone.matrix) for bone in evaluated.pose.bones])
    return np.array(found)


def newest(made: Callable[[], Any]) -> bpy.types.Action:
    before = set(bpy.data.actions.keys())
    assert made() == {"FINISHED"}
    return next(action for action in bpy.data.actions if action.name not in before and action.get("riff_model"))


def both(made: Callable[[], Any], prefix: str = "mixamorig7:") -> tuple[np.ndarray, np.ndarray]:
    """Poses of what an operator makes for the model's own armature, and for one with other names."""
    poses = []
    for text in ("", prefix):
        bpy.ops.wm.read_homefile(use_empty=True)
        dancer = add_dancer(text)
        poses.append(pose(dancer, newest(made)))
    return poses[0], poses[1]


def test_generate(part: Callable[[str], Any]) -> None:
    own, other = both(lambda: bpy.ops.riff.generate(count=1, seed=3))
    np.testing.assert_allclose(other, own, atol=1e-5)
    assert np.ptp(own, axis=0).max() > 0.1


def test_composing_keeps_the_parts_of_the_other_names(part: Callable[[str], Any]) -> None:
    bpy.ops.riff.add_sample_dancer()
    words = ("thigh", "shin", "foot", "toe")
    legs = [bone.name for bone in bpy.context.object.data.bones if bone.name.startswith(words)]
    assert len(legs) == 8

    def vary() -> Any:
        prefix = bpy.context.object.data.bones[0].name.rpartition(":")[0]
        names = ", ".join(f"{prefix}:{name}" if prefix else name for name in legs)
        return bpy.ops.riff.vary_parts(parts=names, keep=True, count=1, seed=2)

    own, other = both(vary)
    np.testing.assert_allclose(other, own, atol=1e-5)


def test_restyle(part: Callable[[str], Any]) -> None:
    own, other = both(lambda: bpy.ops.riff.restyle(count=1, style=0.7))
    np.testing.assert_allclose(other, own, atol=1e-5)


def test_live(part: Callable[[str], Any]) -> None:
    live, panel, poses = part("state.live"), part("panels.live"), []
    for prefix in ("", "Char1_"):
        bpy.ops.wm.read_homefile(use_empty=True)
        dancer = add_dancer(prefix)
        bpy.context.scene.frame_set(40)
        bpy.context.window_manager.riff.live_position = 2.0
        bpy.ops.riff.live()
        deadline = time.monotonic() + 60
        while live.follow() and not (live.live_preview.job.answers and live.live_preview.job.finished):
            assert time.monotonic() < deadline, "no motion was shown"
            time.sleep(0.01)
        assert not live.live_state()[1]
        poses.append(np.array([np.array(bone.matrix_basis) for bone in dancer.pose.bones]))
        layout = RecordingLayout()
        panel.RIFF_PT_live.draw(type("Panel", (), {"layout": layout})(), bpy.context)
        assert any("matched by" in text for text in layout.texts()) == bool(prefix)
        kept = newest(bpy.ops.riff.live_keep)
        assert all(
            curve.data_path.startswith(f'pose.bones["{prefix}')
            for curve in kept.layers[0].strips[0].channelbags[0].fcurves
        )
    np.testing.assert_allclose(poses[1], poses[0], atol=1e-5)


def test_crowd(part: Callable[[str], Any]) -> None:
    poses = []
    for prefix in ("", "mixamorig7:"):
        bpy.ops.wm.read_homefile(use_empty=True)
        add_dancer(prefix)
        bpy.context.view_layer.update()
        assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60, distance=1.0) == {"FINISHED"}
        members = sorted(ob.name for ob in bpy.data.objects if ob.get("riff_member"))
        poses.append(np.array([pose(bpy.data.objects[name]) for name in members]))
    np.testing.assert_allclose(poses[1], poses[0], atol=1e-5)


def shown_models(part: Callable[[str], Any]) -> tuple[list[str], list[bool]]:
    """Texts of the panel Models, once the models were compared, and whether each row is active."""
    panels, fit = part("panels.models"), part("state.model_fit")
    models = bpy.context.window_manager.riff.models
    for _ in range(2):
        layout = RecordingLayout()
        panels.RIFF_PT_models.draw(type("Panel", (), {"layout": layout})(), bpy.context)
        while fit.update_fits() is not None:
            pass
    active = []
    for row in models:
        split = RecordingLayout()
        listed = type("Rows", (), {"split": lambda self, split=split, **_: split})()
        panels.RIFF_UL_models.draw_row(None, bpy.context, listed, bpy.context.window_manager.riff, row)
        active.append(bool(split.__dict__.get("active", True)))
    return layout.texts(), active


def test_the_list_says_how_the_model_fits(part: Callable[[str], Any]) -> None:
    add_dancer("mixamorig7:")
    texts, active = shown_models(part)
    assert active == [True]
    bones = len(bpy.context.object.data.bones)
    assert f"{bones} of {bones} bones matched by name, such as" in " ".join(texts)
    add_dancing_biped()
    texts, active = shown_models(part)
    assert active == [False], "a model of another rig is greyed"
    assert "“Biped” has no bone" in " ".join(texts)
    add_dancer()
    texts, active = shown_models(part)
    assert active == [True]
    assert "matched" not in " ".join(texts)


def test_a_missing_tip_and_one_too_many(part: Callable[[str], Any]) -> None:
    """A model of an armature with tips, written to one with other names and without some of them."""
    motions, armatures = [], []
    for prefix, tips in (("a:", ("head", "foot.L")), ("b_", ("foot.L", "foot.R"))):
        biped = add_dancing_biped()
        bpy.ops.object.mode_set(mode="EDIT")
        for name in tips:
            tip = biped.data.edit_bones.new(f"{name}_End")
            tip.parent = biped.data.edit_bones[name]
            tip.head = tip.parent.tail
            tip.tail = tip.head + tip.parent.vector
        bpy.ops.object.mode_set(mode="OBJECT")
        for bone in biped.data.bones:
            bone.name = prefix + bone.name
        motions.append(part("rig.reading.read").read_motion(biped))
        armatures.append(biped)
    write = part("rig.writing.write")
    action = write.write_motion(armatures[1], motions[0], "Other", source_action=armatures[1].animation_data.action)
    names = [bone.name for bone in armatures[1].data.bones if not bone.name.endswith("_End")]
    indices = [armatures[1].data.bones.find(name) for name in names]
    expected = pose(armatures[1])[:, indices]
    np.testing.assert_allclose(pose(armatures[1], action)[:, indices], expected, atol=1e-4)


@pytest.mark.parametrize("size", [100.0, 0.1])
def test_another_character_in_other_units(part: Callable[[str], Any], size: float) -> None:
    """Its arms are longer, so that no even factor fits, and it is in centimetres: its hips are at their own height."""
    poses = []
    for prefix, scale in (("", 1.0), ("mixamorig7:", size)):
        bpy.ops.wm.read_homefile(use_empty=True)
        dancer = add_dancer(prefix)
        if prefix:
            bpy.ops.object.mode_set(mode="EDIT")
            for bone in dancer.data.edit_bones:
                if "upper_arm" in bone.name:
                    bone.tail = bone.head + 1.2 * bone.vector
            bpy.ops.object.mode_set(mode="OBJECT")
        dancer.scale = (scale,) * 3
        bpy.context.view_layer.update()
        made = newest(lambda: bpy.ops.riff.generate(count=1, seed=3))
        poses.append(pose(dancer, made)[:, :, :3, 3] / scale)
    hips = [places[:, 0] for places in poses]
    np.testing.assert_allclose(hips[1], hips[0], atol=0.05)
