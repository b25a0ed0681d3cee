"""A quadruped that prowls, and a biped that steps in place: two bodies of which one drives the other."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import bpy
from mathutils import Matrix, Vector

from tests.support.rigs.biped import add_biped, key_turns

QUADRUPED: dict[str, tuple[str, tuple[float, float, float], tuple[float, float, float]]] = {
    "Pelvis": ("", (0.0, 0.5, 1.6), (0.0, 0.0, 1.6)),
    "Neck": ("Pelvis", (0.0, -0.6, 1.6), (0.0, -1.0, 2.0)),
    "Skull": ("Neck", (0.0, -1.0, 2.0), (0.0, -1.4, 2.0)),
    **{
        f"{leg}{part}{side}": (
            "Pelvis" if part == "Thigh" else f"{leg}Thigh{side}" if part == "Shank" else f"{leg}Shank{side}",
            (sign * 0.3, y, top),
            (sign * 0.3, y - (0.2 if part == "Paw" else 0.0), bottom),
        )
        for leg, y in (("Fore", -0.6), ("Hind", 0.6))
        for side, sign in (("Left", 1.0), ("Right", -1.0))
        for part, top, bottom in (("Thigh", 1.5, 0.8), ("Shank", 0.8, 0.1), ("Paw", 0.1, 0.0))
    },
}
"""Name: parent, head, tail of a beast twice as long as the biped is tall; it looks along -Y as the biped does."""

PAIRS = "hips=Pelvis, head=Skull, foot.L=HindPawLeft, foot.R=HindPawRight"
LAST, PERIOD, WAY = 101, 40.0, 2.4
"""Last frame of the beast's action, which begins at frame 11, the frames of its step, and the length of its way."""


def phase_of(side: str) -> float:
    return math.pi if side.endswith(("Right", "R")) else 0.0


def add_beast() -> Any:
    """A quadruped that swings its legs and travels in a curve, from frame 11 to LAST."""
    armature = bpy.data.armatures.new("Beast")
    beast: Any = bpy.data.objects.new("Beast", armature)
    bpy.context.scene.collection.objects.link(beast)
    bpy.context.view_layer.objects.active = beast
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (parent, head, tail) in QUADRUPED.items():
        bone = armature.edit_bones.new(name)
        bone.head, bone.tail = head, tail
        bone.parent = armature.edit_bones[parent] if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    for frame in range(11, LAST + 1, 2):
        time = (frame - 11) / (LAST - 11)
        pelvis = beast.pose.bones["Pelvis"]
        way = Vector((math.cos(1.2 * time) - 1.0, -math.sin(1.2 * time), 0.0)) * (WAY / 1.2)
        turn = Matrix.Rotation(-1.2 * time, 3, "Z")
        axes = beast.data.bones["Pelvis"].matrix_local.to_3x3()
        pelvis.location = axes.inverted() @ way
        pelvis.rotation_mode = "QUATERNION"
        pelvis.rotation_quaternion = (axes.inverted() @ turn @ axes).to_quaternion()
        pelvis.keyframe_insert("location", frame=frame)
        pelvis.keyframe_insert("rotation_quaternion", frame=frame)
        for leg in ("Fore", "Hind"):
            for side in ("Left", "Right"):
                thigh = beast.pose.bones[f"{leg}Thigh{side}"]
                thigh.rotation_mode = "XYZ"
                shift = math.pi if leg == "Fore" else 0.0
                thigh.rotation_euler.x = 0.4 * math.sin(2 * math.pi * (frame - 11) / PERIOD + phase_of(side) + shift)
                thigh.keyframe_insert("rotation_euler", frame=frame)
    beast.animation_data.action.name = "Prowl"
    bpy.context.view_layer.update()
    return beast


def add_stepping_biped() -> Any:
    """A biped that swings its legs with a period of its own, for ten steps, and nods."""
    biped = add_biped()
    for side in "LR":
        key_turns(biped, f"thigh.{side}", partial(swung, phase=phase_of(side)))
    key_turns(biped, "head", lambda t: turned(0.3 * math.sin(0.9 * t)))
    biped.animation_data.action.name = "Step"
    bpy.context.view_layer.update()
    return biped


def swung(time: float, phase: float) -> Matrix:
    return turned(0.5 * math.sin(2.1 * time + phase))


def turned(angle: float) -> Matrix:
    return Matrix.Rotation(angle, 3, "X")
