"""Rotation keys without effect: of another rotation mode than their bone's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy

from ..reading.actions import Source, rotation_path, split_bone_path
from ..reading.keys import keys_of


@dataclass(frozen=True)
class DeadKeys:
    """Moving rotation keys of a bone at a property that its rotation mode does not read.

    `alone` is True if the bone has no moving rotation keys besides, so that they would turn it in their own mode.
    """

    bone: str
    path: str
    alone: bool


def find_dead_keys(armature_object: bpy.types.Object, source: Source) -> list[DeadKeys]:
    """Return the dead rotation keys of an action; none of bones whose rotation mode is keyed itself."""
    modes = {bone.name: bone.rotation_mode for bone in armature_object.pose.bones}
    keyed: dict[str, dict[str, list[bpy.types.FCurve]]] = {}
    for curve in source.curves:
        channel = split_bone_path(curve.data_path)
        if not curve.mute and channel is not None and channel[0] in modes and channel[1].startswith("rotation_"):
            keyed.setdefault(channel[0], {}).setdefault(channel[1], []).append(curve)
    found = []
    for bone, paths in keyed.items():
        live = rotation_path(modes[bone])
        if "rotation_mode" in paths:
            continue
        dead = [path for path, curves in paths.items() if path != live and _moves(curves)]
        if dead:
            alone = not _moves(paths.get(live, []))
            found += [DeadKeys(bone, path, alone and path == dead[0]) for path in dead]
    return found


def _moves(curves: Sequence[bpy.types.FCurve]) -> bool:
    return any(keys_of(curve).moving().any() for curve in curves if len(curve.keyframe_points))


MODES = {"rotation_quaternion": "QUATERNION", "rotation_axis_angle": "AXIS_ANGLE", "rotation_euler": "XYZ"}
"""Rotation mode that makes keys of a property count."""


def mend_dead_keys(armature_object: bpy.types.Object, source: Source) -> None:
    """Let dead rotation keys turn their bone where they are alone, by its rotation mode; remove the others."""
    found = find_dead_keys(armature_object, source)
    for one in found:
        if one.alone:
            bone: Any = armature_object.pose.bones[one.bone]
            bone.rotation_mode = MODES[one.path]
    unneeded = {(one.bone, one.path) for one in found if not one.alone}
    for bag in (source.bag, *source.others):
        for curve in [one for one in bag.fcurves if split_bone_path(one.data_path) in unneeded]:
            bag.fcurves.remove(curve)
