"""Lineup of the source and its variations in one scene, with a copy of the rig for each variation."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..measuring.clips import EXTENSION


def line_up(armature: bpy.types.Object, actions: Sequence[bpy.types.Action], width: float, height: float) -> None:
    """Place a copy of the armature with its meshes for each action, `width` apart, with names on the floor.

    The copies share armature and mesh data with the original, which keeps its position and action.
    """
    scene = bpy.context.scene
    collection = bpy.data.collections.new("Variations")
    scene.collection.children.link(collection)
    start = armature.matrix_world.translation.copy()
    add_label(collection, "Source", start, height)
    for number, action in enumerate(actions, start=1):
        shift = Matrix.Translation((number * width, 0.0, 0.0))
        copy = copy_rig(collection, armature, shift, f"Variation {number}")
        bpy.context.view_layer.update()
        importlib.import_module(f"{EXTENSION}.rig.compat").assign_action(copy, action)
        add_label(collection, f"Variation {number}", shift @ start, height)
    look_at(start + Vector((len(actions) * width / 2, 0.0, height / 2)), (len(actions) + 1) * width)


def copy_rig(
    collection: bpy.types.Collection, armature: bpy.types.Object, shift: Matrix, name: str
) -> bpy.types.Object:
    """Copy the rig under an empty with offset `shift`, so that keyed object locations keep their values."""
    holder = bpy.data.objects.new(f"{name} Place", None)
    holder.empty_display_size = 0.0001
    holder.matrix_world = shift @ (armature.parent.matrix_world if armature.parent else Matrix())
    copy = armature.copy()
    copy.name = name
    copy.parent = holder
    collection.objects.link(holder)
    collection.objects.link(copy)
    for mesh in meshes_of(armature):
        body = mesh.copy()
        collection.objects.link(body)
        if mesh.parent == armature:
            body.parent = copy
        else:
            body.matrix_world = shift @ mesh.matrix_world
        for modifier in body.modifiers:
            if modifier.type == "ARMATURE" and modifier.object == armature:
                modifier.object = copy
    return copy


def meshes_of(armature: bpy.types.Object) -> list[bpy.types.Object]:
    return [
        ob
        for ob in bpy.context.scene.objects
        if ob.type == "MESH"
        and (ob.parent == armature or any(m.type == "ARMATURE" and m.object == armature for m in ob.modifiers))
    ]


def add_label(collection: bpy.types.Collection, text: str, place: Vector, height: float) -> None:
    curve = bpy.data.curves.new(text, "FONT")
    curve.body, curve.size, curve.align_x = text, 0.16 * height, "CENTER"
    label = bpy.data.objects.new(f"{text} Label", curve)
    label.location = (place.x, place.y - 1.2 * height, 0.0)
    collection.objects.link(label)


def look_at(centre: Vector, span: float) -> None:
    """Set every 3D viewport of the file to show the whole line."""
    for screen in bpy.data.screens:
        for area in screen.areas:
            for space in area.spaces:
                if space.type == "VIEW_3D":
                    space.region_3d.view_location = centre
                    space.region_3d.view_distance = 1.1 * span
                    space.clip_end = max(space.clip_end, 10 * span)


def room(positions: np.ndarray, unit: float) -> tuple[float, float]:
    """Return the distance of neighbours and the body height in scene lengths, for positions (frames, J, 3) in core
    units."""
    spread = positions[..., 0].max() - positions[..., 0].min()
    return float(1.15 * spread * unit), float(1.8 * unit)
