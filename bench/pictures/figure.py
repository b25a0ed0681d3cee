"""Figures: copies of an armature that can be posed and rendered without changing the user's objects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIDE_COLOURS = {"left": (0.85, 0.36, 0.12, 1.0), "middle": (0.62, 0.60, 0.56, 1.0), "right": (0.10, 0.33, 0.60, 1.0)}
TINT = (0.10, 0.55, 0.25, 1.0)
RINGS = ((0.0, 0.45), (0.06, 0.85), (0.22, 1.0), (0.75, 0.72), (0.94, 0.55), (1.0, 0.25))  # along a bone, radius
AROUND = 10


@dataclass
class Figure:
    """Copy of an armature with its meshes, linked into a temporary scene; `remove` deletes all of it."""

    scene: bpy.types.Scene
    armature: bpy.types.Object
    made: list[bpy.types.ID] = field(default_factory=list)

    def show(self, action: bpy.types.Action, frame: float) -> None:
        """Set the figure to the pose of `action` at `frame`."""
        data = self.armature.animation_data or self.armature.animation_data_create()
        if data.action != action:
            data.action = action
            data.action_slot = _slot(action, self.armature)
        self.scene.frame_set(int(frame), subframe=frame - int(frame))

    def joints(self) -> Array:
        """Return the world positions (2 × bones, 3), in metres, of heads and tails of the bones that move meshes."""
        posed = self.armature.evaluated_get(self.scene.view_layers[0].depsgraph)
        moving = [bone for bone in posed.pose.bones if bone.bone.use_deform]
        return np.array([posed.matrix_world @ p for bone in moving or posed.pose.bones for p in (bone.head, bone.tail)])

    def centre(self) -> Array:
        """Return the centre (3,) of the current pose in metres, weighted by bone length."""
        ends = self.joints().reshape(-1, 2, 3)
        lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        return lengths @ ends.mean(1) / lengths.sum()

    def remove(self) -> None:
        """Delete all copies."""
        for block in reversed(self.made):
            bpy.data.batch_remove([block])


def make_figure(armature: bpy.types.Object, tinted: Collection[str] = ()) -> Figure:
    """Copy an armature and the meshes that it deforms; without meshes, or to tint bones, add solids for the bones."""
    scene = bpy.data.scenes.new("Contact Sheet")
    copy = armature.copy()
    figure = Figure(scene, copy, [scene, copy])
    scene.collection.objects.link(copy)
    copy.hide_render = False
    for track in list(copy.animation_data.nla_tracks) if copy.animation_data else []:
        copy.animation_data.nla_tracks.remove(track)
    meshes = [] if tinted else _deformed_meshes(armature)
    for mesh in meshes:
        _link(figure, _retargeted(mesh, armature, copy))
    if not meshes:
        _link(figure, _solid_bones(figure, tinted))
    scene.view_layers[0].update()
    return figure


def coloured(name: str, colour: tuple[float, ...]) -> bpy.types.Material:
    """Create a material that Workbench shows in a colour (red, green, blue, alpha)."""
    material = bpy.data.materials.new(name)
    material.diffuse_color = colour  # type: ignore[assignment]  # the stubs of 5.2 take no tuple
    return material


def _slot(action: bpy.types.Action, ob: bpy.types.Object) -> bpy.types.ActionSlot:
    slots = [slot for slot in action.slots if slot.target_id_type in {"OBJECT", "UNSPECIFIED"}]
    named = [slot for slot in slots if slot.identifier == f"OB{ob.name}"]
    return (named or slots)[0]


def _link(figure: Figure, ob: bpy.types.Object) -> None:
    figure.made.append(ob)
    figure.scene.collection.objects.link(ob)


def _deforms(ob: bpy.types.Object, armature: bpy.types.Object) -> bool:
    return any(isinstance(m, bpy.types.ArmatureModifier) and m.object == armature for m in ob.modifiers)


def _deformed_meshes(armature: bpy.types.Object) -> list[bpy.types.Object]:
    meshes = [ob for ob in bpy.data.objects if ob.type == "MESH" and not ob.hide_render]
    return [ob for ob in meshes if _deforms(ob, armature) or (ob.parent == armature and ob.parent_type == "BONE")]


def _retargeted(mesh: bpy.types.Object, armature: bpy.types.Object, copy: bpy.types.Object) -> bpy.types.Object:
    double = mesh.copy()
    if double.parent == armature:
        double.parent = copy
    for modifier in double.modifiers:
        if isinstance(modifier, bpy.types.ArmatureModifier) and modifier.object == armature:
            modifier.object = copy
    return double


class Solid(NamedTuple):
    """Rounded, tapering solid from `start` to `end` at rest, moved by `bone`."""

    bone: str
    start: Vector
    end: Vector


def _solids(armature: bpy.types.Object) -> list[Solid]:
    """Return one solid for each bone, and one for each gap between a parent's tail and its child's head."""
    solids = []
    for bone in armature.data.bones:
        solids.append(Solid(bone.name, bone.head_local, bone.tail_local))
        if bone.parent and (bone.head_local - bone.parent.tail_local).length > 0.05 * bone.parent.length:
            solids.append(Solid(bone.parent.name, bone.parent.head_local, bone.head_local))
    return [solid for solid in solids if (solid.end - solid.start).length > 1e-6]


def _sides(solids: list[Solid], size: float) -> list[int]:
    """Classify solids as left (0), middle (1) and right (2), along the horizontal axis of symmetry of the rest pose."""
    positions = np.array([0.5 * (solid.start + solid.end) for solid in solids])
    offsets = positions - np.median(positions, axis=0)
    mismatch = []
    for axis in (0, 1):
        mirrored = offsets * np.where(np.arange(3) == axis, -1.0, 1.0)
        mismatch.append(np.linalg.norm(offsets[:, None] - mirrored[None], axis=2).min(1).mean())
    aside = offsets[:, int(np.argmin(mismatch))]
    return list(np.where(np.abs(aside) < 0.02 * size, 1, np.where(aside > 0.0, 0, 2)))


def _solid_bones(figure: Figure, tinted: Collection[str]) -> bpy.types.Object:
    """Create rounded solids for the bones, coloured by the side of the body, green where tinted."""
    solids = _solids(figure.armature)
    size = float(np.ptp(np.array([p for solid in solids for p in (solid.start, solid.end)]), axis=0).max())
    vertices: list[Vector] = []
    faces: list[tuple[int, ...]] = []
    sides: list[int] = []
    for solid, side in zip(solids, _sides(solids, size), strict=True):
        new = solid_faces(len(vertices))
        plump = 0.34 if side == 1 else 0.2  # a spine of many short bones still looks like a trunk
        vertices += solid_points(solid, min(plump * (solid.end - solid.start).length, 0.036 * size))
        faces += new
        sides += [3 if solid.bone in tinted else side] * len(new)
    mesh = bpy.data.meshes.new("Solid Bones")
    mesh.from_pydata(vertices, [], faces)
    for name, colour in [*SIDE_COLOURS.items(), ("tinted", TINT)]:
        mesh.materials.append(coloured(f"Bones {name}", colour))
    mesh.polygons.foreach_set("material_index", sides)
    mesh.shade_smooth()
    figure.made += [*mesh.materials, mesh]
    return weighted(mesh, figure.armature, [solid.bone for solid in solids])


def solid_points(solid: Solid, radius: float) -> list[Vector]:
    """Return the vertices of a solid, ring by ring."""
    along = solid.end - solid.start
    angles = np.arange(AROUND) * 2.0 * np.pi / AROUND
    turn = Vector((0.0, 1.0, 0.0)).rotation_difference(along)
    circle = [(radius * float(np.cos(a)), radius * float(np.sin(a))) for a in angles]
    return [solid.start + turn @ Vector((r * x, t * along.length, r * z)) for t, r in RINGS for x, z in circle]


def solid_faces(first: int) -> list[tuple[int, ...]]:
    """Return the faces of a solid whose vertices start at index `first`."""
    faces: list[tuple[int, ...]] = []
    for ring in range(len(RINGS) - 1):
        low = first + ring * AROUND
        for k in range(AROUND):
            after = (k + 1) % AROUND
            faces.append((low + k, low + AROUND + k, low + AROUND + after, low + after))
    last = first + (len(RINGS) - 1) * AROUND
    return [*faces, tuple(range(first, first + AROUND)), tuple(range(last + AROUND - 1, last - 1, -1))]


def weighted(mesh: bpy.types.Mesh, armature: bpy.types.Object, bones: list[str], each: int = 0) -> bpy.types.Object:
    """Create an object of a mesh of which each bone moves the next `each` vertices (default: those of a solid)."""
    ob = bpy.data.objects.new(mesh.name, mesh)
    each = each or len(RINGS) * AROUND
    for k, bone in enumerate(bones):
        group = ob.vertex_groups.get(bone) or ob.vertex_groups.new(name=bone)
        group.add(range(k * each, (k + 1) * each), 1.0, "REPLACE")
    ob.parent = armature
    modifier = ob.modifiers.new("Armature", "ARMATURE")
    assert isinstance(modifier, bpy.types.ArmatureModifier)
    modifier.object = armature
    return ob
