"""An armature's action becomes a Motion: evaluated poses in world space, joints at rest turned by the identity."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.motion.contacts import with_contacts, with_found_contacts
from ...core.motion.motion import Motion, from_transforms
from ...core.motion.skeleton import body_size, build_skeleton
from ...core.numeric.rotation import Array
from ..steps import STEP, run_through
from .actions import Source, armature_of, keyed_channels, keys_sum, object_channels, slot_of, source_of, stack_of
from .checks import NotForwardKinematics, as_keyed, check_object, check_poses
from .control_motion import control_motion
from .controls import OBJECT, armature_size, check_keys, choose_root_control, control_names, find_controls, frames_of
from .evaluate import Poses, Rest, read_rest, sample_steps, world_transforms
from .properties import read_tracks, watched_paths, with_tracks
from .roots import choose_root

_MOVES = 1e-5


@dataclass(frozen=True)
class ReadOptions:
    """What the user says instead of letting Riff find it: the root's bone, the feet's, bones that are not learned,
    bones on the other side, names of body parts."""

    root: str = ""
    feet: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    parts: tuple[tuple[str, str], ...] = ()


def read_motion(
    armature_object: bpy.types.Object,
    action: bpy.types.Action | None = None,
    slot: bpy.types.ActionSlot | None = None,
    scene: bpy.types.Scene | None = None,
    *,
    root: str = "",
    feet: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    step: int = 1,
    nla: bool = False,
    pairs: Mapping[str, str] | None = None,
    parts: Mapping[str, str] | None = None,
) -> Motion:
    """Read an action (the active one unless given) at the scene's rate, one row each `step` frames.

    World space, Z up. Where all that is keyed are bones that hang together and follow their keys, joints are the root
    and every bone below it; on any other rig they are the controls that are keyed. Other keyed numbers are properties.
    With `nla` it is not an action that is read but what the NLA gives, the active action on top. `root` and `feet` are
    found where they are not given, feet are labelled; bones in `ignore` are not learned; `pairs` (bone to bone on the
    other side) and `parts` (bone to body part) go before what Riff would find. The scene, the armature and its actions
    stay as they are. Raises ClipError, naming object, bone, action or frame, for what cannot be read: no armature, no
    action or slot, nothing keyed that moves, an object that is scaled unevenly, a bone that is scaled to zero or
    mirrored, values that are not numbers.
    """
    steps = read_steps(
        armature_object,
        action,
        slot,
        scene,
        root=root,
        feet=feet,
        ignore=ignore,
        step=step,
        nla=nla,
        pairs=pairs,
        parts=parts,
        seconds=math.inf,
    )
    return run_through(steps)


def read_steps(
    armature_object: bpy.types.Object,
    action: bpy.types.Action | None = None,
    slot: bpy.types.ActionSlot | None = None,
    scene: bpy.types.Scene | None = None,
    *,
    root: str = "",
    feet: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    step: int = 1,
    nla: bool = False,
    pairs: Mapping[str, str] | None = None,
    parts: Mapping[str, str] | None = None,
    seconds: float = STEP,
) -> Generator[float, None, Motion]:
    """What `read_motion` returns, in steps of about so many seconds; yields the share that is done.

    Between two steps nothing of Riff is in the file: it may be saved, undone or left. Raises ClipError as `read_motion`
    does, and where armature or action are removed or changed meanwhile.
    """
    armature_object = armature_of(armature_object)
    scene = scene or bpy.context.scene
    source = stack_of(armature_object) if nla else source_of(armature_object, action, slot)
    channels = keyed_channels(armature_object, source) | object_channels(armature_object, source)
    if not channels:
        raise ClipError(f"The action “{source.action.name}” keys no bones of “{armature_object.name}”.")
    frames = source.frames()
    if len(frames) < 2:
        raise ClipError(f"The action “{source.action.name}” has fewer than two frames.")
    frames = frames[:: min(step, len(frames) - 1)]
    fps = scene.render.fps / scene.render.fps_base / frames.step
    what = f"The action “{source.action.name}” of “{armature_object.name}”"
    before = _state(armature_object, source) if math.isfinite(seconds) else ()
    action, handle = source.action, source.slot.handle
    sides, named = tuple((pairs or {}).items()), tuple((parts or {}).items())
    wish = ReadOptions(root, None if feet is None else tuple(feet), tuple(ignore), sides, named)
    try:
        poses = yield from sample_steps(
            armature_object, source, frames, scene, seconds=seconds, watched=watched_paths(source)
        )
        if math.isfinite(seconds):
            again = source_of(armature_object, action, slot_of(action, handle))
            source = stack_of(armature_object) if nla else again
            if before != _state(armature_object, source):
                raise ClipError(f"{what} was changed while it was read.")
        reading = Reading(armature_object, source, channels, poses, frames, fps, wish)
        yield 1.0
        motion = reading.motion()
        yield 1.0
        motion = reading.with_feet(motion)
        yield 1.0
        return reading.as_wished(reading.with_tracks(motion))
    except ReferenceError as error:  # Blender's own word for a data-block that is gone
        raise ClipError(f"{what} was removed while it was read.") from error


def _state(armature_object: bpy.types.Object, source: Source) -> tuple[object, ...]:
    """What tells whether anything that is read was edited: the bones' names and rest, and a sum over all keys."""
    rest = read_rest(armature_object)
    return rest.names, rest.parents, rest.matrices.tobytes(), keys_sum(source)


class Reading:
    """What is made of the poses at the end of a reading."""

    def __init__(
        self,
        armature_object: bpy.types.Object,
        source: Source,
        channels: dict[tuple[str, str], bool],
        poses: Poses,
        frames: range,
        fps: float,
        wish: ReadOptions,
    ) -> None:
        self.ob, self.action, self.channels, self.poses = armature_object, source.action, channels, poses
        self.frames, self.fps, self.wish = frames, fps, wish
        self.rest = read_rest(armature_object)
        # At once: between two steps a person may edit the action, and slots and F-curves kept until then are freed.
        self.tracks = read_tracks(armature_object, source, frames, poses)
        self.bones: list[int] = []

    def motion(self) -> Motion:
        """The motion without feet and properties. Raises ClipError."""
        moves = {name: any(moving) for name, moving in self._by_bone().items()}
        self.poses = as_keyed(self.poses)
        check_object(self.ob, self.poses.world)
        learned = [self.rest.names.index(name) for name, moving in moves.items() if moving and name]
        learned = [bone for bone in sorted(learned) if self.rest.names[bone] not in self.wish.ignore]
        keyed = [self.rest.names.index(name) for name in moves if name]
        root = self._chosen_root()
        if keyed and not moves.get("") and not self.wish.ignore:
            motion = self._bones_motion(learned, root)
            if motion is not None:
                return motion
        check_keys(self.rest, self.poses, keyed, self.frames)
        return self._controls_motion(learned, OBJECT if moves.get("") and root is None else root)

    def _by_bone(self) -> dict[str, list[bool]]:
        found: dict[str, list[bool]] = {}
        for (bone, path), moving in self.channels.items():
            found.setdefault(bone, []).append(moving and path != "scale")
        return found

    def _chosen_root(self) -> int | None:
        name = self.wish.root
        if name and name not in self.rest.names:
            raise ClipError(f"“{self.ob.name}” has no bone “{name}” to be the root; choose another.")
        return self.rest.names.index(name) if name else None

    def _bones_motion(self, learned: list[int], root: int | None) -> Motion | None:
        """Joints are all bones below the root; None where their keys do not say all, so that they are controls."""
        rest = self.rest
        bones = {channel: moves for channel, moves in self.channels.items() if channel[0]}
        top = choose_root(self.ob, rest, bones) if root is None else root
        joints = rest.depth_first(top)
        if not set(learned) <= set(joints):
            return None
        try:
            check_poses(self.ob, rest, joints, self.poses, bones, self.frames)
        except NotForwardKinematics:
            return None
        self.bones = joints
        return _to_motion(rest, joints, self.poses, self._sliding(), self.fps)

    def _controls_motion(self, learned: list[int], root: int | None) -> Motion:
        """Joints are the keyed controls; `root` may be OBJECT."""
        rest = self.rest
        if not learned and root != OBJECT:
            raise ClipError(f"Nothing that the action “{self.action.name}” keys moves “{self.ob.name}”.")
        if root not in (OBJECT, None) and root not in learned:
            raise ClipError(f"“{rest.names[root]}” is not keyed and cannot be the root; choose a bone that is.")
        if root is None:
            root = choose_root_control(rest, learned, self._travelling())
        above = [bone for bone in learned if root != OBJECT and bone in rest.ancestors(root)]
        if above:
            raise ClipError(
                f"“{rest.names[above[0]]}”, above the root “{rest.names[root]}”, moves; choose it, or let Riff find it."
            )
        frames = frames_of(self.ob, rest, self.poses, learned)
        size = armature_size(self.ob, rest)
        controls = find_controls(rest, learned, root, frames, size)
        names = control_names(self.ob, rest, controls)
        self.bones = [control.bone for control in controls]
        return control_motion(rest, self.poses, controls, frames, names, self._sliding(), size, self.fps)

    def _sliding(self) -> set[str]:
        return {bone for (bone, path), moves in self.channels.items() if path == "location" and moves}

    def _travelling(self) -> list[int]:
        return [self.rest.names.index(name) for name in self._sliding() if name]

    def with_feet(self, motion: Motion) -> Motion:
        """The motion with the feet that were found, or wished for. Raises ClipError."""
        if self.wish.feet is None:
            return with_found_contacts(motion)
        names = motion.skeleton.names
        for name in self.wish.feet:
            if name not in names[1:]:
                what = "no control that is learned" if motion.skeleton.bases else f"no bone below the root “{names[0]}”"
                raise ClipError(f"The foot “{name}” is {what}; choose another.")
        return with_contacts(motion, sorted({names.index(name) for name in self.wish.feet}))

    def as_wished(self, motion: Motion) -> Motion:
        """The motion whose skeleton knows the pairs and parts that the user named; bones that are no joints aside."""
        joints = {name: joint for joint, name in enumerate(motion.skeleton.names)}
        pairs = tuple((joints[a], joints[b]) for a, b in self.wish.pairs if a in joints and b in joints)
        parts = tuple((joints[bone], name) for bone, name in self.wish.parts if bone in joints and name)
        return replace(motion, skeleton=replace(motion.skeleton, pairs=pairs, part_names=parts))

    def with_tracks(self, motion: Motion) -> Motion:
        """The motion with the other numbers that are keyed."""
        tracks = [track for track in self.tracks if track.bone not in self.wish.ignore]
        return with_tracks(motion, tracks, self.rest, self.bones, self.poses.world[0]) if tracks else motion


def _to_motion(rest: Rest, joints: list[int], poses: Poses, sliding: set[str], fps: float) -> Motion:
    """`joints` index the bones, parents first; `sliding` names the bones whose keyed location moves."""
    names = [rest.names[bone] for bone in joints]
    parents = [joints.index(rest.parents[bone]) if k else -1 for k, bone in enumerate(joints)]
    world_rotations, world_positions = world_transforms(rest, joints, poses)
    rest_positions = (poses.world[0] @ rest.matrices[joints])[:, :3, 3]
    above = [max(parent, 0) for parent in parents]
    rotations = world_rotations[:, above].swapaxes(-1, -2) @ world_rotations
    rotations[:, 0] = world_rotations[:, 0]
    offsets = np.einsum("tjba,tjb->tja", world_rotations[:, above], world_positions - world_positions[:, above])
    base = rest_positions - rest_positions[above]
    moving = _moving_offsets(names, offsets, sliding, body_size(rest_positions))
    steady = offsets.mean(axis=0)
    steady[moving] = base[moving]
    steady[0] = rest_positions[0]
    for joint in range(1, len(names)):
        rest_positions[joint] = rest_positions[above[joint]] + steady[joint]
    skeleton = build_skeleton(names, parents, rest_positions, moving)
    return from_transforms(skeleton, rotations, world_positions[:, 0] / skeleton.unit, fps, offsets / skeleton.unit)


def _moving_offsets(names: list[str], offsets: Array, sliding: set[str], size: float) -> list[int]:
    """Joints other than the root that slide against their parent by more than the noise of single precision."""
    spread = np.ptp(offsets, axis=0).max(axis=1)
    return [j for j in range(1, len(names)) if names[j] in sliding and spread[j] > _MOVES * size]
