"""Rotation keys that have no effect, because the bone is in another rotation mode."""

from __future__ import annotations

import bpy

from .actions import Source, moves, rotation_modes, rotation_path, split_bone_path, switched_modes


def bones_with_dead_rotation(armature_object: bpy.types.Object, source: Source) -> list[str]:
    """Return the bones whose keyed rotation moves in another rotation mode than theirs, and not in their own.

    Blender plays them without that rotation: keys of quaternions on a bone in XYZ, or the reverse.
    """
    modes, switched = rotation_modes(armature_object, source), switched_modes(source)
    dead, alive = set(), set()
    for curve in source.curves:
        channel = split_bone_path(curve.data_path)
        if channel is None or channel[0] not in modes or channel[0] in switched or curve.mute:
            continue
        bone, path = channel
        if path.startswith("rotation_") and moves(curve):
            (alive if path == rotation_path(modes[bone]) else dead).add(bone)
    return [bone.name for bone in armature_object.pose.bones if bone.name in dead - alive]
