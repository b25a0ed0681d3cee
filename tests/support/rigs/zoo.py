"""Rigs of every kind with actions: with fingers, on four legs, a machine, a creature of many bones."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
from mathutils import Quaternion, Vector

from tests.support.rigs.biped import FRAMES
from tests.support.rigs.walkers import Gait, key_bone, swing_bones, walk_on_controls

Bones = dict[str, tuple[str, tuple[float, float, float], tuple[float, float, float]]]
"""Name: parent, head, tail."""

Way = Callable[[Any, Path], None]
"""Out to a file of this stem and in again."""

ELEPHANT_FEET = frozenset(
    {"Bip01_L_Hand", "Bip01_R_Hand", "Bip01_L_Foot", "Bip01_R_Foot", "Bip01_L_Toe0", "Bip01_R_Toe0"}
)
"""Feet of the elephant of the clips, as a person names them: the last joint of each front leg, foot and toe of each
hind leg; not the trunk, not the tail."""

RIGIFY_PAWS = frozenset({"front_foot_ik.L", "front_foot_ik.R", "foot_ik.L", "foot_ik.R"})

IMPORTERS = ("io_scene_fbx", "io_anim_bvh", "io_scene_gltf2")
"""Add-ons that must be enabled for that."""


def add_rig(name: str, bones: Bones) -> Any:
    """An armature of these bones at rest, active in the scene."""
    rig: Any = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    rig.select_set(True)
    add_bones(rig, bones)
    return rig


def add_bones(rig: Any, bones: Bones) -> None:
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (parent, head, tail) in bones.items():
        bone = rig.data.edit_bones.new(name)
        bone.head, bone.tail = head, tail
        if parent:
            bone.parent = rig.data.edit_bones[parent]
    bpy.ops.object.mode_set(mode="OBJECT")


def add_fingers(dancer: Any) -> None:
    """Twenty-two bones on each hand of the sample dancer, who has 65 then, keyed with the dance."""
    bones: Bones = {}
    for side in "LR":
        hand = dancer.data.bones[f"hand.{side}"]
        tip, along = Vector(hand.tail_local), Vector(hand.tail_local - hand.head_local).normalized()
        for finger in range(5):
            parent, place = f"hand.{side}", tip + Vector((0.0, 0.015 * (finger - 2), 0.0))
            for joint in range(5 if finger < 2 else 4):
                name = f"finger{finger}{joint}.{side}"
                after = place + 0.02 * along
                bones[name] = (parent, (place.x, place.y, place.z), (after.x, after.y, after.z))
                parent, place = name, after
    add_bones(dancer, bones)
    first, last = (int(frame) for frame in dancer.animation_data.action.frame_range)
    for number, name in enumerate(bones):
        for frame in range(first, last + 1, 10):
            bend = 0.3 + 0.3 * math.sin(0.05 * frame + 0.3 * number)
            key_bone(dancer, name, frame, turn=Quaternion((1.0, 0.0, 0.0), bend))


QUADRUPED: Bones = {
    "master": ("", (0.0, 0.0, 0.0), (0.0, 0.3, 0.0)),
    "body": ("master", (0.0, 0.3, 0.75), (0.0, 0.1, 0.75)),
    "spine": ("body", (0.0, 0.1, 0.75), (0.0, -0.5, 0.8)),
    "neck": ("spine", (0.0, -0.5, 0.85), (0.0, -0.75, 1.1)),
    "head": ("neck", (0.0, -0.75, 1.1), (0.0, -1.0, 1.05)),
    "tail.001": ("body", (0.0, 0.4, 0.78), (0.0, 0.6, 0.7)),
    "tail.002": ("tail.001", (0.0, 0.6, 0.7), (0.0, 0.8, 0.55)),
}


def add_quadruped() -> Any:
    """A dog at a walk: four legs that reach for controls on the ground."""
    bones = dict(QUADRUPED)
    for side, x in (("L", 0.15), ("R", -0.15)):
        for place, parent, y in (("front", "spine", -0.45), ("hind", "body", 0.3)):
            knee = y + (0.08 if place == "front" else -0.08)
            bones |= {
                f"{place}_thigh.{side}": (parent, (x, y, 0.7), (x, knee, 0.4)),
                f"{place}_shin.{side}": (f"{place}_thigh.{side}", (x, knee, 0.4), (x, y, 0.06)),
                f"{place}_foot.{side}": ("master", (x, y, 0.06), (x, y - 0.1, 0.06)),
            }
    dog = add_rig("Dog", bones)
    for side in "LR":
        for place in ("front", "hind"):
            reach = dog.pose.bones[f"{place}_shin.{side}"].constraints.new("IK")
            reach.target, reach.subtarget, reach.chain_count = dog, f"{place}_foot.{side}", 2
    gait = Gait(stride=0.35, lift=0.08, apart=0.1)
    walk_on_controls(dog, "body", ("front_foot.L", "front_foot.R", "hind_foot.R", "hind_foot.L"), gait, 12)

    def swing(number: int, phase: float) -> Quaternion:
        return Quaternion((1.0, 0.0, 0.0), 0.15 * math.sin(phase + number))

    swing_bones(dog, ("neck", "head", "tail.001", "tail.002"), swing, 12)
    return dog


def baked(rig: Any) -> Any:
    """Bake: the poses keyed on every bone, without constraints, plain FK."""
    first, last = (int(frame) for frame in rig.animation_data.action.frame_range)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="POSE")
    for bone in rig.pose.bones:
        owner: Any = bone if hasattr(bone, "select") else bone.bone
        owner.select = True
    bpy.ops.nla.bake(
        frame_start=first,
        frame_end=last,
        visual_keying=True,
        clear_constraints=True,
        use_current_action=False,
        bake_types={"POSE"},
    )
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def add_crane() -> Any:
    """A machine of three bones: it turns, it luffs, it lets its hook down."""
    crane = add_rig(
        "Crane",
        {
            "turntable": ("", (0.0, 0.0, 1.0), (0.0, 0.0, 1.5)),
            "jib": ("turntable", (0.0, 0.0, 1.5), (0.0, -3.0, 2.5)),
            "hook": ("jib", (0.0, -3.0, 2.5), (0.0, -3.0, 2.0)),
        },
    )
    for step in range(13):
        frame = 1 + 12 * step
        key_bone(crane, "turntable", frame, turn=Quaternion((0.0, 1.0, 0.0), math.sin(0.7 * step)))
        key_bone(crane, "jib", frame, turn=Quaternion((1.0, 0.0, 0.0), 0.3 * math.sin(1.1 * step)))
        key_bone(crane, "hook", frame, location=(0.0, 0.4 * math.sin(step), 0.0))
    return crane


def add_creature() -> Any:
    """A creature of 150 bones: a long body, twelve tentacles and a crown."""
    bones: Bones = {"core": ("", (0.0, 0.0, 1.0), (0.0, 0.0, 1.2))}
    for arm in range(12):
        angle, parent = math.tau * arm / 12, "core"
        for joint in range(12):
            reach = 0.2 + 0.12 * joint
            head = (reach * math.cos(angle), reach * math.sin(angle), 1.0 - 0.05 * joint)
            tail = ((reach + 0.12) * math.cos(angle), (reach + 0.12) * math.sin(angle), 0.95 - 0.05 * joint)
            bones[f"tentacle{arm:02d}.{joint:02d}"] = (parent, head, tail)
            parent = f"tentacle{arm:02d}.{joint:02d}"
    for spike in range(5):
        bones[f"crown.{spike}"] = ("core", (0.1 * spike - 0.2, 0.0, 1.25), (0.1 * spike - 0.2, 0.0, 1.5))
    creature = add_rig("Creature", bones)
    modes = ("QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
    for number, bone in enumerate(creature.pose.bones):
        bone.rotation_mode = "QUATERNION" if number == 0 else modes[number % len(modes)]
        if bone.rotation_mode == "AXIS_ANGLE":
            bone.rotation_mode = "YXZ"
    for step in range(13):
        key_bone(creature, "core", 1 + 10 * step, location=(math.sin(step), 0.1 * step, 0.2 * math.cos(step)))
        for number, name in enumerate(bones):
            turn = Quaternion((1.0, 0.0, 0.0), 0.15 * math.sin(0.9 * step + 0.4 * number))
            key_bone(creature, name, 1 + 10 * step, turn=turn)
    return creature


def through_bvh(ob: Any, path: Path) -> None:
    bpy.ops.export_anim.bvh(filepath=f"{path}.bvh", frame_start=1, frame_end=90, rotate_mode="NATIVE")
    bpy.ops.import_anim.bvh(filepath=f"{path}.bvh", global_scale=0.5, axis_forward="Y", axis_up="Z")


def through_fbx(ob: Any, path: Path) -> None:
    bpy.ops.export_scene.fbx(
        filepath=f"{path}.fbx",
        use_selection=True,
        object_types={"ARMATURE"},
        bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=False,
        add_leaf_bones=True,
        bake_anim_simplify_factor=0.0,
    )
    bpy.ops.import_scene.fbx(filepath=f"{path}.fbx")


def through_gltf(ob: Any, path: Path) -> None:
    bpy.ops.export_scene.gltf(filepath=f"{path}.glb", use_selection=True, export_animation_mode="ACTIVE_ACTIONS")
    bpy.ops.import_scene.gltf(filepath=f"{path}.glb")


def imported(ob: Any, way: Way, path: Path) -> Any:
    """The armature that comes back from another file format, with its action."""
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 90
    bpy.ops.object.select_all(action="DESELECT")
    ob.select_set(True)
    bpy.context.view_layer.objects.active = ob
    before = set(bpy.data.objects)
    way(ob, path)
    return next(one for one in set(bpy.data.objects) - before if one.type == "ARMATURE")


def add_copies(biped: Any) -> None:
    """A chain of two bones that are keyed to the feet's matrices in every frame, as game engines want them."""
    bones: Bones = {"ik_foot_root": ("root", (0.0, 0.0, 0.0), (0.0, 0.2, 0.0))}
    for side in "LR":
        foot = biped.data.bones[f"foot.{side}"]
        bones[f"ik_foot.{side}"] = (
            "ik_foot_root",
            tuple(foot.head_local),
            tuple(foot.tail_local + Vector((0, 0, 0.1))),
        )
    add_bones(biped, bones)
    biped.pose.bones["ik_foot.R"].rotation_mode = "YZX"
    for frame in range(FRAMES[0], FRAMES[-1] + 1):
        bpy.context.scene.frame_set(frame)
        for side in "LR":
            copy, foot = biped.pose.bones[f"ik_foot.{side}"], biped.pose.bones[f"foot.{side}"]
            copy.matrix = foot.matrix @ foot.bone.matrix_local.inverted() @ copy.bone.matrix_local
            bpy.context.view_layer.update()
            path = "rotation_euler" if side == "R" else "rotation_quaternion"
            copy.keyframe_insert("location", frame=frame)
            copy.keyframe_insert(path, frame=frame)
