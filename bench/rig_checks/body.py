"""Body and visible controls for rigs without meshes, for pictures of their movement."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..pictures.figure import Solid, coloured, solid_faces, solid_points, weighted

BODY, CONTROL = (0.62, 0.60, 0.56, 1.0), (0.85, 0.30, 0.10, 1.0)
WIRE_THICKNESS = 0.006
"""Thickness of a control's lines, as a share of the body's height."""

MAX_THICKNESS = 0.035


def add_body(rig: bpy.types.Object) -> bpy.types.Object:
    """Create a rounded solid for each deforming bone, moved by it."""
    bones = [bone for bone in rig.data.bones if bone.use_deform and bone.length > 1e-4]
    size = _height(rig)
    vertices: list[Vector] = []
    faces: list[tuple[int, ...]] = []
    for bone in bones:
        faces += solid_faces(len(vertices))
        solid = Solid(bone.name, bone.head_local, bone.tail_local)
        vertices += solid_points(solid, min(0.4 * bone.length, MAX_THICKNESS * size))
    return _weighted_mesh("Body", BODY, rig, vertices, faces, [bone.name for bone in bones])


def add_control_shapes(rig: bpy.types.Object, controls: Collection[str]) -> bpy.types.Object:
    """Create thin solids along the lines of the controls' custom shapes; a control without a shape gets a ring."""
    vertices: list[Vector] = []
    faces: list[tuple[int, ...]] = []
    owners = []
    radius = WIRE_THICKNESS * _height(rig)
    for name in controls:
        rig.data.bones[name].use_deform = True  # an armature modifier looks at no others
        for start, end in _lines(rig.pose.bones[name]):
            faces += solid_faces(len(vertices))
            vertices += solid_points(Solid(name, start, end), radius)
            owners.append(name)
    return _weighted_mesh("Controls", CONTROL, rig, vertices, faces, owners)


def _height(rig: bpy.types.Object) -> float:
    heights = [bone.tail_local.z for bone in rig.data.bones if bone.use_deform]
    return float(max(heights) - min(heights))


def _weighted_mesh(
    name: str,
    colour: tuple[float, ...],
    rig: bpy.types.Object,
    vertices: list[Vector],
    faces: list[tuple[int, ...]],
    owners: list[str],
) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    mesh.materials.append(coloured(name, colour))
    mesh.shade_smooth()
    ob = weighted(mesh, rig, owners)
    bpy.context.scene.collection.objects.link(ob)
    return ob


def _lines(bone: bpy.types.PoseBone) -> list[tuple[Vector, Vector]]:
    """Return the edges of a control's shape at rest, in armature space."""
    carrier = bone.custom_shape_transform or bone
    scale: Any = Vector(bone.custom_shape_scale_xyz) * (bone.length if bone.use_custom_shape_bone_size else 1.0)
    place = carrier.bone.matrix_local @ Matrix.Translation(bone.custom_shape_translation)
    place = place @ Matrix(bone.custom_shape_rotation_euler.to_matrix()).to_4x4() @ Matrix.Diagonal((*scale, 1.0))
    if bone.custom_shape is None:
        angles = np.linspace(0.0, 2.0 * np.pi, 17)
        ring = [place @ Vector((float(np.cos(a)), 0.0, float(np.sin(a)))) for a in angles]
        return list(pairwise(ring))
    shape: Any = bone.custom_shape.data
    points = [place @ vertex.co for vertex in shape.vertices]
    lines = [(points[edge.vertices[0]], points[edge.vertices[1]]) for edge in shape.edges]
    return [(start, end) for start, end in lines if (end - start).length > 1e-5]
