"""Import of a clip as an armature with an action, by Blender's own importers."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import addon_utils
import bpy

EXTENSION = "bl_ext.user_default.riff"


class DemoError(Exception):
    """Error that stops the demo, with a message of one sentence."""


def core(module: str) -> Any:
    """Return a module of the installed extension's core."""
    return importlib.import_module(f"{EXTENSION}.core.{module}")


def import_bvh(path: Path) -> None:
    # Blender's importer accepts truncated files silently; Riff's reader reports the error.
    core("motion.bvh").read_bvh(path)
    addon_utils.enable("io_anim_bvh")
    bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=True, update_scene_duration=True)


def import_fbx(path: Path) -> None:
    bpy.ops.wm.fbx_import(filepath=str(path))


def import_gltf(path: Path) -> None:
    addon_utils.enable("io_scene_gltf2")
    bpy.ops.import_scene.gltf(filepath=str(path))


def open_blend(path: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)


IMPORTERS = {".bvh": import_bvh, ".fbx": import_fbx, ".glb": import_gltf, ".gltf": import_gltf, ".blend": open_blend}


def check_clip(path: Path) -> None:
    """Raise DemoError for a path that cannot be a clip."""
    if path.suffix.lower() not in IMPORTERS:
        raise DemoError(f"“{path.name}” is none of {', '.join(IMPORTERS)}.")
    if not path.is_file():
        raise DemoError(f"There is no file “{path}”.")


def load_clip(path: Path) -> bpy.types.Object:
    """Import a clip into an empty file and return its armature, active and with an action; set the scene's range to the
    action's. Raises DemoError where the importer fails or no armature moves."""
    bpy.ops.wm.read_homefile(use_empty=True)
    try:
        IMPORTERS[path.suffix.lower()](path)
    except RuntimeError as error:
        raise DemoError(f"Blender cannot import “{path.name}”: {sentence(error)}") from error
    armatures = [ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE" and longest_action(ob)]
    if not armatures:
        raise DemoError(f"“{path.name}” has no armature with an action.")
    armature = max(armatures, key=lambda ob: (length(longest_action(ob)), len(ob.data.bones)))
    make_ready(armature)
    return armature


def make_ready(armature: bpy.types.Object) -> None:
    """Assign the armature its longest action alone, make it active, and set the scene's range."""
    scene, data = bpy.context.scene, armature.animation_data
    action = longest_action(armature)
    for track in data.nla_tracks:
        track.mute = True
    bpy.context.view_layer.update()
    importlib.import_module(f"{EXTENSION}.rig.compat").assign_action(armature, action)
    bpy.context.view_layer.objects.active = armature
    scene.frame_start, scene.frame_end = int(action.frame_range[0]), int(action.frame_range[1])
    scene.frame_set(scene.frame_start)


def longest_action(ob: bpy.types.Object) -> bpy.types.Action | None:
    """Return the active action, else the longest one of the NLA, where importers put several."""
    data = ob.animation_data
    if data is None or data.action is not None:
        return data.action if data else None
    actions = [strip.action for track in data.nla_tracks for strip in track.strips if strip.action]
    return max(actions, key=length, default=None)


def length(action: bpy.types.Action) -> float:
    return float(action.frame_range[1] - action.frame_range[0])


def sentence(error: Exception) -> str:
    """Return an operator's error message without Blender's prefix."""
    return str(error).strip().removeprefix("Error: ").splitlines()[0]
