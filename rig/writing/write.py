"""Writing of a Motion as a new action: keys on every frame, in each bone's rotation mode, for the source's channels."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...core.motion.motion import Motion
from ...core.motion.rig_match import RigMatch, match_rig, resting_joints
from ...core.motion.skeleton import body_size
from ...core.numeric.rotation import Array
from ..reading.actions import (
    DELTA,
    Source,
    armature_of,
    channel_owner,
    played_channels,
    rotation_modes,
    rotation_path,
    source_of,
    split_bone_path,
)
from ..reading.bone_settings import settings_of
from ..reading.checks import check_inheritance, check_object, check_steps
from ..reading.control_motion import Rigging, own_channels, rigging_of, standing_offsets
from ..reading.controls import OBJECT, frames_steps, key_check_steps
from ..reading.evaluate import Poses, Rest, read_rest, rotation_part, sample_poses
from ..steps import run_through
from .control_channels import PartialChannel, control_channels, controls_of, keyed_parts
from .new_action import Curve, new_action
from .placement import fitted_space, learned_space
from .rotation_modes import channel_values, one_value
from .snap_to_source import snap_to_source
from .unlearned_curves import Copies, copies_of, scale_curves, still_curves

_STILL_SPREAD = 2e-6
"""Largest spread of a curve that gets a single key, in radians or armature sizes."""


@dataclass(frozen=True)
class WritePlan:
    """Mapping from motions of one skeleton to one armature.

    `match` brings motions to the armature's own names; joints are meant after that. `rest` is the armature's rest pose,
    `joints` the bone of each joint, `channels` the (bone, property) pairs to write. `poses` is the pose in the source's
    first frame, `first`. `world` is the object's matrix that motions are meant for. `rows` maps a bone (“” for the
    object) to the joint that holds its channels, `modes` to the rotation mode that it is written in. For controls there
    is the `rigging`; `parts` has the channels that the source keys in part. `copies` are bones that follow joints.
    """

    match: RigMatch
    rest: Rest
    joints: list[int]
    channels: list[tuple[str, str]]
    poses: Poses
    world: Array
    first: int
    rows: Mapping[str, int]
    modes: Mapping[str, str]
    rigging: Rigging | None = None
    parts: Mapping[tuple[str, str], PartialChannel] = field(default_factory=dict)
    copies: Copies | None = None

    def written(self) -> list[tuple[str, str]]:
        """Return the (bone, property) pairs that are written, those of copies last."""
        return [*self.channels, *(self.copies.paths() if self.copies is not None else ())]


def write_motion(
    armature_object: bpy.types.Object,
    motion: Motion,
    name: str,
    *,
    source_action: bpy.types.Action | None = None,
    source_slot: bpy.types.ActionSlot | None = None,
    frame_start: int | None = None,
    properties: Mapping[str, Any] | None = None,
    space: Matrix | None = None,
    stepped: bool = True,
) -> bpy.types.Action:
    """Write a motion (already at the scene's rate) as a new action with one slot, assigned to nothing.

    It keys the bones' channels that `source_action` keys (all rotations if it is None) and the root's location; the
    source's other channels are held at their first value. Keys are linear, of type GENERATED, from `frame_start` on
    (the source's first frame, or 1). `properties` become id-properties. An object moved since the motion was read takes
    the motion along, unless `space` gives the object's world matrix that the motion is meant for. Where the source's
    keys are stepped, poses are held as long as its own, unless `stepped` is False. Raises ModelError if the armature
    lacks the motion's bones, ClipError if its pose cannot be keyed.
    """
    return run_through(
        write_steps(
            armature_object,
            motion,
            name,
            source_action=source_action,
            source_slot=source_slot,
            frame_start=frame_start,
            properties=properties,
            space=space,
            stepped=stepped,
        )
    )


def write_steps(
    armature_object: bpy.types.Object,
    motion: Motion,
    name: str,
    *,
    source_action: bpy.types.Action | None = None,
    source_slot: bpy.types.ActionSlot | None = None,
    frame_start: int | None = None,
    properties: Mapping[str, Any] | None = None,
    space: Matrix | None = None,
    stepped: bool = True,
) -> Generator[float, None, bpy.types.Action]:
    """Write like `write_motion`, in two steps; Blender may continue between them, since the first changes nothing."""
    armature_object = armature_of(armature_object)
    source = source_of(armature_object, source_action, source_slot) if source_action else None
    plan = plan_writing(armature_object, motion, source, space)
    motion = plan.match.onto_rig(motion)
    curves = _motion_curves(armature_object, motion, plan, source)
    if source is not None:
        curves += scale_curves(source, motion.frames, plan.first)
    curves += still_curves(armature_object, source, curves, plan.first)
    start = plan.first if frame_start is None else frame_start
    spacing = source.spacing() if source is not None and stepped else 1
    curves = [replace(curve, spacing=spacing) for curve in curves]
    owner = armature_object.name
    yield 0.5
    return new_action(owner, name, curves, start, properties or {})


def plan_writing(
    armature_object: bpy.types.Object, motion: Motion, source: Source | None, space: Matrix | None = None
) -> WritePlan:
    """Collect the data of an armature that writing motions of one skeleton needs. Raises as `write_motion` does."""
    rest = read_rest(armature_object)
    match = match_of(armature_object, motion)
    motion = match.onto_rig(motion)
    if motion.skeleton.reference_frames:
        return _plan_controls(armature_object, match, motion, source, space)
    joints = [rest.names.index(name) for name in motion.skeleton.names]
    channels = _channels(armature_object, motion, source)
    first = (source.frames()[:1] if source else None) or range(1, 2)
    poses = sample_poses(armature_object, source, first, bpy.context.scene)
    check_inheritance(armature_object, motion.skeleton.names)
    check_object(armature_object.name, poses.world, first)
    run_through(
        check_steps(settings_of(armature_object, rest), rest, joints, poses, dict.fromkeys(channels, True), first)
    )
    world = learned_space(motion, rest, joints, poses) if space is None else np.array(space, dtype=np.float64)
    rows = {name: joint for joint, name in enumerate(motion.skeleton.names)}
    copies = copies_of(armature_object, source, rest, joints)
    modes = rotation_modes(armature_object, source)
    return WritePlan(match, rest, joints, channels, poses, world, first[0], rows, modes, copies=copies)


def match_of(armature_object: bpy.types.Object, motion: Motion) -> RigMatch:
    """Return the armature's bone of each joint of a motion. Raises ModelError if it is another rig."""
    rest = read_rest(armature_object)
    return match_rig(motion.skeleton, rest.names, rest.parents, armature_object.name, resting_joints(motion))


def _plan_controls(
    armature_object: bpy.types.Object, match: RigMatch, motion: Motion, source: Source | None, space: Matrix | None
) -> WritePlan:
    rest = read_rest(armature_object)
    controls = controls_of(rest, motion.skeleton)
    first = (source.frames()[:1] if source else None) or range(1, 2)
    poses = sample_poses(armature_object, source, first, bpy.context.scene)
    check_object(armature_object.name, poses.world, first)
    bones = sorted({control.bone for control in controls} - {OBJECT})
    run_through(key_check_steps(rest, poses, bones, first))
    frames = run_through(frames_steps(settings_of(armature_object, rest), rest, poses, bones))
    now, root = standing_offsets(rest, poses, controls, frames, motion.skeleton.translated)
    world = fitted_space(motion, now, root, poses.world[0]) if space is None else np.array(space, dtype=np.float64)
    channels, rows = control_channels(armature_object, rest, motion.skeleton, controls, source)
    on_deltas = frozenset(path for name, path in channels if not name and path.startswith(DELTA))
    rigging = rigging_of(controls, frames, rest, poses, world, on_deltas)
    modes = rotation_modes(armature_object, source)
    parts = keyed_parts(armature_object, source) if source else {}
    joints = [control.bone for control in controls]
    return WritePlan(match, rest, joints, channels, poses, world, first[0], rows, modes, rigging, parts)


def _channels(armature_object: bpy.types.Object, motion: Motion, source: Source | None) -> list[tuple[str, str]]:
    """Return the (bone, property) pairs to write, in the joints' order."""
    skeleton, modes = motion.skeleton, rotation_modes(armature_object, source)
    keyed = played_channels(armature_object, source) if source else None
    channels = []
    for joint, name in enumerate(skeleton.names):
        turn = (name, rotation_path(modes[name]))
        if joint == 0 or (joint in skeleton.translated and (keyed is None or (name, "location") in keyed)):
            channels.append((name, "location"))
        if keyed is None or turn in keyed:
            channels.append(turn)
    return channels


def written_values(motion: Motion, plan: WritePlan) -> Iterator[tuple[str, str, Array]]:
    """Iterate over bone, property and values (T, components) of each channel that a motion is written to."""
    motion = plan.match.onto_rig(motion)
    rotations, positions = _own_channels(motion, plan)
    for name, channel in plan.channels:
        if channel.endswith("location"):
            yield name, channel, positions[:, plan.rows[name]]
        else:
            mode = plan.modes[name]
            values = channel_values(rotations[:, plan.rows[name]], mode)
            part = plan.parts.get((name, channel))
            yield name, channel, values if part is None else part.nearest(values, mode)
    if plan.copies is not None:
        yield from plan.copies.values(motion, plan.world)


def _own_channels(motion: Motion, plan: WritePlan) -> tuple[Array, Array]:
    """Return rotations (T, J, 3, 3) and locations (T, J, 3) to write to the bones' own channels."""
    if plan.rigging is not None:
        return own_channels(motion, plan.rigging)
    rotations = _basis_rotations(motion, plan.rest, plan.joints, plan.poses, plan.world)
    return rotations, _basis_locations(motion, plan.rest, plan.joints, plan.poses, plan.world)


def pose_values(
    armature_object: bpy.types.Object, motion: Motion, row: int, plan: WritePlan
) -> Iterator[tuple[str, str, Sequence[float]]]:
    """Iterate over bone, property and components of each channel in one row; faster than `written_values`."""
    one = plan.match.onto_rig(motion.slice(row, row + 1))
    rotations, positions = (values[0].tolist() for values in _own_channels(one, plan))
    for name, channel in plan.channels:
        if channel.endswith("location"):
            yield name, channel, positions[plan.rows[name]]
        else:
            mode = channel_owner(armature_object, name).rotation_mode  # as it is now, also where it is keyed
            path = rotation_path(mode) if name else channel
            yield name, path, one_value(Matrix(rotations[plan.rows[name]]), mode)
    if plan.copies is not None:
        for name, channel, values in plan.copies.values(one, plan.world):
            yield name, channel, values[0].tolist()


def _motion_curves(
    armature_object: bpy.types.Object, motion: Motion, plan: WritePlan, source: Source | None
) -> list[Curve]:
    size = body_size(plan.rest.matrices[:, :3, 3])
    curves = []
    for name, channel, values in written_values(motion, plan):
        path = channel_owner(armature_object, name).path_from_id(channel)
        still = _STILL_SPREAD * (size if channel.endswith("location") else 1.0)
        part = plan.parts.get((name, channel))
        if plan.rigging is not None and source is not None:
            values = snap_to_source(source, path, values, plan.first, still)
        curves += [
            Curve(path, k, name or "Object Transforms", _shortest(column, still))
            for k, column in enumerate(values.T)
            if part is None or k in part.keyed
        ]
    return curves + _property_curves(motion)


def _property_curves(motion: Motion) -> list[Curve]:
    curves = []
    for one, values in zip(motion.skeleton.properties, motion.property_values().T, strict=True):
        channel = split_bone_path(one.path)
        group = channel[0] if channel else ""
        curves.append(Curve(one.path, one.index, group, _shortest(values, 0.0), one.owner, bool(one.steps)))
    return curves


def _basis_rotations(motion: Motion, rest: Rest, joints: list[int], poses: Poses, world: Array) -> Array:
    """Return rotations (T, J, 3, 3) to write to the bones' own channels."""
    # In the parent's rest axes the parents' rotations cancel: B⁻¹ R B with B the bone's rest rotation in the world.
    rests = rotation_part(world[:3, :3]) @ rest.matrices[joints][:, :3, :3]
    rotations = rests.swapaxes(-1, -2) @ motion.rotations() @ rests
    root = joints[0]
    if rest.parents[root] >= 0:
        # the bones above the root stand still, though not always in the rest pose
        above = rotation_part(poses.pose[0, rest.parents[root], :3, :3])
        posed = above @ rest.relative[root, :3, :3]
        rotations[:, 0] = posed.T @ rest.matrices[root, :3, :3] @ rotations[:, 0]
    return rotations


def _basis_locations(motion: Motion, rest: Rest, joints: list[int], poses: Poses, world: Array) -> Array:
    """Return locations (T, J, 3) in the bones' own axes and units; besides the root's, only those of sliding joints."""
    skeleton = motion.skeleton
    positions = np.zeros((motion.frames, len(joints), 3))
    above = poses.pose[0, rest.parents[joints[0]]] if rest.parents[joints[0]] >= 0 else np.eye(4)
    to_root = np.linalg.inv(world @ above @ rest.relative[joints[0]])
    positions[:, 0] = (motion.root_positions() * skeleton.unit) @ to_root[:3, :3].T + to_root[:3, 3]
    offsets = motion.local_offsets()[:, list(skeleton.translated)] * skeleton.unit
    for k, joint in enumerate(skeleton.translated):
        parent = rest.parents[joints[joint]]
        # a scaled parent scales its children's offsets
        scale = np.linalg.norm(poses.pose[0, parent, :3, 0])
        to_parent = np.linalg.inv(world[:3, :3] @ rest.matrices[parent, :3, :3] * scale)
        relative = rest.relative[joints[joint]]
        positions[:, joint] = (offsets[:, k] @ to_parent.T - relative[:3, 3]) @ relative[:3, :3]
    return positions


def _shortest(values: Array, still: float) -> Array:
    # written so that NaN counts as moving: `new_action` refuses it then
    return values[:1] if np.ptp(values) <= still else values
