"""Files larger, names stranger and folders further away than most people have: what must work there all the same."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np

EXTENSION = "bl_ext.user_default.riff"
FEW_STEPS = 0.0001
NAMES = (
    'quo"te',
    "apo'strophe",
    "back\\slash",
    "sla/sh",
    "new\nline",
    "tab\there",
    "Ünïcode é",
    "日本語の名前",
    "💃🏽🕺",
    "שלום עולם",
    "\u202eright to left",
    "CON",
    "nul.txt",
    "COM1",
    "...dots",
    ".hidden",
    "-rf *",
    "100%",
    "{brace}[0]",
    "a" * 63,
    "ß" * 31,
)
"""Names for data-blocks, bones and models; none is as long as to be cut by Blender 4.5 (63 bytes)."""


def part(name: str) -> Any:
    return importlib.import_module(f"{EXTENSION}.{name}")


def wait_for_jobs() -> None:
    while part("state.timer").tick():
        time.sleep(0.02)


def add_creature(bones: int, frames: int) -> bpy.types.Object:
    """An armature of chains of five bones, hips first, every bone keyed on each frame; active."""
    data = bpy.data.armatures.new("Creature")
    ob = bpy.data.objects.new("Creature", data)
    bpy.context.scene.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    bpy.ops.object.mode_set(mode="EDIT")
    hips = above = data.edit_bones.new("hips")
    hips.head, hips.tail = (0.0, 0.0, 1.0), (0.0, 0.0, 1.2)
    for number in range(bones - 1):
        above = hips if number % 5 == 0 else above
        bone = data.edit_bones.new(f"bone {number}")
        angle, reach = number // 5 * 0.7, 0.1 * (number % 5 + 1)
        bone.parent, bone.head = above, above.tail
        bone.tail = np.cos(angle) * reach, np.sin(angle) * reach, 1.2 - 0.2 * (number % 5 + 1)
        above = bone
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.update()
    _key_all(ob, frames)
    bpy.context.scene.render.fps = 30
    return ob


def _key_all(ob: Any, frames: int) -> None:
    action = bpy.data.actions.new("Long")
    bag = part("rig.compat").new_channelbag(action, action.slots.new(id_type="OBJECT", name=ob.name))
    times = np.arange(frames)
    for number, bone in enumerate(ob.pose.bones):
        bone.rotation_mode = "XYZ"
        for axis in range(3):
            values = 0.3 * np.sin(times / (9 + number % 7) + axis + number)
            _key(bag, bone.path_from_id("rotation_euler"), axis, times, values)
    _key(bag, ob.pose.bones[0].path_from_id("location"), 1, times, 0.01 * times)
    ob.animation_data_create().action = action
    ob.animation_data.action_slot = action.slots[0]


def _key(bag: Any, path: str, axis: int, times: np.ndarray, values: np.ndarray) -> None:
    curve = bag.fcurves.new(path, index=axis)
    curve.keyframe_points.add(len(times))
    curve.keyframe_points.foreach_set("co", np.stack([times + 1, values], 1).astype(np.float32).ravel())
    curve.update()


def train_a_little() -> Any:
    """Train for a few steps to the end; the job. Raises AssertionError where it does not end well."""
    assert bpy.ops.riff.train(scale=FEW_STEPS) == {"FINISHED"}
    wait_for_jobs()
    job = part("rig.background.jobs").latest_training()
    assert (job.state.value, job.error) == ("done", "")
    return job


def large_action(bones: int, frames: int) -> None:
    """Read, trained on, generated as long again, shown and discarded."""
    ob = add_creature(bones, frames)
    train_a_little()
    assert bpy.ops.riff.generate(count=1) == {"FINISHED"}
    (row,) = bpy.context.window_manager.riff.variations
    action = bpy.data.actions[row.name]
    assert abs(int(action.frame_range[1] - action.frame_range[0]) + 1 - frames) <= 1
    assert bpy.ops.riff.show_action(action=row.name) == {"FINISHED"}
    assert bpy.ops.riff.discard_variation(action=row.name) == {"FINISHED"}
    assert ob.animation_data.action.name == "Long"


def many_actions(count: int, model: Path) -> None:
    """A file with many actions, as many variations among them: listed, generated for, discarded one and all."""
    use_model(model)
    bpy.ops.riff.add_sample_dancer()
    source = bpy.context.object.animation_data.action
    for number in range(count // 2):
        source.copy().name = f"Other {number}"
    bpy.ops.riff.generate(count=1, frames=60)
    made = bpy.data.actions[bpy.context.window_manager.riff.variations[0].name]
    for number in range(count - count // 2 - 2):
        copy = made.copy()
        copy.name = f"Dance Variation {number}-1"
        part("rig.ownership").mark_made(copy)  # as if each had been generated, which would take minutes
    assert len(bpy.data.actions) == count
    bpy.ops.riff.generate(count=1, frames=60, seed=3)
    rows = bpy.context.window_manager.riff.variations
    assert len(rows) == count - count // 2
    look_at_source()
    assert bpy.ops.riff.discard_variation(action=rows[0].name) == {"FINISHED"}
    assert bpy.ops.riff.discard_others() == {"FINISHED"}
    assert len(bpy.data.actions) == count // 2 + 1


def use_model(model: Path, name: str = "Dance") -> Path:
    """Put a model into Riff's folder and list it."""
    path: Path = part("rig.library.models").models_folder() / f"{name}.safetensors"
    path.write_bytes(model.read_bytes())
    assert bpy.ops.riff.refresh_models() == {"FINISHED"}
    return path


def look_at_source() -> Any:
    """Summary of the active armature as the panel shows it; the estimate by a process is not waited for."""
    source = part("state.armature_summary")
    source.summary_of(bpy.context.object)
    while source.update_summary() is not None:
        pass
    summary = source.summary_of(bpy.context.object)
    part("rig.background.jobs").stop_all()
    return summary


def strange_names(folder: Path) -> None:
    """Armature, bones, action and model with every kind of character, from training to a saved and opened file."""
    bpy.ops.riff.add_sample_dancer()
    ob = bpy.context.object
    for bone, name in zip(list(ob.data.bones), NAMES, strict=False):
        bone.name = name
    ob.name = ob.data.name = 'A "strange"\n\\ one/💃'
    ob.animation_data.action.name = "/..\\CON\n\"'💃" + "x" * 300  # Blender cuts it to what it takes
    bones = [bone.name for bone in ob.data.bones]
    summary = look_at_source()
    assert (summary.problem, summary.joints) == ("", len(bones))
    model = train_a_little().path
    assert model.parent == part("rig.library.models").models_folder()
    for operator, settings in (
        ("generate", {"count": 1, "frames": 90}),
        ("generate", {"count": 1, "frames": 90, "tolerance": 0.01}),
        ("extend_action", {"after": 30}),
        ("duplicate_as_crowd", {"count": 2, "frames": 60}),
        ("live", {}),
    ):
        assert getattr(bpy.ops.riff, operator)(**settings) == {"FINISHED"}, operator
    part("state.live").end()
    labels = [row.label for row in bpy.context.window_manager.riff.variations if row.armature == ob.name]
    assert sorted(label.rpartition(".")[0] or label for label in labels) == ["1-1", "1-1", "Extended 1-1"]
    _moves_every_bone(ob, bones)
    _saved_and_opened(ob.name, folder)


def _moves_every_bone(ob: Any, bones: list[str]) -> None:
    row = next(row for row in bpy.context.window_manager.riff.variations if row.armature == ob.name)
    assert row.source == ob.animation_data.action.name
    assert bpy.ops.riff.show_action(action=row.name) == {"FINISHED"}
    action = ob.animation_data.action
    paths = {curve.data_path for curve in action.layers[0].strips[0].channelbag(action.slots[0]).fcurves}
    assert {bone for bone in bones if any(path.startswith(ob.pose.bones[bone].path_from_id()) for path in paths)} == {
        *bones
    }


def _saved_and_opened(name: str, folder: Path) -> None:
    actions = sorted(bpy.data.actions.keys())
    path = str(folder / "strange.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert sorted(bpy.data.actions.keys()) == actions
    bpy.context.view_layer.objects.active = bpy.data.objects[name]
    assert bpy.ops.riff.generate(count=1, frames=60, seed=9) == {"FINISHED"}


def strange_model_names(model: Path, folder: Path, names: Sequence[str] = NAMES) -> None:
    """A model renamed to each name, exported and imported; what it generates can be told apart."""
    use_model(model)
    bpy.ops.riff.add_sample_dancer()
    session = bpy.context.window_manager.riff
    for name in names:
        assert bpy.ops.riff.rename_model(name=name) == {"FINISHED"}, name
        (row,) = session.models
        assert row.problem == "", (name, row.problem)
        assert Path(row.path).exists()
        stem = Path(row.path).name.split(".")[0].casefold()
        assert stem not in {"con", "nul", "com1"}, row.path
        exported = folder / f"{row.name}.safetensors"
        assert bpy.ops.riff.export_model(filepath=str(exported)) == {"FINISHED"}, name
        assert bpy.ops.riff.import_model(filepath=str(exported)) == {"FINISHED"}, name
        assert bpy.ops.riff.remove_model() == {"FINISHED"}
        assert bpy.ops.riff.generate(count=2, frames=60) == {"FINISHED"}, name
        labels = [row.label for row in session.variations]
        assert len(set(labels)) == len(labels) == 2, labels
        assert bpy.ops.riff.discard_others() == {"FINISHED"}


def unreachable_folder(model: Path) -> None:
    """Riff's folder can be read but not written: what needs no writing works, what does says so in a sentence."""
    bpy.ops.riff.add_sample_dancer()
    assert bpy.ops.riff.refresh_models() == {"FINISHED"}
    session = bpy.context.window_manager.riff
    assert [row.name for row in session.models] == ["Dance"]
    assert look_at_source().problem == ""
    assert bpy.ops.riff.generate(count=1, frames=60) == {"FINISHED"}
    for operator, settings in (
        ("train", {"scale": FEW_STEPS}),
        ("rename_model", {"name": "Other"}),
        ("remove_model", {}),
        ("import_model", {"filepath": str(model)}),
        ("export_model", {"filepath": f"{model.parent}/no/where"}),
    ):
        refused(operator, **settings)
    assert [row.name for row in session.models] == ["Dance"]
    assert not part("rig.background.jobs").any_running()


def far_away() -> None:
    """In a user folder far away: trained by a process of its own, generated, saved; a model exported and imported."""
    bpy.ops.riff.add_sample_dancer()
    preferences: Any = bpy.context.preferences.addons[EXTENSION].preferences
    preferences.separate_process = True
    path = train_a_little().path
    assert bpy.ops.riff.generate(count=1, frames=60) == {"FINISHED"}
    copy = path.parent / "copy.safetensors"
    assert bpy.ops.riff.export_model(filepath=str(copy)) == {"FINISHED"}
    assert bpy.ops.riff.import_model(filepath=str(copy)) == {"FINISHED"}
    bpy.ops.wm.save_as_mainfile(filepath=str(path.parent / "scene.blend"))


def refused(operator: str, **settings: Any) -> None:
    """An operator says in one sentence that it cannot."""
    try:
        result = getattr(bpy.ops.riff, operator)(**settings)
    except RuntimeError as refusal:
        words = str(refusal).strip()
        assert "Traceback" not in words, words
        assert len(words.splitlines()) == 1, words
    else:
        raise AssertionError(f"{operator} was not refused but {result}")
