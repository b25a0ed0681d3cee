"""Read an armature's action as a Motion: evaluated poses in world space; a joint at rest has the identity rotation."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.motion.contacts import with_contacts, with_found_contacts
from ...core.motion.motion import Motion
from ...core.motion.resampling import resample_held
from ...core.numeric.rotation import Array
from ..steps import STEP_SECONDS, paced, run_through
from .actions import (
    Source,
    armature_of,
    check_key_values,
    keyed_channels,
    keys_sum,
    object_channels,
    slot_of,
    source_of,
    stack_of,
)
from .bone_motion import bone_motion
from .bone_settings import BoneSettings, settings_of
from .checks import NotForwardKinematics, check_distance, check_object, check_steps
from .control_motion import control_motion
from .controls import OBJECT, choose_root_control, control_names, find_controls, frames_steps, key_check_steps
from .copies import find_copies, left_out
from .evaluate import Poses, Rest, read_rest, sample_steps, take_of
from .object_motion import as_keyed, driven_transforms
from .properties import Track, read_tracks, watched_paths, with_tracks
from .roots import choose_root

MAX_POSE_VALUES = 1 << 27
"""Largest number of values of the poses that are read, two matrices for each bone and frame."""


@dataclass(frozen=True)
class ReadOptions:
    """The user's choices for reading an action; Riff finds whatever is left at its default.

    `root` and `feet` name bones. Bones in `ignore` are not learned. `pairs` maps a bone to the bone on the other side
    of the body, `parts` a bone to its body part. `nla` reads the result of the whole NLA with the active action on top
    instead of one action. `step` is the number of frames from one row to the next.
    """

    root: str = ""
    feet: Sequence[str] | None = None
    ignore: Sequence[str] = ()
    pairs: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    nla: bool = False
    step: int = 1


def read_motion(
    armature_object: bpy.types.Object,
    action: bpy.types.Action | None = None,
    slot: bpy.types.ActionSlot | None = None,
    scene: bpy.types.Scene | None = None,
    options: ReadOptions | None = None,
) -> Motion:
    """Read an action (the active one unless given) at the scene's rate, one row each `options.step` frames.

    The motion is in world space, Z up. On a rig whose keyed bones form one tree and follow their keys, the joints are
    the root and every bone below it. On any other rig they are the keyed controls. Other keyed numbers become
    properties; feet get contact labels. Of stepped keys each pose is read once, and the rows between lead from pose to
    pose. The scene, the armature and its actions stay as they are.

    Raises ClipError, naming object, bone, action or frame: for no armature, no action or slot, no key that moves
    anything, an unevenly scaled object, a driver that only the user's scene can feed, a bone scaled to zero or
    mirrored, or values that are not numbers.
    """
    return run_through(read_steps(armature_object, action, slot, scene, options, seconds=math.inf))


def read_steps(
    armature_object: bpy.types.Object,
    action: bpy.types.Action | None = None,
    slot: bpy.types.ActionSlot | None = None,
    scene: bpy.types.Scene | None = None,
    options: ReadOptions | None = None,
    *,
    seconds: float = STEP_SECONDS,
) -> Generator[float, None, Motion]:
    """Read an action like `read_motion`, in steps of about `seconds`; yield the fraction done.

    Between two steps the file holds nothing of Riff's: it may be saved, undone or left. Raises ClipError as
    `read_motion` does, and also if the armature or the action is removed or changed between two steps.
    """
    options = options or ReadOptions()
    armature_object = armature_of(armature_object)
    scene = scene or bpy.context.scene
    source = stack_of(armature_object) if options.nla else source_of(armature_object, action, slot)
    channels = keyed_channels(armature_object, source) | object_channels(armature_object, source)
    if not channels:
        raise ClipError(f"The action “{source.action.name}” keys no bones of “{armature_object.name}”.")
    frames = source.frames()
    if len(frames) < 2:
        remedy = "correct its Manual Frame Range" if source.action.use_frame_range else "key it on a second frame"
        raise ClipError(f"The action “{source.action.name}” has fewer than two frames; {remedy}.")
    every, held = len(frames), source.spacing()
    frames = frames[:: min(held * math.ceil(options.step / held), len(frames) - 1)]
    _check_length(source.action.name, len(frames), len(armature_object.pose.bones))
    rate = scene.render.fps / scene.render.fps_base
    fps = rate / frames.step
    subject = f"The action “{source.action.name}” of “{armature_object.name}”"
    in_steps = math.isfinite(seconds)
    before = _edit_state(armature_object, source) if in_steps else ()
    action, handle = source.action, source.slot.handle
    take, watched = take_of(armature_object, source), watched_paths(source)
    yield 0.0
    try:
        poses = yield from sample_steps(armature_object, take, frames, scene, seconds=seconds, watched=watched)
        yield 1.0
        if in_steps:
            slot = slot_of(action, handle)
            if slot is not None:
                source = stack_of(armature_object) if options.nla else source_of(armature_object, action, slot)
            if slot is None or before != _edit_state(armature_object, source):
                raise ClipError(f"{subject} was changed while it was read.")
        if not np.isfinite(poses.pose.sum() + poses.world.sum()):
            check_key_values(armature_object, source)
        recording = _record(armature_object, source, channels, poses, frames, fps, options)
        yield 1.0
    except ReferenceError as error:  # Blender's own word for a data-block that is gone
        raise ClipError(f"{subject} was removed while it was read.") from error
    motion = yield from paced(_motion_steps(recording), seconds / 2.0)
    return motion if options.step > 1 or held == 1 else resample_held(motion, rate, every)


def _check_length(name: str, frames: int, bones: int) -> None:
    """Raise ClipError for an action whose poses are more than there should be in memory."""
    most = MAX_POSE_VALUES // (32 * bones)
    if frames > most:
        raise ClipError(
            f"The action “{name}” lasts {frames:,} frames, too many for {bones} bones; set its Manual Frame Range to "
            f"at most {most:,} of them."
        )


def _edit_state(armature_object: bpy.types.Object, source: Source) -> tuple[object, ...]:
    """Return a value that changes with any edit of what is read: the bones' names and rest pose, and all keys."""
    rest = read_rest(armature_object)
    return rest.names, rest.parents, rest.matrices.tobytes(), keys_sum(source)


@dataclass(frozen=True)
class _Recording:
    """Everything taken from Blender, without references to slots or F-curves.

    `channels` says of each keyed (bone, property) whether it moves; `tracks` are the other keyed numbers.
    """

    settings: BoneSettings
    action: str
    channels: dict[tuple[str, str], bool]
    poses: Poses
    frames: range
    fps: float
    options: ReadOptions
    rest: Rest
    tracks: list[Track]

    def index(self, name: str) -> int:
        """Return the index of a bone."""
        return self.rest.names.index(name)

    def sliding(self) -> set[str]:
        """Return the names of bones whose keyed location moves."""
        return {bone for (bone, path), moves in self.channels.items() if path == "location" and moves}


def _record(
    armature_object: bpy.types.Object,
    source: Source,
    channels: dict[tuple[str, str], bool],
    poses: Poses,
    frames: range,
    fps: float,
    options: ReadOptions,
) -> _Recording:
    # All is read at once: between two steps a person may edit the action, and slots and F-curves kept until then are
    # freed.
    tracks = read_tracks(armature_object, source, frames, poses)
    rest = read_rest(armature_object)
    poses = as_keyed(poses, driven_transforms(armature_object))
    settings = settings_of(armature_object, rest)
    return _Recording(settings, source.action.name, channels, poses, frames, fps, options, rest, tracks)


def _motion_steps(recording: _Recording) -> Generator[float, None, Motion]:
    """Build the motion in steps, without Blender's data. Raises ClipError."""
    motion, bones = yield from _build_motion(recording)
    yield 1.0
    positions = motion.positions()
    yield 1.0
    motion = _with_feet(motion, positions, recording.options.feet)
    yield 1.0
    return _with_pairs_and_parts(_with_properties(motion, recording, bones), recording.options)


def _build_motion(recording: _Recording) -> Generator[float, None, tuple[Motion, list[int]]]:
    """Build the motion without contacts and properties in steps; return it with the bone of each joint (OBJECT for the
    object). Raises ClipError.
    """
    rest, options = recording.rest, recording.options
    moves: dict[str, bool] = {}
    for (bone, path), moving in recording.channels.items():
        moves[bone] = moves.get(bone, False) or (moving and path != "scale")
    check_object(recording.settings.name, recording.poses.world, recording.frames)
    learned = sorted(recording.index(bone) for bone, moving in moves.items() if moving and bone)
    learned = [bone for bone in learned if rest.names[bone] not in options.ignore]
    keyed = [recording.index(bone) for bone in moves if bone]
    check_distance(recording.settings.name, rest, keyed, recording.poses, recording.frames)
    root = _chosen_root(recording)
    object_moves = moves.get("", False)
    if keyed and not object_moves and not options.ignore:
        joints = yield from _forward_kinematic_joints(recording, learned, root)
        if joints is not None:
            sliding = recording.sliding()
            yield 1.0
            motion = yield from bone_motion(rest, joints, recording.poses, sliding, recording.fps)
            return motion, joints
    yield from key_check_steps(rest, recording.poses, keyed, recording.frames)
    return (yield from _controls_motion(recording, learned, keyed, OBJECT if object_moves and root is None else root))


def _chosen_root(recording: _Recording) -> int | None:
    """Return the bone that the user chose as the root; None to let Riff find it. Raises ClipError."""
    name = recording.options.root
    if name and name not in recording.rest.names:
        raise ClipError(f"“{recording.settings.name}” has no bone “{name}” to use as root; choose another.")
    return recording.index(name) if name else None


def _forward_kinematic_joints(
    recording: _Recording, learned: list[int], root: int | None
) -> Generator[float, None, list[int] | None]:
    """Find the root and the bones below it, parents first, in steps; None if their keys do not explain the poses.

    Bones that copy others are left out; they need not be below the root.
    """
    rest = recording.rest
    copies = find_copies(rest, recording.poses, recording.sliding())
    unneeded = left_out(rest, copies, learned) - {root} if copies else set()
    channels = {key: moves for key, moves in recording.channels.items() if key[0]}
    own = {key: moves for key, moves in channels.items() if recording.index(key[0]) not in unneeded}
    top = choose_root(recording.settings.connected, rest, own) if root is None else root
    joints = rest.depth_first(top)
    if not set(learned) - unneeded <= set(joints):
        return None
    yield 1.0
    try:
        yield from check_steps(recording.settings, rest, joints, recording.poses, channels, recording.frames)
    except NotForwardKinematics:
        return None
    return [bone for bone in joints if bone not in unneeded]


def _controls_motion(
    recording: _Recording, learned: list[int], keyed: list[int], root: int | None
) -> Generator[float, None, tuple[Motion, list[int]]]:
    """Build the motion of the keyed controls in steps; `root` may be OBJECT, or None to be found. Raises ClipError."""
    rest, settings, sliding = recording.rest, recording.settings, recording.sliding()
    if not learned and root != OBJECT:
        raise ClipError(f"The keys of the action “{recording.action}” do not move “{settings.name}”.")
    if root not in (OBJECT, None) and root not in learned:
        raise ClipError(f"“{rest.names[root]}” has no keys and cannot be the root; choose a keyed bone.")
    if root is None:
        root = choose_root_control(rest, learned, [recording.index(bone) for bone in sliding if bone], keyed)
    above = [bone for bone in learned if root != OBJECT and bone in rest.ancestors(root)]
    if above:
        raise ClipError(
            f"“{rest.names[above[0]]}” moves above the root “{rest.names[root]}”; choose it as the root, or let Riff "
            "find one."
        )
    known = learned if root in (OBJECT, *learned) else sorted([*learned, root])
    control_frames = yield from frames_steps(settings, rest, recording.poses, known)
    size = settings.size
    controls = yield from find_controls(rest, learned, root, control_frames, size)
    names = control_names(settings.name, rest, controls)
    motion = yield from control_motion(
        rest, recording.poses, controls, control_frames, names, sliding, size, recording.fps
    )
    return motion, [control.bone for control in controls]


def _with_feet(motion: Motion, positions: Array, feet: Sequence[str] | None) -> Motion:
    """Label the contacts of the named feet, or of those that Riff finds; `positions` (T, J, 3). Raises ClipError."""
    if feet is None:
        return with_found_contacts(motion, positions)
    names = motion.skeleton.names
    for name in feet:
        if name not in names[1:]:
            problem = (
                "not a learned control"
                if motion.skeleton.reference_frames
                else f"not a bone below the root “{names[0]}”"
            )
            raise ClipError(f"The foot “{name}” is {problem}; choose another.")
    return with_contacts(motion, sorted({names.index(name) for name in feet}), positions)


def _with_pairs_and_parts(motion: Motion, options: ReadOptions) -> Motion:
    """Store the pairs and body parts that the user named in the skeleton; skip bones that are no joints."""
    joints = {name: joint for joint, name in enumerate(motion.skeleton.names)}
    pairs = tuple((joints[a], joints[b]) for a, b in options.pairs.items() if a in joints and b in joints)
    parts = tuple((joints[bone], name) for bone, name in options.parts.items() if bone in joints and name)
    return replace(motion, skeleton=replace(motion.skeleton, pairs=pairs, part_names=parts))


def _with_properties(motion: Motion, recording: _Recording, bones: list[int]) -> Motion:
    """Add the other keyed numbers as properties; `bones` are those of the joints."""
    tracks = [track for track in recording.tracks if track.bone not in recording.options.ignore]
    return with_tracks(motion, tracks, recording.rest, bones) if tracks else motion
