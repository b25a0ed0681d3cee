"""Kept variations as FBX, glTF and BVH files that can be read again; the file in Blender stays as it was."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import addon_utils
import bpy
import numpy as np
import pytest

FRAMES = 90


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    """The sample dancer with three variations of 90 frames, two of them kept, and her own action."""
    for add_on in ("io_scene_fbx", "io_scene_gltf2", "io_anim_bvh"):
        addon_utils.enable(add_on)
    bpy.ops.riff.add_sample_dancer()
    ob = bpy.context.object
    assert bpy.ops.riff.generate(count=3, frames=FRAMES) == {"FINISHED"}
    for row in list(bpy.context.window_manager.riff.variations)[:2]:
        bpy.ops.riff.keep_variation(action=row.name)
    return ob


def kept() -> list[str]:
    return [row.name for row in bpy.context.window_manager.riff.variations if row.kept]


def hands(ob: bpy.types.Object, first: int = 1, frames: int = FRAMES) -> np.ndarray:
    """Places of the left hand in the world, relative to the first, with the length of the forearm as the unit."""
    found = []
    for frame in range(first, first + frames, 10):
        bpy.context.scene.frame_set(frame)
        bone = ob.pose.bones["hand.L"]
        found.append(np.array(ob.matrix_world @ bone.head))
    arm = ob.data.bones["forearm.L"]
    length = np.linalg.norm(np.array(ob.matrix_world.to_3x3() @ (arm.tail_local - arm.head_local)))
    return (np.array(found) - found[0]) / length


def read_back(path: Path, kind: str) -> bpy.types.Object:
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 30, 1.0
    if kind == "FBX":
        bpy.ops.wm.fbx_import(filepath=str(path))
    elif kind == "GLTF":
        bpy.ops.import_scene.gltf(filepath=str(path))
    else:
        bpy.ops.import_anim.bvh(filepath=str(path), axis_forward="Y", axis_up="Z")
    return next(ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE")


def state(ob: bpy.types.Object) -> dict[str, Any]:
    scene = bpy.context.scene
    return {
        "action": (ob.animation_data.action.name, ob.animation_data.action_slot.identifier),
        "selected": sorted(one.name for one in bpy.context.view_layer.objects if one.select_get()),
        "active": bpy.context.view_layer.objects.active.name,
        "scene": (scene.frame_start, scene.frame_end, scene.frame_current, scene.render.fps),
        "pose": [tuple(round(x, 5) for row in bone.matrix for x in row) for bone in ob.pose.bones],
        "objects": sorted(bpy.data.objects.keys()),
        "actions": sorted((one.name, one.users, one.use_fake_user) for one in bpy.data.actions),
        "mode": ob.mode,
    }


@pytest.mark.parametrize(("kind", "suffix"), [("FBX", ".fbx"), ("GLTF", ".glb"), ("BVH", ".bvh")])
def test_each_kept_variation_becomes_a_file_that_plays_it(
    dancer: bpy.types.Object, tmp_path: Path, kind: str, suffix: str
) -> None:
    names = kept()
    cube = bpy.data.objects.new("Other", None)
    bpy.context.scene.collection.objects.link(cube)
    dancer.select_set(False)
    cube.select_set(True)
    bpy.context.scene.frame_set(17)
    before = state(dancer)
    assert bpy.ops.riff.export_takes(directory=str(tmp_path), kind=kind) == {"FINISHED"}
    assert state(dancer) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}{suffix}" for name in names)
    action = bpy.data.actions[names[1]]
    dancer.animation_data.action, dancer.animation_data.action_slot = action, action.slots[0]
    wanted = hands(dancer)
    assert np.abs(wanted).max() > 0.5, "the hand moves"
    other = read_back(tmp_path / f"{names[1]}{suffix}", kind)
    first = int(other.animation_data.action.frame_range[0])
    assert round(other.animation_data.action.frame_range[1]) - first == FRAMES - 1
    meshes = [ob for ob in bpy.context.scene.objects if ob.type == "MESH" and not ob.name.startswith("Ico")]
    assert bool(meshes) == (kind != "BVH")
    np.testing.assert_allclose(hands(other, first), wanted, atol=0.02)


def test_what_was_posed_and_not_keyed_comes_back(dancer: bpy.types.Object, tmp_path: Path) -> None:
    dancer.animation_data.action = None
    dancer.pose.bones["hand.L"].rotation_quaternion = (0.9, 0.1, 0.4, 0.0)
    dancer.pose.bones["hips"].location = (0.1, 0.2, 0.3)
    values = [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones]
    assert bpy.ops.riff.export_takes(directory=str(tmp_path), kind="BVH", which="ALL") == {"FINISHED"}
    assert len(list(tmp_path.iterdir())) == 3
    assert dancer.animation_data.action is None
    assert [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones] == values
    assert tuple(dancer.pose.bones["hips"].location) == pytest.approx((0.1, 0.2, 0.3))


def test_what_cannot_be_exported_is_said(riff: ModuleType, dancer: bpy.types.Object, tmp_path: Path) -> None:
    export = bpy.ops.riff.export_takes
    for choices, words in (({}, "Choose a folder"), ({"directory": str(tmp_path / "none")}, "There is no folder")):
        with pytest.raises(RuntimeError, match=words):
            export(**choices)
    assert export(directory=str(tmp_path), kind="BVH") == {"FINISHED"}
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    with pytest.raises(RuntimeError, match="exists already; choose another folder, or switch Overwrite on"):
        export(directory=str(tmp_path), kind="BVH")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times
    assert export(directory=str(tmp_path), kind="BVH", overwrite=True) == {"FINISHED"}
    before = state(dancer)
    addon_utils.disable("io_anim_bvh")
    try:
        with pytest.raises(RuntimeError, match=r"switch the add-on BioVision.* on in the preferences"):
            export(directory=str(tmp_path), kind="BVH", overwrite=True)
    finally:
        addon_utils.enable("io_anim_bvh")
    assert state(dancer) == before
    for row in bpy.context.window_manager.riff.variations:
        if row.kept:
            bpy.ops.riff.keep_variation(action=row.name)
    with pytest.raises(RuntimeError, match="No variation is kept"):
        export(directory=str(tmp_path), kind="FBX")
    dancer.hide_set(True)
    with pytest.raises(RuntimeError, match="hidden; show it"):
        export(directory=str(tmp_path), kind="FBX", which="ALL")
    dancer.hide_set(False)
    bpy.ops.riff.discard_others()
    bpy.ops.mesh.primitive_cube_add()
    with pytest.raises(RuntimeError, match="Select an armature"):
        export(directory=str(tmp_path))


def test_stopping_between_two_files_leaves_whole_ones(
    riff: ModuleType, dancer: bpy.types.Object, tmp_path: Path
) -> None:
    operator = importlib.import_module(f"{riff.__name__}.operators.exporting.export_takes").RIFF_OT_export_takes
    asked = type("Asked", (), {"directory": str(tmp_path), "kind": "BVH", "which": "KEPT", "overwrite": False})()
    asked._paths = lambda context: operator._paths(asked, context)
    before = state(dancer)
    steps = operator.steps(asked, bpy.context)
    shares = [next(steps), next(steps)]
    steps.close()
    assert shares == [0.0, 0.5]
    assert len(list(tmp_path.iterdir())) == 1
    assert state(dancer) == before
