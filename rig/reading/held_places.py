"""Places in the world of bones and objects, for pins and waypoints."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np

from ...core.directing.route import Route
from ...core.errors import ClipError
from ...core.numeric.rotation import Array, quaternion_from_matrix, yaw_of
from ..compat import channelbag_of
from ..unseen import unseen
from .actions import source_of
from .evaluate import rotation_part, sample_poses
from .selection import curve_points

MAX_HELD_FRAMES = 10_000
"""Most frames of a pin, and places of a curve with a timing: each is evaluated by Blender before a take is made."""

Places = tuple[tuple[float, ...], ...]


def place_now(ob: bpy.types.Object, bone: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return where a bone's head is in the viewport, and its turn from the rest pose as a quaternion (w, x, y, z)."""
    matrix = np.array(ob.matrix_world @ ob.pose.bones[bone].matrix, dtype=np.float64)
    return tuple(matrix[:3, 3].tolist()), _turns(matrix[None], ob, bone)[0]


def places_of_bone(
    other: bpy.types.Object, bone: str, frames: Sequence[int], scene: bpy.types.Scene
) -> tuple[Places, Array]:
    """Return where another armature's bone is at each frame, and its world matrices (T, 4, 4).

    Raises ClipError for a bone that it lacks.
    """
    if bone not in other.pose.bones:
        raise ClipError(f"“{other.name}” has no bone “{bone}”; choose another one for the pin.")
    if other.animation_data is None or other.animation_data.action is None:
        matrices = np.repeat(np.array(other.matrix_world @ other.pose.bones[bone].matrix)[None], len(frames), axis=0)
    else:
        poses = sample_poses(other, source_of(other), frames, scene)
        matrices = poses.world @ poses.pose[:, other.pose.bones.find(bone)]
    return _points(matrices), matrices


def places_of_object(ob: bpy.types.Object, frames: Sequence[int], scene: bpy.types.Scene) -> tuple[Places, Array]:
    """Return where an object is at each frame, and its world matrices (T, 4, 4); the user's scene stays as it is."""
    if not _moves(ob):
        matrices = np.repeat(np.array(ob.matrix_world, dtype=np.float64)[None], len(frames), axis=0)
        return _points(matrices), matrices
    with unseen():
        copy, own = ob.copy(), bpy.data.scenes.new("Riff")
        try:
            own.render.fps, own.render.fps_base = scene.render.fps, scene.render.fps_base
            own.collection.objects.link(copy)
            found = []
            for frame in frames:
                own.frame_set(frame)
                evaluated = copy.evaluated_get(own.view_layers[0].depsgraph)
                found.append(np.array(evaluated.matrix_world, dtype=np.float64))
        finally:
            bpy.data.objects.remove(copy)
            bpy.data.scenes.remove(own)
    matrices = np.array(found)
    return _points(matrices), matrices


def turns_from_rest(matrices: Array, ob: bpy.types.Object, bone: str) -> Places:
    """Return the turns from its rest pose, as quaternions, of a bone whose axes are those of world matrices."""
    return _turns(matrices, ob, bone) if bone in ob.data.bones else ()


def heading_of(matrix: Array) -> float:
    """Return the turn of a world matrix (4, 4) about the vertical in degrees."""
    return float(np.degrees(yaw_of(rotation_part(matrix[:3, :3]))))


def timed_places(ob: bpy.types.Object, scene: bpy.types.Scene) -> list[tuple[int, tuple[float, float]]]:
    """Return the frames, keys and every second between them, at which a curve's keyed evaluation time is somewhere on
    the curve, and the places (x, y) there.

    Raises ClipError for anything but a curve with a length whose evaluation time has two keys.
    """
    line = Route(np.array(curve_points(ob)))
    animation = ob.data.animation_data
    slot = animation.action_slot if animation is not None and animation.action is not None else None
    bag = channelbag_of(animation.action, slot) if slot is not None else None
    timing = next((curve for curve in (bag.fcurves if bag else ()) if curve.data_path == "eval_time"), None)
    known = [float(key.co[0]) for key in timing.keyframe_points] if timing is not None else []
    keys = sorted({round(frame) for frame in known if math.isfinite(frame)})
    if timing is None or len(keys) < 2:
        raise ClipError(f"The evaluation time of the curve “{ob.name}” is not keyed; key it at two frames or more.")
    second = max(1, round(scene.render.fps / scene.render.fps_base))
    if len(keys) + (keys[-1] - keys[0]) // second > MAX_HELD_FRAMES:
        raise ClipError(
            f"The evaluation time of the curve “{ob.name}” is keyed at too many frames or too far apart; remove keys."
        )
    frames = sorted({*keys, *range(keys[0], keys[-1], second)})
    shares = np.array([timing.evaluate(frame) for frame in frames]) / max(float(ob.data.path_duration), 1.0)
    places = line.at(shares.clip(0.0, 1.0) * line.length)
    return [(frame, (float(x), float(y))) for frame, (x, y) in zip(frames, places, strict=True)]


def _moves(ob: bpy.types.Object) -> bool:
    animation = ob.animation_data
    keyed = animation is not None and bool(animation.action or animation.nla_tracks or animation.drivers)
    return keyed or ob.parent is not None or bool(ob.constraints)


def _points(matrices: Array) -> Places:
    return tuple(tuple(row) for row in matrices[:, :3, 3].tolist())


def _turns(matrices: Array, ob: bpy.types.Object, bone: str) -> Places:
    rest = rotation_part(np.array(ob.matrix_world @ ob.data.bones[bone].matrix_local, dtype=np.float64)[:3, :3])
    turned = rotation_part(matrices[:, :3, :3]) @ rest.T
    return tuple(tuple(row) for row in quaternion_from_matrix(turned).tolist())
