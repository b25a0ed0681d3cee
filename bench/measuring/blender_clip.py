"""Clips of any format that Blender imports, read by the extension's own reader."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy

from core.errors import ClipError
from core.motion.motion import MIN_SECONDS, Motion
from core.motion.properties import AnimatedProperty
from core.motion.skeleton import Skeleton

from .machine import ROOT


def read_with_blender(path: Path, least: float = MIN_SECONDS) -> Motion:
    """Return the longest action of the first animated armature in a file; BVH files must have Z up.

    Raises ClipError if no armature has an action of `least` seconds.
    """
    bpy.ops.wm.read_homefile(use_empty=True)
    if path.suffix == ".bvh":
        importlib.import_module("addon_utils").enable("io_anim_bvh")
        bpy.ops.import_anim.bvh(
            filepath=str(path), axis_forward="Y", axis_up="Z", update_scene_fps=True, update_scene_duration=True
        )
    elif path.suffix == ".fbx":
        bpy.ops.wm.fbx_import(filepath=str(path))
    elif path.suffix == ".blend":
        bpy.ops.wm.open_mainfile(filepath=str(path))
    else:
        importlib.import_module("addon_utils").enable("io_scene_gltf2")
        bpy.ops.import_scene.gltf(filepath=str(path))
    actions = sorted(bpy.data.actions, key=_seconds, reverse=True)
    for rig in (ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE"):
        motion = _first_motion(rig, [action for action in actions if _seconds(action) >= least])
        if motion is not None:
            return motion
    raise ClipError(f"“{path.name}” has no armature with an action of {least:g} s.")


def read_actions(path: Path, names: Iterable[str]) -> list[Motion]:
    """Return the named actions of the first armature in a file that Blender imports; raises ClipError for others."""
    bpy.ops.wm.read_homefile(use_empty=True)
    importlib.import_module("addon_utils").enable("io_scene_gltf2")
    bpy.ops.import_scene.gltf(filepath=str(path))
    rig = next(ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE")
    motions = []
    for name in names:
        motion = _first_motion(rig, [action for action in bpy.data.actions if action.name == name])
        if motion is None:
            raise ClipError(f"“{path.name}” has no action “{name}” of its first armature.")
        motions.append(motion)
    return motions


def _first_motion(rig: bpy.types.Object, actions: Iterable[bpy.types.Action]) -> Motion | None:
    """Return the motion of the first action that moves an armature, or None."""
    data = rig.animation_data or rig.animation_data_create()
    for track in data.nla_tracks:
        track.mute = True
    scene, core_error = bpy.context.scene, _module("core.errors").RiffError
    for action in actions:
        _module("rig.compat").assign_action(rig, action)
        bpy.context.view_layer.objects.active = rig
        scene.frame_start, scene.frame_end = int(action.frame_range[0]), int(action.frame_range[1])
        bpy.context.view_layer.update()
        try:
            return _bench_motion(_module("rig.reading.read").read_motion(rig))
        except core_error:
            continue  # the action moves another rig
    return None


def _seconds(action: bpy.types.Action) -> float:
    render = bpy.context.scene.render
    return float(action.frame_range[1] - action.frame_range[0]) * render.fps_base / render.fps


def _module(name: str) -> Any:
    """Import a module of the extension from its sources, as part of a package: its imports are relative."""
    package = "riff_from_source"
    if package not in sys.modules:
        module = ModuleType(package)
        module.__path__ = [str(ROOT)]
        sys.modules[package] = module
    return importlib.import_module(f"{package}.{name}")


def _bench_motion(motion: Any) -> Motion:
    """Return a Motion of the extension's package as a Motion of `core`, which the benchmarks import."""
    skeleton = motion.skeleton
    parts = {field.name: getattr(skeleton, field.name) for field in fields(Skeleton)}
    parts["properties"] = tuple(
        AnimatedProperty(**{field.name: getattr(one, field.name) for field in fields(AnimatedProperty)})
        for one in skeleton.properties
    )
    return Motion(motion.features, Skeleton(**parts), motion.fps, motion.origin)
