"""The sample scene's dancer: an armature, its body and an action with the sample dance."""

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from ..core.rotation import Array
from .dance import Dance, work_out_dance
from .dance_steps import PHRASES, SECONDS_PER_BEAT
from .dancer_body import make_body
from .dancer_bones import rest_bones

NAME = "Dancer"
ACTION_NAME = "Sample Dance"
LINEAR = 1  # value of 'LINEAR' in the Interpolation enum, same in 4.5 and 5.2


def add_sample_dancer(target: bpy.types.Context | bpy.types.Scene) -> bpy.types.Object:
    """Add the sample dancer to a scene: armature, skinned body and about 20 seconds of dance at the scene's rate.

    The action starts at the scene's first frame, with a key on each frame: rotations of every bone, location of the
    hips. Returns the armature object. The scene's frame rate and range stay as they are.
    """
    scene = target if isinstance(target, bpy.types.Scene) else target.scene
    armature = _add_armature(scene)
    scene.collection.objects.link(make_body(f"{NAME} Body", armature))
    fps = scene.render.fps / scene.render.fps_base
    _add_action(armature, work_out_dance(fps), scene.frame_start, fps)
    return armature


def _add_armature(scene: bpy.types.Scene) -> bpy.types.Object:
    armature = bpy.data.objects.new(NAME, bpy.data.armatures.new(NAME))
    scene.collection.objects.link(armature)
    view_layer = _view_layer(scene)
    for ob in view_layer.objects:
        ob.select_set(ob == armature, view_layer=view_layer)
    if view_layer.objects.active is not None and view_layer.objects.active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    view_layer.objects.active = armature
    # Bones can only be made in edit mode; the mode operators need no window.
    with bpy.context.temp_override(scene=scene, view_layer=view_layer, active_object=armature, object=armature):
        bpy.ops.object.mode_set(mode="EDIT")
        _add_bones(armature.data)
        bpy.ops.object.mode_set(mode="OBJECT")
    # Without an update the armature has no pose yet, and assigning an action slot then crashes 4.5 and 5.2.
    view_layer.update()
    return armature


def _view_layer(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    return bpy.context.view_layer if bpy.context.scene == scene else scene.view_layers[0]


def _add_bones(data: bpy.types.Armature) -> None:
    for name, rest in rest_bones().items():
        bone = data.edit_bones.new(name)
        bone.head, bone.tail = rest.head, rest.tail
        bone.align_roll(Vector(rest.z_axis))
        if rest.parent:
            bone.parent = data.edit_bones[rest.parent]
            bone.use_connect = (bone.head - bone.parent.tail).length < 1e-6


def _add_action(armature: bpy.types.Object, dance: Dance, start: int, fps: float) -> None:
    action = bpy.data.actions.new(ACTION_NAME)
    slot = action.slots.new("OBJECT", armature.name)
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    frames = start + np.arange(len(dance.hips))
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
        group = bag.groups.new(bone.name)
        channels = {"rotation_quaternion": _local_quaternions(bone.bone, dance)}
        if bone.parent is None:
            rest = bone.bone.matrix_local
            channels["location"] = (dance.hips - np.array(rest.translation)) @ np.array(rest.to_3x3())
        for path, values in channels.items():
            for index, column in enumerate(values.T):
                curve = bag.fcurves.new(bone.path_from_id(path), index=index)
                curve.group = group
                _set_keys(curve, frames, column)
    for beat, name in PHRASES:
        action.pose_markers.new(name).frame = start + round(beat * SECONDS_PER_BEAT * fps)
    data = armature.animation_data_create()
    data.action = action
    data.action_slot = slot


def _local_quaternions(bone: bpy.types.Bone, dance: Dance) -> Array:
    """Turn of a bone against its parent in its own rest axes, as quaternions (n, 4) with continuous signs."""
    turns = dance.turns[bone.name]
    if bone.parent is not None:
        turns = np.swapaxes(dance.turns[bone.parent.name], 1, 2) @ turns
    rest = np.array(bone.matrix_local.to_3x3())
    quaternions: list[Quaternion] = []
    for turn in rest.T @ turns @ rest:
        quaternion = Matrix(turn).to_quaternion()
        if quaternions:
            quaternion.make_compatible(quaternions[-1])
        quaternions.append(quaternion)
    return np.array(quaternions)


def _set_keys(curve: bpy.types.FCurve, frames: Array, values: Array) -> None:
    curve.keyframe_points.add(len(frames))
    curve.keyframe_points.foreach_set("co", np.stack([frames, values], axis=1).ravel())
    curve.keyframe_points.foreach_set("interpolation", np.full(len(frames), LINEAR, dtype=np.int32))
    curve.update()
