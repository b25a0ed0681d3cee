"""Armatures with actions for the tests: a small biped with rolled bones below a root bone, in any rotation mode."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

BONES: dict[str, tuple[str, tuple[float, float, float], tuple[float, float, float], float]] = {
    "root": ("", (0.0, 0.0, 0.0), (0.0, 0.4, 0.0), 0.3),
    "hips": ("root", (0.0, 0.02, 0.95), (0.0, 0.03, 1.1), 0.0),
    "spine": ("hips", (0.0, 0.03, 1.1), (0.0, 0.0, 1.4), -0.4),
    "head": ("spine", (0.0, 0.01, 1.5), (0.0, 0.05, 1.75), 1.2),
    "arm.L": ("spine", (0.2, 0.0, 1.4), (0.6, 0.1, 1.2), 0.7),
    "arm.R": ("spine", (-0.2, 0.0, 1.4), (-0.6, 0.1, 1.2), -2.5),
    "thigh.L": ("hips", (0.1, 0.0, 0.9), (0.12, -0.03, 0.5), 0.2),
    "shin.L": ("thigh.L", (0.12, -0.03, 0.5), (0.12, 0.0, 0.1), 0.1),
    "foot.L": ("shin.L", (0.12, 0.0, 0.1), (0.12, -0.2, 0.02), 3.0),
    "thigh.R": ("hips", (-0.1, 0.0, 0.9), (-0.12, -0.03, 0.5), -0.2),
    "shin.R": ("thigh.R", (-0.12, -0.03, 0.5), (-0.12, 0.0, 0.1), -0.1),
    "foot.R": ("shin.R", (-0.12, 0.0, 0.1), (-0.12, -0.2, 0.02), 1.0),
}
"""Name: parent, head, tail, roll. Spine, shins and feet start where their parents end, so they are connected."""

MODES = ("QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
FRAMES = range(1, 102, 4)


def add_biped(mode: str = "QUATERNION", name: str = "Biped") -> Any:
    """The biped at rest, without an action, active in the scene."""
    armature = bpy.data.armatures.new(name)
    biped: Any = bpy.data.objects.new(name, armature)
    bpy.context.scene.collection.objects.link(biped)
    bpy.context.view_layer.objects.active = biped
    bpy.ops.object.mode_set(mode="EDIT")
    for bone_name, (parent, head, tail, roll) in BONES.items():
        bone = armature.edit_bones.new(bone_name)
        bone.head, bone.tail, bone.roll = head, tail, roll
        if parent:
            bone.parent = armature.edit_bones[parent]
            bone.use_connect = BONES[parent][2] == head
    bpy.ops.object.mode_set(mode="OBJECT")
    for pose_bone in biped.pose.bones:
        pose_bone.rotation_mode = mode
    return biped


def add_dancing_biped(mode: str = "QUATERNION", still: Sequence[str] = ("root",)) -> Any:
    """The biped with an active action of its own: every bone but those in `still` turns, the hips travel."""
    biped = add_biped(mode)
    key(biped, "hips", "location", lambda t: (0.3 * math.sin(t), 0.1 * math.cos(2 * t), 0.5 * t))
    for number, bone in enumerate(biped.pose.bones):
        if bone.name not in still:
            key_turns(biped, bone.name, partial(swing, number=number))
    return biped


def add_swinging_biped() -> Any:
    """The biped with two actions: it swings, and it bows far down."""
    ob = add_dancing_biped()
    ob.animation_data.action.name = "Swing"
    key_turns(ob, "spine", lambda t: Matrix.Rotation(0.2 * math.sin(t), 4, "X"))
    bow = ob.animation_data.action.copy()
    bow.name = "Bow"
    swing, ob.animation_data.action = ob.animation_data.action, bow
    key_turns(ob, "spine", lambda t: Matrix.Rotation(1.2 + 0.2 * math.sin(2.0 * t), 4, "X"))
    ob.animation_data.action = swing
    bpy.context.view_layer.update()
    return ob


def bent(motion: Any) -> np.ndarray:
    """The angle of the spine in each frame."""
    turn = motion.rotations()[:, motion.skeleton.names.index("spine")]
    return np.asarray(np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1.0) / 2.0, -1.0, 1.0)))


def swing(t: float, number: int) -> Matrix:
    """A smooth rotation, large enough to pass through awkward angles."""
    turn = Matrix.Rotation(1.7 * math.sin(t + number), 3, "X") @ Matrix.Rotation(1.3 * math.sin(1.7 * t), 3, "Y")
    return turn @ Matrix.Rotation(2.0 * math.cos(0.8 * t + number), 3, "Z")


def key_turns(biped: Any, bone: str, turn: Callable[[float], Matrix]) -> None:
    """Key a bone's rotation in its own rotation mode, at every fourth frame."""
    mode = biped.pose.bones[bone].rotation_mode

    def channels(t: float) -> Iterable[float]:
        quaternion: Any = turn(t).to_quaternion()
        if mode == "QUATERNION":
            return list(quaternion)
        if mode == "AXIS_ANGLE":
            axis, angle = quaternion.to_axis_angle()
            return (angle, *axis)
        euler: Any = turn(t).to_euler(mode)
        return list(euler)

    path = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(mode, "rotation_euler")
    key(biped, bone, path, channels)


def key(biped: Any, bone: str, path: str, values: Callable[[float], Iterable[float]]) -> None:
    """Key a property of a bone (of the object if `bone` is empty) at every fourth frame; t goes from 0 to about 6."""
    owner: Any = biped.pose.bones[bone] if bone else biped
    for frame in FRAMES:
        setattr(owner, path, tuple(values((frame - 1) / 16.0)))
        owner.keyframe_insert(path, frame=frame)


def world_pose(biped: Any, frame: int) -> dict[str, np.ndarray]:
    """Each bone's world matrix as Blender evaluates it in the user's own scene."""
    bpy.context.scene.frame_set(frame)
    evaluated = biped.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {bone.name: np.array(evaluated.matrix_world @ bone.matrix) for bone in evaluated.pose.bones}


def curve_values(action: Any) -> dict[tuple[str, str, int], list[tuple[float, ...]]]:
    """Every number of every key of an action, by slot, path and index."""
    return {
        (slot.identifier, curve.data_path, curve.array_index): [
            (*point.co, *point.handle_left, *point.handle_right, point.interpolation, point.type)
            for point in curve.keyframe_points
        ]
        for slot in action.slots
        for bag in [action.layers[0].strips[0].channelbag(slot)]
        if bag
        for curve in bag.fcurves
    }


def state_of_file() -> dict[str, object]:
    """State that reading and writing must leave alone: data-blocks, the scene's frame, what objects play and how."""
    lists = ("actions", "armatures", "objects", "scenes", "meshes", "collections", "worlds")
    state: dict[str, object] = {name: sorted(block.name for block in getattr(bpy.data, name)) for name in lists}
    scene = bpy.context.scene
    state["scene"] = (scene.name, scene.frame_current_final, scene.render.fps, scene.render.fps_base)
    state["active"] = bpy.context.view_layer.objects.active
    for ob in bpy.data.objects:
        data = ob.animation_data
        played = (data.action, data.action_slot, data.use_nla, len(data.nla_tracks)) if data else None
        pose = [np.array(bone.matrix_basis).tolist() for bone in ob.pose.bones] if ob.pose else None
        state[f"object {ob.name}"] = (played, pose, np.array(ob.matrix_world).tolist(), ob.select_get(), ob.mode)
    state["users"] = {action.name: (action.users, action.use_fake_user) for action in bpy.data.actions}
    return state
