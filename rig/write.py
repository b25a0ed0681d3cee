"""A Motion becomes a new action: keys on every frame, in each bone's own rotation mode, for what the source keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..core.errors import ModelError
from ..core.motion import Motion
from ..core.rotation import Array
from ..core.skeleton import body_size
from .actions import Source, armature_of, keyed_channels, rotation_path, source_of
from .checks import check_inheritance, check_object, check_poses
from .compat import new_channelbag, new_fcurve
from .evaluate import Poses, Rest, read_rest, rotation_part, sample_poses
from .placement import learned_space
from .rotation_modes import channel_values

GENERATED, LINEAR = 5, 1
"""Values of the enums Keyframe.type and Keyframe.interpolation in 4.5 and 5.2; `foreach_set` takes numbers only."""

_CONSTANT = 2e-6


@dataclass(frozen=True)
class Curve:
    """One F-curve to write: a value for each frame, or a single one where nothing changes."""

    path: str
    index: int
    group: str
    values: Array


@dataclass(frozen=True)
class Plan:
    """How motions of one skeleton get onto one armature: its rest, a bone for each joint, (bone, property) of what is
    written, the pose in the source's first frame, `first`, and the world matrix for which they are meant."""

    rest: Rest
    joints: list[int]
    channels: list[tuple[str, str]]
    poses: Poses
    world: Array
    first: int


def write_motion(
    armature_object: bpy.types.Object, motion: Motion, name: str, *, source_action: bpy.types.Action | None = None,
    source_slot: bpy.types.ActionSlot | None = None, frame_start: int | None = None,
    properties: Mapping[str, Any] | None = None, space: Matrix | None = None,
) -> bpy.types.Action:  # fmt: skip
    """Write a motion (already at the scene's rate) as a new action with one slot, not assigned to anything.

    Written are the bones' channels that `source_action` keys (every rotation where it is None) and the root's location;
    whatever else the source keys stays at its first value. Keys are linear, of type GENERATED, from `frame_start` on
    (the source's first frame, or 1). `properties` become id-properties. An object moved since the motion was read takes
    the motion along, unless `space` says which world matrix of the object the motion is meant for. Raises ModelError
    where the armature lacks the motion's bones, ClipError where its pose cannot be keyed.
    """
    armature_object = armature_of(armature_object)
    source = source_of(armature_object, source_action, source_slot) if source_action else None
    plan = plan_writing(armature_object, motion, source, space)
    curves = _motion_curves(armature_object, motion, plan)
    curves += _still_curves(source, {(curve.path, curve.index) for curve in curves}, plan.first)
    start = plan.first if frame_start is None else frame_start
    return _new_action(armature_object, name, curves, start, properties or {})


def plan_writing(
    armature_object: bpy.types.Object, motion: Motion, source: Source | None, space: Matrix | None = None,
) -> Plan:  # fmt: skip
    """What has to be known of an armature to write motions of one skeleton to it. Raises as `write_motion` does."""
    rest = read_rest(armature_object)
    joints = _match_bones(armature_object, rest, motion)
    channels = _channels(armature_object, motion, source)
    first = (source.frames()[:1] if source else None) or range(1, 2)
    poses = sample_poses(armature_object, source, first, bpy.context.scene)
    check_inheritance(armature_object, motion.skeleton.names)
    check_object(armature_object, poses.world, may_move=True)
    check_poses(armature_object, rest, joints, poses, dict.fromkeys(channels, True), first)
    world = learned_space(motion, rest, joints, poses) if space is None else np.array(space, dtype=np.float64)
    return Plan(rest, joints, channels, poses, world, first[0])


def _match_bones(armature_object: bpy.types.Object, rest: Rest, motion: Motion) -> list[int]:
    """Index of each joint's bone. Raises ModelError where the armature is another than the one that was learned."""
    index = {name: k for k, name in enumerate(rest.names)}
    skeleton = motion.skeleton
    for joint, name in enumerate(skeleton.names):
        if name not in index:
            raise ModelError(f"“{armature_object.name}” has no bone “{name}”; the motion is another armature's.")
        above = rest.parents[index[name]]
        if joint and (above < 0 or rest.names[above] != skeleton.names[skeleton.parents[joint]]):
            raise ModelError(f"“{name}” of “{armature_object.name}” has another parent than the bone that was learned.")
    return [index[name] for name in skeleton.names]


def _channels(armature_object: bpy.types.Object, motion: Motion, source: Source | None) -> list[tuple[str, str]]:
    """(bone, property) of what is written of each joint, in the joints' order."""
    skeleton, bones = motion.skeleton, armature_object.pose.bones
    keyed = keyed_channels(armature_object, source) if source else None
    channels = []
    for joint, name in enumerate(skeleton.names):
        turn = (name, rotation_path(bones[name].rotation_mode))
        if joint == 0 or (joint in skeleton.translated and (keyed is None or (name, "location") in keyed)):
            channels.append((name, "location"))
        if keyed is None or turn in keyed:
            channels.append(turn)
    return channels


def written_values(
    armature_object: bpy.types.Object, motion: Motion, plan: Plan,
) -> Iterator[tuple[str, str, Array]]:  # fmt: skip
    """Bone, property and values (frames, components) of each channel that a motion is written to."""
    bones = armature_object.pose.bones
    turns = _basis_rotations(motion, plan.rest, plan.joints, plan.poses, plan.world)
    places = _basis_locations(motion, plan.rest, plan.joints, plan.poses, plan.world)
    joints = {name: joint for joint, name in enumerate(motion.skeleton.names)}
    for name, channel in plan.channels:
        if channel == "location":
            yield name, channel, places[:, joints[name]]
        else:
            yield name, channel, channel_values(turns[:, joints[name]], bones[name].rotation_mode)


def _motion_curves(armature_object: bpy.types.Object, motion: Motion, plan: Plan) -> list[Curve]:
    size = body_size(plan.rest.matrices[:, :3, 3])
    curves = []
    for name, channel, values in written_values(armature_object, motion, plan):
        path = armature_object.pose.bones[name].path_from_id(channel)
        still = _CONSTANT * (size if channel == "location" else 1.0)
        curves += [Curve(path, k, name, _shortest(column, still)) for k, column in enumerate(values.T)]
    return curves


def _basis_rotations(motion: Motion, rest: Rest, joints: list[int], poses: Poses, world: Array) -> Array:
    """Rotations (T, J, 3, 3) that the bones' own channels have to hold."""
    # In the parent's rest axes the parents' rotations cancel: B⁻¹ R B with B the bone's rest rotation in the world.
    rests = rotation_part(world[:3, :3]) @ rest.matrices[joints][:, :3, :3]
    turns = rests.swapaxes(-1, -2) @ motion.rotations() @ rests
    root = joints[0]
    if rest.parents[root] >= 0:
        # the bones above the root stand still, but perhaps not at rest
        above = rotation_part(poses.pose[0, rest.parents[root], :3, :3])
        posed = above @ rest.relative[root, :3, :3]
        turns[:, 0] = posed.T @ rest.matrices[root, :3, :3] @ turns[:, 0]
    return turns


def _basis_locations(motion: Motion, rest: Rest, joints: list[int], poses: Poses, world: Array) -> Array:
    """Locations (T, J, 3) in the bones' own axes and units; for other joints than the root where they slide."""
    skeleton = motion.skeleton
    places = np.zeros((motion.frames, len(joints), 3))
    above = poses.pose[0, rest.parents[joints[0]]] if rest.parents[joints[0]] >= 0 else np.eye(4)
    to_root = np.linalg.inv(world @ above @ rest.relative[joints[0]])
    places[:, 0] = (motion.root_positions() * skeleton.unit) @ to_root[:3, :3].T + to_root[:3, 3]
    offsets = motion.local_offsets()[:, list(skeleton.translated)] * skeleton.unit
    for k, joint in enumerate(skeleton.translated):
        parent = rest.parents[joints[joint]]
        # a scaled parent scales how far its children stand from it
        scale = np.linalg.norm(poses.pose[0, parent, :3, 0])
        to_parent = np.linalg.inv(world[:3, :3] @ rest.matrices[parent, :3, :3] * scale)
        relative = rest.relative[joints[joint]]
        places[:, joint] = (offsets[:, k] @ to_parent.T - relative[:3, 3]) @ relative[:3, :3]
    return places


def _still_curves(source: Source | None, written: set[tuple[str, int]], frame: int) -> list[Curve]:
    """What else the source keys, held at its first value, so that the action says all that its source said."""
    curves = []
    for curve in source.bag.fcurves if source else ():
        value = curve.evaluate(frame)
        if (curve.data_path, curve.array_index) not in written and np.isfinite(value) and not curve.mute:
            group = curve.group.name if curve.group else ""
            curves.append(Curve(curve.data_path, curve.array_index, group, np.array([value])))
    return curves


def _shortest(values: Array, still: float) -> Array:
    return values if np.ptp(values) > still else values[:1]


def _new_action(
    armature_object: bpy.types.Object, name: str, curves: list[Curve], frame_start: int, properties: Mapping[str, Any],
) -> bpy.types.Action:  # fmt: skip
    action = bpy.data.actions.new(name)
    try:
        slot = action.slots.new(id_type="OBJECT", name=armature_object.name)
        bag = new_channelbag(action, slot)
        for curve in curves:
            _write_keys(new_fcurve(bag, curve.path, curve.index, curve.group), curve.values, frame_start)
        for key, value in properties.items():
            action[key] = value
        action.asset_mark()  # sets the fake user as well
    except BaseException:
        bpy.data.actions.remove(action)
        raise
    return action


def _write_keys(curve: bpy.types.FCurve, values: Array, frame_start: int) -> None:
    points, count = curve.keyframe_points, len(values)
    points.add(count)
    keys = np.empty((count, 2), dtype=np.float32)
    keys[:, 0] = np.arange(frame_start, frame_start + count)
    keys[:, 1] = values
    points.foreach_set("co", keys.ravel())
    points.foreach_set("type", np.full(count, GENERATED, dtype=np.uint8))
    points.foreach_set("interpolation", np.full(count, LINEAR, dtype=np.uint8))
    for selected in ("select_control_point", "select_left_handle", "select_right_handle"):
        points.foreach_set(selected, np.zeros(count, dtype=bool))
    is_quaternion = curve.data_path.endswith("rotation_quaternion")
    curve.color_mode = "AUTO_YRGB" if is_quaternion else "AUTO_RGB"
    curve.update()
