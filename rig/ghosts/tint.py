"""Colours of ghosts: a node group each that gives a mesh a see-through material and leaves the shared mesh as it is."""

from __future__ import annotations

from typing import Any

import bpy

from ..compat import use_nodes
from ..ownership import is_made_by_riff, mark_made

Colour = tuple[float, float, float, float]

TINT_KEY = "riff_tint"
"""Id-property of node groups and materials of ghosts: the number of their colour."""

OPACITY = 0.35
"""Opacity of a ghost's meshes."""

COLOURS = (
    (0.90, 0.49, 0.13),
    (0.20, 0.60, 0.86),
    (0.30, 0.69, 0.31),
    (0.61, 0.35, 0.71),
    (0.95, 0.77, 0.06),
    (0.10, 0.74, 0.61),
)
"""Colours of ghosts, used in turn."""


def colour_of(place: int) -> Colour:
    """Return the colour of the ghost at a place, 1 for the first."""
    return (*COLOURS[(place - 1) % len(COLOURS)], OPACITY)


def tint(mesh: bpy.types.Object, place: int) -> None:
    """Give a mesh object the colour of a place, by a modifier behind all others."""
    modifier: Any = mesh.modifiers.new("Riff Ghost", "NODES")
    modifier.node_group = _group_of((place - 1) % len(COLOURS) + 1)


def tints() -> list[bpy.types.ID]:
    """Return all node groups and materials that colour ghosts and are Riff's own."""
    blocks: list[Any] = [*bpy.data.node_groups, *bpy.data.materials]
    return [block for block in blocks if block.get(TINT_KEY) is not None and is_made_by_riff(block)]


def remove_unused_materials() -> None:
    """Delete the materials of ghosts' colours that no node group uses any more."""
    for block in tints():
        if isinstance(block, bpy.types.Material) and block.users == 0:
            bpy.data.materials.remove(block)


def _group_of(number: int) -> bpy.types.NodeTree:
    for block in tints():
        if isinstance(block, bpy.types.NodeTree) and block.get(TINT_KEY) == number:
            return block
    group: Any = bpy.data.node_groups.new(f"Riff Ghost {number}", "GeometryNodeTree")
    for side in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Geometry", in_out=side, socket_type="NodeSocketGeometry")
    kinds = ("NodeGroupInput", "GeometryNodeSetMaterial", "NodeGroupOutput")
    start, middle, end = (group.nodes.new(kind) for kind in kinds)
    group.links.new(start.outputs[0], middle.inputs["Geometry"])
    group.links.new(middle.outputs[0], end.inputs[0])
    middle.inputs["Material"].default_value = _new_material(number)
    group[TINT_KEY] = number
    mark_made(group)
    return group  # type: ignore[no-any-return]


def _new_material(number: int) -> bpy.types.Material:
    """Create a material that is see-through in Solid mode and in Material Preview."""
    material: Any = bpy.data.materials.new(f"Riff Ghost {number}")
    material.diffuse_color = colour_of(number)
    material.surface_render_method = "BLENDED"
    use_nodes(material)
    for node in material.node_tree.nodes:
        if node.type == "BSDF_PRINCIPLED":
            node.inputs["Base Color"].default_value = colour_of(number)
            node.inputs["Alpha"].default_value = OPACITY
    material[TINT_KEY] = number
    mark_made(material)
    return material  # type: ignore[no-any-return]
