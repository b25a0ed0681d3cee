"""The sample dancer: an armature, its body and an action with the sample dance."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from ..core.numeric.rotation import Array, continuous_signs, quaternion_from_matrix
from ..rig.compat import assign_action, ensure_pose, new_channelbag, new_fcurve
from .body import make_body
from .bones import rest_bones
from .dance import Dance, work_out_dance
from .place import free_place
from .steps import PHRASES, SECONDS_PER_BEAT

DANCER_NAME = "Dancer"
ACTION_NAME = "Sample Dance"
MODEL = Path(__file__).with_name("dancer.safetensors")
"""File of a model that was trained on the sample dance."""

LINEAR = 1
"""Value of the enum Keyframe.interpolation in 4.5 and 5.2."""


def add_sample_dancer(target: bpy.types.Context | bpy.types.Scene) -> bpy.types.Object:
    """Add the sample dancer to a scene: armature, skinned body and 20 seconds of dance at the scene's rate.

    The action starts at the scene's first frame and keys every frame: all bones' rotations and the hips' location.
    She stands beside what is in the scene. Returns the armature object. The scene's frame rate and range stay as they
    are.
    """
    scene = target if isinstance(target, bpy.types.Scene) else target.scene
    place = free_place(scene)
    armature = _add_armature(scene)
    armature.location.x = place
    scene.collection.objects.link(make_body(f"{DANCER_NAME} Body", armature))
    fps = scene.render.fps / scene.render.fps_base
    _add_action(armature, work_out_dance(fps), scene.frame_start, fps)
    return armature


def _add_armature(scene: bpy.types.Scene) -> bpy.types.Object:
    armature = bpy.data.objects.new(DANCER_NAME, bpy.data.armatures.new(DANCER_NAME))
    scene.collection.objects.link(armature)
    with _shown(scene):
        objects = bpy.context.view_layer.objects
        if objects.active is not None and objects.active.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for ob in objects:
            ob.select_set(ob == armature)
        objects.active = armature
        # Bones can only be made in edit mode.
        bpy.ops.object.mode_set(mode="EDIT")
        _add_bones(armature)
        bpy.ops.object.mode_set(mode="OBJECT")
    ensure_pose(armature)
    armature.data.display_type = "STICK"  # Blender's octahedra would stick out of the calves
    return armature


@contextmanager
def _shown(scene: bpy.types.Scene) -> Iterator[None]:
    """Show a scene in the window for as long as the block lasts: modes can be changed in the shown scene only."""
    window = bpy.context.window
    before = window.scene
    window.scene = scene
    try:
        yield
    finally:
        window.scene = before


def _add_bones(armature: bpy.types.Object) -> None:
    edit_bones = armature.data.edit_bones
    for name, rest in rest_bones().items():
        bone = edit_bones.new(name)
        bone.head, bone.tail = rest.head, rest.tail
        bone.align_roll(Vector(rest.z_axis))
        if rest.parent:
            bone.parent = edit_bones[rest.parent]
            bone.use_connect = (bone.head - bone.parent.tail).length < 1e-6


def _add_action(armature: bpy.types.Object, dance: Dance, start: int, fps: float) -> None:
    action = bpy.data.actions.new(ACTION_NAME)
    slot = action.slots.new("OBJECT", armature.name)
    bag = new_channelbag(action, slot)
    frames = start + np.arange(len(dance.hips))
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
        channels = {"rotation_quaternion": _local_quaternions(bone.bone, dance)}
        if bone.parent is None:
            rest = bone.bone.matrix_local
            channels["location"] = (dance.hips - np.array(rest.translation)) @ np.array(rest.to_3x3())
        for path, values in channels.items():
            for index, column in enumerate(values.T):
                _set_keys(new_fcurve(bag, bone.path_from_id(path), index, bone.name), frames, column)
    for beat, name in PHRASES:
        action.pose_markers.new(name).frame = start + round(beat * SECONDS_PER_BEAT * fps)
    assign_action(armature, action, slot)


def _local_quaternions(bone: bpy.types.Bone, dance: Dance) -> Array:
    """Return a bone's rotation relative to its parent, in its rest axes, as quaternions (n, 4) with
    continuous signs.
    """
    rotations = dance.rotations[bone.name]
    if bone.parent is not None:
        rotations = np.swapaxes(dance.rotations[bone.parent.name], 1, 2) @ rotations
    rest = np.array(bone.matrix_local.to_3x3())
    quaternions = quaternion_from_matrix(rest.T @ rotations @ rest)
    return np.asarray(quaternions * continuous_signs(quaternions)[:, None])


def _set_keys(curve: bpy.types.FCurve, frames: np.ndarray, values: Array) -> None:
    curve.keyframe_points.add(len(frames))
    curve.keyframe_points.foreach_set("co", np.stack([frames, values], axis=1).ravel())
    curve.keyframe_points.foreach_set("interpolation", np.full(len(frames), LINEAR, dtype=np.int32))
    curve.update()
