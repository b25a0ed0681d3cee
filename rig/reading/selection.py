"""The user's selection for a composition: bones, keyframes, a curve."""

from __future__ import annotations

from typing import cast

import bpy
import numpy as np

from ...core.errors import ClipError
from ..compat import MAX_FRAME, is_selected
from ..unseen import unseen
from .actions import source_of


def selected_bones(armature_object: bpy.types.Object) -> tuple[str, ...]:
    """Return the names of the selected pose bones. Raises ClipError if there is none."""
    names = tuple(bone.name for bone in armature_object.pose.bones if is_selected(bone))
    if not names:
        raise ClipError("No bone is selected; select some in Pose Mode, or choose body parts.")
    return names


def bones_of_collection(armature_object: bpy.types.Object, name: str) -> tuple[str, ...]:
    """Return the names of the bones in a bone collection and its children. Raises ClipError if there are none."""
    collection = armature_object.data.collections_all.get(name)
    if collection is None:
        raise ClipError(f"“{armature_object.name}” has no bone collection “{name}”; choose another one.")
    names = tuple(bone.name for bone in collection.bones_recursive)
    if not names:
        raise ClipError(f"The bone collection “{name}” holds no bones; choose another one.")
    return names


def selected_key_frames(armature_object: bpy.types.Object) -> tuple[int, ...]:
    """Return the whole frames on which the armature's action has selected keys. Raises ClipError if it has none."""
    found: set[int] = set()
    for curve in source_of(armature_object).bag.fcurves:
        count = len(curve.keyframe_points)
        selected, positions = np.zeros(count, dtype=bool), np.empty(2 * count, dtype=np.float32)
        curve.keyframe_points.foreach_get("select_control_point", selected)
        curve.keyframe_points.foreach_get("co", positions)
        chosen = positions[::2][selected]
        if not (np.abs(chosen) <= MAX_FRAME).all():  # no NaN either
            raise ClipError("A selected key lies at no frame that Blender can play; delete it, or select others.")
        found |= {round(float(frame)) for frame in chosen}
    if not found:
        raise ClipError("No keyframe is selected; select the keys whose poses to keep.")
    return tuple(sorted(found))


def curve_points(curve_object: bpy.types.Object | None) -> tuple[tuple[float, float], ...]:
    """Return the points (x, y) of an evaluated curve object, in world space, from first to last.

    Raises ClipError for anything but a curve with a length.
    """
    if curve_object is None:
        raise ClipError("No curve is chosen; choose the curve that the root should follow.")
    if curve_object.type not in ("CURVE", "CURVES"):
        raise ClipError(f"“{curve_object.name}” is not a curve; choose a curve object.")
    evaluated = curve_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    with unseen():
        positions = _line(evaluated)
    if len(positions) < 2 or not np.linalg.norm(np.diff(positions, axis=0), axis=1).sum() > 0:
        raise ClipError(f"The curve “{curve_object.name}” has no length on the ground; choose another one.")
    return tuple((float(x), float(y)) for x, y in positions)


def _line(evaluated: bpy.types.Object) -> np.ndarray:
    """Return world positions (N, 2) along the first spline, without its bevel."""
    matrix = np.array(evaluated.matrix_world)
    if evaluated.type == "CURVES":
        points = np.array([point.position for point in evaluated.data.curves[0].points], dtype=np.float64)
    else:
        bare = cast(bpy.types.Curve, evaluated.data.copy())
        bare.bevel_depth = bare.extrude = 0.0
        bare.bevel_object = None
        helper = bpy.data.objects.new("Riff", bare)
        try:
            mesh = helper.to_mesh()
            points = np.array([vertex.co for vertex in mesh.vertices], dtype=np.float64).reshape(-1, 3)
            if bare.splines and bare.splines[0].use_cyclic_u and len(points):
                points = np.concatenate([points, points[:1]])
            helper.to_mesh_clear()
        finally:
            bpy.data.objects.remove(helper)
            bpy.data.curves.remove(bare)
    return (points @ matrix[:3, :3].T + matrix[:3, 3])[:, :2]
