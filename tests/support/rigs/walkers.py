"""Walks on control rigs, keyed as an animator would: a few poses a step, on the controls alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
from mathutils import Matrix, Quaternion, Vector

from tests.support.rigs.biped import add_biped

STEP_FRAMES = 14
"""Frames from one foot's landing to the other's."""


@dataclass(frozen=True)
class Gait:
    """Stride, height and width of steps, in the file's lengths."""

    stride: float
    lift: float
    apart: float
    turn: float = 0.35

    def place(self, step: float) -> tuple[Vector, float]:
        """Place of the body on the ground after so many steps, and its heading: a walk in slow curves towards -Y."""
        place, heading, done = Vector((0.0, 0.0, 0.0)), 0.0, 0.0
        while done < step:
            share = min(0.25, step - done)
            heading = self.turn * math.sin(0.45 * (done + share))
            pace = self.stride * (1.0 + 0.2 * math.sin(0.8 * done))
            place += Matrix.Rotation(heading, 3, "Z") @ Vector((0.0, -pace * share, 0.0))
            done += share
        return place, heading


def key_bone(rig: Any, bone: str, frame: float, **channels: Any) -> None:
    """Key some channels of a bone at a frame; a `turn` goes into the bone's own rotation mode."""
    pose_bone = rig.pose.bones[bone]
    turn: Quaternion | None = channels.pop("turn", None)
    if turn is not None and pose_bone.rotation_mode == "QUATERNION":
        channels["rotation_quaternion"] = turn
    elif turn is not None:
        channels["rotation_euler"] = turn.to_euler(pose_bone.rotation_mode)
    for path, value in channels.items():
        setattr(pose_bone, path, value)
        pose_bone.keyframe_insert(path, frame=frame, group=bone)


def in_bone(rig: Any, bone: str, turn: Matrix, shift: Vector) -> tuple[Quaternion, Vector]:
    """A turn and shift in the armature's axes as the channels of a bone that hangs on nothing that moves."""
    axes = rig.data.bones[bone].matrix_local.to_3x3()
    return (axes.inverted() @ turn @ axes).to_quaternion(), axes.inverted() @ shift


def walk_on_controls(rig: Any, body: str, feet: Sequence[str], gait: Gait, steps: int) -> None:
    """Key the body control and two feet; the feet hang on nothing that moves, and stand still between their steps."""
    rest = {bone: rig.data.bones[bone].head_local.copy() for bone in (body, *feet)}
    for half in range(2 * steps + 1):
        place, heading = gait.place(half / 2)
        dip = -0.35 * gait.lift if half % 2 == 0 else 0.1 * gait.lift
        sway = 0.3 * gait.apart * math.sin(math.pi * half / 2)
        spin = Matrix.Rotation(heading, 3, "Z")
        turn = spin @ Matrix.Rotation(0.05 * math.cos(math.pi * half / 2), 3, "Y")
        shift = place + spin @ Vector((sway, 0.0, dip)) + spin @ rest[body] - rest[body]
        key_moved(rig, body, _frame(half / 2), turn, shift)
    for side, foot in enumerate(feet):
        for step in range(steps + 1):
            if step % 2 == side % 2:
                _key_step(rig, foot, rest[foot], gait, step)


def key_moved(rig: Any, bone: str, frame: float, turn: Matrix, shift: Vector) -> None:
    own_turn, own_shift = in_bone(rig, bone, turn, shift)
    key_bone(rig, bone, frame, location=own_shift, turn=own_turn)


def _frame(step: float) -> int:
    return 1 + round(step * STEP_FRAMES)


def _key_step(rig: Any, foot: str, rest: Vector, gait: Gait, step: int) -> None:
    """A foot that stood since the last step but one lifts, swings through and lands half a step ahead of the body."""
    for landed, frame, lift, pitch in (
        (step - 2, step - 0.95, 0.0, 0.0),
        (step - 1, step - 0.5, gait.lift, 0.35),
        (step, step, 0.0, 0.0),
    ):
        if frame < 0:
            continue
        place, heading = gait.place(max(0.0, landed + 0.5))
        spin = Matrix.Rotation(heading, 3, "Z")
        shift = place + spin @ rest - rest + Vector((0.0, 0.0, lift))
        key_moved(rig, foot, _frame(frame), spin @ Matrix.Rotation(pitch, 3, "X"), shift)


def swing_bones(rig: Any, bones: Sequence[str], swing: Callable[[int, float], Quaternion], steps: int) -> None:
    """Key rotations of bones every half step."""
    for half in range(2 * steps + 1):
        for number, bone in enumerate(bones):
            key_bone(rig, bone, _frame(half / 2), turn=swing(number, math.pi * half / 2))


def add_control_biped() -> Any:
    """A biped made by hand: legs that reach for controls of the feet, a switch, a dial, and a face with a shape key.

    “master” stands still, “body” carries hips and all above, “ik_foot” hangs on the master, “hat” is held by a
    constraint whose influence is keyed, and “arm.R” copies “arm.L”.
    """
    biped = add_biped("XYZ", "Controls")
    bpy.ops.object.mode_set(mode="EDIT")
    bones = biped.data.edit_bones
    bones["root"].name = "master"
    added = {"body": ("master", (0.0, 0.02, 0.95)), "hat": ("master", (0.0, 0.0, 1.9))}
    added |= {f"ik_foot.{side}": ("master", bones[f"foot.{side}"].head.copy()) for side in "LR"}
    for name, (parent, head) in added.items():
        bone = bones.new(name)
        bone.head, bone.tail, bone.parent = head, Vector(head) + Vector((0.0, 0.15, 0.0)), bones[parent]
        bone.use_deform = False
    bones["hips"].parent = bones["body"]
    bpy.ops.object.mode_set(mode="OBJECT")
    pose = biped.pose.bones
    for side in "LR":
        reach = pose[f"shin.{side}"].constraints.new("IK")
        reach.target, reach.subtarget, reach.chain_count = biped, f"ik_foot.{side}", 2
        turn = pose[f"foot.{side}"].constraints.new("COPY_ROTATION")
        turn.target, turn.subtarget = biped, f"ik_foot.{side}"
    held = pose["hat"].constraints.new("COPY_TRANSFORMS")
    held.target, held.subtarget = biped, "head"
    copied = pose["arm.R"].constraints.new("COPY_ROTATION")
    copied.target, copied.subtarget, copied.owner_space, copied.target_space = biped, "arm.L", "LOCAL", "LOCAL"
    pose["body"]["mood"], pose["body"]["armed"] = 0.5, False
    biped["weather"] = 0
    return biped


def walk_control_biped(biped: Any, steps: int = 10) -> Any:
    """Let the biped made by hand walk, with all that can be keyed keyed; returns its face."""
    walk_on_controls(biped, "body", ("ik_foot.L", "ik_foot.R"), Gait(stride=0.5, lift=0.12, apart=0.24), steps)

    def swing(number: int, phase: float) -> Quaternion:
        return Quaternion((1.0, 0.0, 0.0), 0.3 * math.sin(phase + number))

    swing_bones(biped, ("spine", "head", "arm.L"), swing, steps)
    body, hat = biped.pose.bones["body"], biped.pose.bones["hat"].constraints[0]
    for step in range(0, steps + 1, 2):
        body["mood"], body["armed"], biped["weather"] = 0.2 + 0.6 * (step % 4 == 0), step % 4 == 0, step // 2 % 3
        hat.influence = 0.25 * (step % 4)
        for owner, path in ((body, '["mood"]'), (body, '["armed"]'), (biped, '["weather"]'), (hat, "influence")):
            owner.keyframe_insert(path, frame=_frame(step))
    return add_face(biped, steps)


def add_face(biped: Any, steps: int) -> Any:
    """A mesh on the head with a shape key in an action of its own."""
    mesh = bpy.data.meshes.new("Face")
    mesh.from_pydata([(0.0, -0.1, 1.6), (0.05, -0.1, 1.6), (0.0, -0.1, 1.65)], [], [(0, 1, 2)])
    face: Any = bpy.data.objects.new("Face", mesh)
    bpy.context.scene.collection.objects.link(face)
    face.parent = biped
    face.shape_key_add(name="Basis")
    smile = face.shape_key_add(name="Smile")
    smile.data[2].co.z += 0.02
    for step in range(steps + 1):
        smile.value = 0.5 + 0.5 * math.sin(step)
        smile.keyframe_insert("value", frame=_frame(step))
    return face


def add_rigify_walker(steps: int = 22) -> Any:
    """Blender's own human, generated by Rigify in ten seconds, walking on its controls: IK legs, FK arms."""
    import addon_utils

    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    bpy.ops.pose.rigify_generate()
    rig: Any = bpy.context.object
    walk_rigify(rig, steps)
    return rig


def add_rigify_quadruped(steps: int = 12) -> Any:
    """Blender's own four-legged rig, generated by Rigify, trotting on the controls of its feet."""
    import addon_utils

    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_basic_quadruped_metarig_add()
    bpy.ops.pose.rigify_generate()
    rig: Any = bpy.context.object
    feet = ("front_foot_ik.L", "front_foot_ik.R", "foot_ik.R", "foot_ik.L")
    walk_on_controls(rig, "torso", feet, Gait(stride=0.3, lift=0.06, apart=0.1), steps)

    def swing(number: int, phase: float) -> Quaternion:
        return Quaternion((1.0, 0.0, 0.0), 0.12 * math.sin(phase + number))

    swing_bones(rig, ("neck", "head", "spine.002", "spine.001"), swing, steps)
    return rig


def walk_rigify(rig: Any, steps: int = 22) -> None:
    """Give a generated Rigify human its walk."""
    gait = Gait(stride=0.62, lift=0.14, apart=0.2)
    for side in "LR":
        rig.pose.bones[f"upper_arm_parent.{side}"]["IK_FK"] = 1.0
    walk_on_controls(rig, "torso", ("foot_ik.L", "foot_ik.R"), gait, steps)

    arms = ("upper_arm_fk.L", "upper_arm_fk.R", "forearm_fk.L", "forearm_fk.R")

    def swing(number: int, phase: float) -> Quaternion:
        side = 1.0 if number % 2 == 0 else -1.0
        wave = side * math.sin(phase)
        if number < 2:  # from the spread arms of the rest pose to hanging ones that swing
            turn = Matrix.Rotation(0.4 * wave, 3, "X") @ Matrix.Rotation(0.55 * side, 3, "Y")
            return in_bone(rig, arms[number], turn, Vector())[0]
        if number < 4:
            return Quaternion((1.0, 0.0, 0.0), 0.3 + 0.2 * wave)
        return Quaternion((0.0, 1.0, 0.0), 0.1 * math.cos(phase + number))

    swing_bones(rig, (*arms, "chest", "head"), swing, steps)
    for step in range(steps + 1):
        for number, foot in enumerate("LR"):
            roll = 0.5 if step % 2 != number else 0.0
            key_bone(rig, f"foot_heel_ik.{foot}", _frame(step + 0.45), turn=Quaternion((1.0, 0.0, 0.0), 0.0))
            key_bone(rig, f"foot_heel_ik.{foot}", _frame(step + 0.95), turn=Quaternion((1.0, 0.0, 0.0), roll))
