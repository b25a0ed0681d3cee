"""Skin for an armature without meshes: a tube along every bone, bound to the bone and to its parent."""

from __future__ import annotations

import math

import bpy
from mathutils import Matrix, Vector

SIDES = 8
RINGS = 6
TUBE_RADIUS = 0.12
"""Radius of a tube, as a share of its bone's length."""


def add_skin(armature: bpy.types.Object) -> bpy.types.Object:
    """Create a mesh with a vertex group for every bone, parented to the armature and deformed by its modifier."""
    mesh = bpy.data.meshes.new(f"{armature.name} Skin")
    skin = bpy.data.objects.new(mesh.name, mesh)
    positions: list[Vector] = []
    faces: list[tuple[int, ...]] = []
    weights: list[tuple[str, int, float]] = []
    for bone in armature.data.bones:
        first = len(positions)
        positions += _rings(bone)
        faces += [
            (
                first + ring * SIDES + side,
                first + ring * SIDES + (side + 1) % SIDES,
                first + (ring + 1) * SIDES + (side + 1) % SIDES,
                first + (ring + 1) * SIDES + side,
            )
            for ring in range(RINGS - 1)
            for side in range(SIDES)
        ]
        for ring in range(RINGS):
            # The half of a tube that is nearer to the parent follows that, too, as painted weights do.
            parents = 0.5 * max(0.0, 1.0 - 2.0 * ring / (RINGS - 1)) if bone.parent else 0.0
            for side in range(SIDES):
                weights.append((bone.name, first + ring * SIDES + side, 1.0 - parents))
                if parents:
                    weights.append((bone.parent.name, first + ring * SIDES + side, parents))
    mesh.from_pydata(positions, [], faces)
    for bone in armature.data.bones:
        skin.vertex_groups.new(name=bone.name)
    for name, vertex, weight in weights:
        skin.vertex_groups[name].add([vertex], weight, "REPLACE")
    for collection in armature.users_collection:
        collection.objects.link(skin)
    skin.parent = armature
    modifier = skin.modifiers.new("Armature", "ARMATURE")
    modifier.object = armature
    return skin


def _rings(bone: bpy.types.Bone) -> list[Vector]:
    """Return the vertices of a bone's tube at rest, ring by ring from head to tail."""
    length = bone.length
    matrix: Matrix = bone.matrix_local
    return [
        matrix
        @ Vector(
            (
                TUBE_RADIUS * length * math.cos(2.0 * math.pi * side / SIDES),
                length * ring / (RINGS - 1),
                TUBE_RADIUS * length * math.sin(2.0 * math.pi * side / SIDES),
            )
        )
        for ring in range(RINGS)
        for side in range(SIDES)
    ]
