"""Clips of the user's, as the demo takes them: written by exporters, read back by its importers."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import addon_utils
import bpy
import pytest

from bench.measuring.clips import DemoError, check_clip, load_clip


def export(riff: ModuleType, suffix: str, path: Path) -> None:
    if suffix == ".bvh":
        # Riff's own: Blender's exporter leaves Z up, which its importer then takes for a figure that lies down.
        motion = importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(bpy.context.object)
        importlib.import_module(f"{riff.__name__}.core.motion.bvh").write_bvh(path, motion)
    elif suffix == ".fbx":
        addon_utils.enable("io_scene_fbx")
        bpy.ops.export_scene.fbx(filepath=str(path), add_leaf_bones=False)
    elif suffix == ".glb":
        addon_utils.enable("io_scene_gltf2")
        bpy.ops.export_scene.gltf(filepath=str(path))
    else:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)


@pytest.mark.parametrize("suffix", [".bvh", ".fbx", ".glb", ".blend"])
def test_clip_of_each_kind_can_be_learned(riff: ModuleType, tmp_path: Path, suffix: str) -> None:
    bpy.ops.riff.add_sample_dancer()
    bpy.context.object.animation_data.action.name = "Dance"
    bpy.context.scene.frame_end = 90
    path = tmp_path / f"clip{suffix}"
    export(riff, suffix, path)
    check_clip(path)
    armature = load_clip(path)
    assert bpy.context.object == armature
    assert armature.animation_data.action_slot is not None
    motion = importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(armature)
    importlib.import_module(f"{riff.__name__}.core.motion.motion").learned_groups(motion)
    assert motion.duration > 2
    assert motion.skeleton.names[0] == "hips"
    assert len(motion.skeleton.contacts) > 0


def test_clips_that_cannot_be_used_are_named(riff: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"There is no file “.*missing\.bvh”"):
        check_clip(tmp_path / "missing.bvh")
    with pytest.raises(DemoError, match=r"“clip\.mov” is none of"):
        check_clip(tmp_path / "clip.mov")
    (tmp_path / "broken.fbx").write_bytes(b"nothing")
    with pytest.raises(DemoError, match=r"broken\.fbx"):
        load_clip(tmp_path / "broken.fbx")
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "empty.blend"), copy=True)
    with pytest.raises(DemoError, match="no armature with an action"):
        load_clip(tmp_path / "empty.blend")
