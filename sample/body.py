"""Body of the sample dancer: rounded tubes around the bones, with weights that blend at every joint."""

import bpy
import numpy as np

from ..core.numeric.rotation import Array
from . import profiles
from .bones import rest_bones
from .tubes import BodyMesh, Joint, Tube

Colour = tuple[float, float, float, float]

MATERIALS: dict[str, Colour] = {
    "Dancer Skin": (0.78, 0.50, 0.36, 1.0),
    "Dancer Top": (0.78, 0.17, 0.12, 1.0),
    "Dancer Trousers": (0.07, 0.12, 0.25, 1.0),
    "Dancer Shoes": (0.85, 0.84, 0.80, 1.0),
    "Dancer Hair": (0.09, 0.05, 0.035, 1.0),
}
SKIN, TOP, TROUSERS, SHOES, HAIR = range(len(MATERIALS))

ELBOW_METRES, WRIST_METRES = 0.2715, 0.5205
"""Distances from the shoulder joint."""

KNEE_METRES, ANKLE_METRES = 0.42, 0.834
"""Distances below the hip joint."""

X, Y, Z = np.eye(3)


def _trunk() -> list[Tube]:
    middle = [Joint("hips", 0.0, 1.0), Joint("spine", 1.05, 0.07), Joint("chest", 1.19, 0.07)]
    upper = [Joint("chest", 0.0, 1.0), Joint("neck", 1.44, 0.03), Joint("head", 1.53, 0.03)]
    colours = [(0.0, TROUSERS), (1.015, TOP)]
    return [
        Tube(np.array([0.0, 0.005, 0.0]), Z, X, Y, profiles.TORSO, middle, colours, rings=30),
        Tube(np.array([0.0, 0.008, 0.0]), Z, X, Y, profiles.NECK, upper, [(0.0, SKIN)], rings=8),
    ]


def _head() -> list[Tube]:
    bone = [Joint("head", 0.0, 1.0)]
    crown = np.array([0.0, np.sin(0.78), np.cos(0.78)])
    face = Tube(np.array([0.0, -0.012, 0.0]), Z, X, Y, profiles.FACE, bone, [(0.0, SKIN)], rings=18)
    middle = np.array([0.0, -0.006, 1.643])
    hair = Tube(middle, -crown, X, np.cross(X, crown), profiles.HAIR, bone, [(-1.0, HAIR)], rings=16)
    bun = _ball(np.array([0.0, 0.118, 1.695]), 0.044, HAIR)
    nose = _ball(np.array([0.0, -0.110, 1.606]), 0.013, SKIN)
    eyes = [_ball(np.array([x, -0.0985, 1.637]), 0.0105, HAIR) for x in (-0.030, 0.030)]
    return [face, hair, bun, nose, *eyes]


def _ball(centre: Array, radius: float, material: int) -> Tube:
    angles = np.linspace(-0.48 * np.pi, 0.48 * np.pi, 9)
    profile = [(radius * np.sin(a), radius * np.cos(a), radius * np.cos(a), 0.0) for a in angles]
    return Tube(centre, Z, X, Y, profile, [Joint("head", 0.0, 1.0)], [(-1.0, material)], rings=9)


def _arm(side: str) -> list[Tube]:
    shoulder, upper, fore, hand = (f"{name}.{side}" for name in ("shoulder", "upper_arm", "forearm", "hand"))
    origin = np.array(rest_bones()[upper].head)
    along = _unit(np.subtract(rest_bones()[hand].tail, origin))
    flat, outside = np.cross(along, Y), np.sign(origin[0])
    spine = np.array([0.0, 0.012, 1.393])
    yoke = [Joint("chest", 0.0, 1.0), Joint(shoulder, 0.075, 0.06), Joint(upper, 0.165, 0.06)]
    sleeve = [
        Joint(shoulder, 0.0, 1.0),
        Joint(upper, -0.005, 0.045),
        Joint(fore, ELBOW_METRES, 0.045),
        Joint(hand, WRIST_METRES, 0.02),
    ]
    wrist = origin + (WRIST_METRES - 0.01) * along
    thumb = _unit(along - 1.1 * Y)
    fingers, skin = [Joint(hand, 0.0, 1.0)], [(-1.0, SKIN)]
    return [
        Tube(spine, outside * X, Z, outside * Y, profiles.YOKE, yoke, [(0.0, TOP)], rings=13),
        Tube(origin, along, flat, Y, profiles.ARM, sleeve, [(-1.0, TOP), (0.10, SKIN)], rings=28),
        Tube(wrist, along, flat, Y, profiles.PALM, fingers, skin, rings=12),
        Tube(
            wrist + 0.03 * along - 0.026 * Y, thumb, flat, np.cross(flat, thumb), profiles.THUMB, fingers, skin, rings=8
        ),
    ]


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)


def _leg(side: str) -> list[Tube]:
    thigh, shin, foot, toe = (f"{name}.{side}" for name in ("thigh", "shin", "foot", "toe"))
    origin = np.array(rest_bones()[thigh].head)
    leg = [
        Joint("hips", 0.0, 1.0),
        Joint(thigh, 0.0, 0.05),
        Joint(shin, KNEE_METRES, 0.055),
        Joint(foot, ANKLE_METRES, 0.02),
    ]
    sole = np.array([origin[0], 0.0, 0.0])
    shoe = [Joint(foot, 0.0, 1.0), Joint(toe, 0.112, 0.03)]
    return [
        Tube(origin, -Z, X, Y, profiles.LEG, leg, [(-1.0, TROUSERS), (0.757, SKIN)], rings=31),
        Tube(sole, -Y, X, Z, profiles.SHOE, shoe, [(-1.0, SHOES)], rings=21, square=1.6),
    ]


def _surface() -> BodyMesh:
    surface = BodyMesh()
    for tube in [*_trunk(), *_head(), *_arm("L"), *_arm("R"), *_leg("L"), *_leg("R")]:
        surface.add(tube)
    return surface


def _material(name: str, colour: Colour) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    material.diffuse_color = colour  # type: ignore[assignment]  # the stubs of 5.2 take no tuple
    material.roughness = 0.6
    if material.node_tree is None:  # Blender 4.5 starts materials without nodes, 5.x always has them.
        material.use_nodes = True
    shader = material.node_tree.nodes.get("Principled BSDF")
    if shader is not None:
        shader.inputs["Base Color"].default_value = colour
        shader.inputs["Roughness"].default_value = 0.6
    return material


def make_body(name: str, armature: bpy.types.Object) -> bpy.types.Object:
    """Build the skinned body of the dancer, deformed by and parented to `armature`; the caller links it."""
    surface = _surface()
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(vertex) for vertex in surface.vertices], [], surface.faces)
    for material, colour in MATERIALS.items():
        mesh.materials.append(_material(material, colour))
    mesh.polygons.foreach_set("material_index", surface.materials)
    mesh.shade_smooth()
    mesh.update()
    body = bpy.data.objects.new(name, mesh)
    for bone, weights in surface.weights.items():
        group = body.vertex_groups.new(name=bone)
        for vertex, share in weights:
            group.add([vertex], share, "REPLACE")
    body.parent = armature
    modifier = body.modifiers.new("Armature", "ARMATURE")
    assert isinstance(modifier, bpy.types.ArmatureModifier)
    modifier.object = armature
    return body
