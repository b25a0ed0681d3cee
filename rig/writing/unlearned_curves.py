"""Curves of what is not learned: bones that copy others follow them, the object's scale plays, the rest is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ...core.motion.motion import Motion, forward_kinematics
from ...core.numeric.rotation import Array
from ..reading.actions import Source, moves, played_channels, rotation_modes
from ..reading.copies import find_copies, relation
from ..reading.evaluate import Poses, Rest, rotation_part, sample_poses
from ..reading.object_scale import keyed_scale
from ..reading.properties import keyed_owners
from .new_action import Curve
from .rotation_modes import channel_values

_COMPARED_FRAMES = 24
"""Frames of the source in which copies are found again."""


@dataclass(frozen=True, eq=False)
class Carried:
    """Poses of bones in armature space over T frames of a motion; `source` (1, n, 4, 4) is the source's first frame."""

    rest: Rest
    source: Poses
    joints: Sequence[int]
    turns: Array
    """Rotations (T, J, 3, 3) of the joints."""
    places: Array
    """Positions (T, J, 3) of the joints."""

    def pose_of(self, bone: int) -> tuple[Array, Array]:
        """Return rotations (T, 3, 3) and positions (T, 3) of a bone, at rest on the nearest joint above it."""
        carrier = next((one for one in (bone, *self.rest.ancestors(bone)) if one in self.joints), -1)
        first = self.source.pose[0]
        if carrier < 0:
            count = len(self.turns)
            return np.tile(rotation_part(first[bone, :3, :3]), (count, 1, 1)), np.tile(first[bone, :3, 3], (count, 1))
        return self.fixed_to(bone, carrier)

    def fixed_to(self, bone: int, carrier: int) -> tuple[Array, Array]:
        """Return rotations and positions of a bone that keeps its place on a joint."""
        joint = list(self.joints).index(carrier)
        turn, place = relation(self.source.pose[0, bone], self.source.pose[0, carrier])
        return self.turns[:, joint] @ turn, self.places[:, joint] + self.turns[:, joint] @ place

    def own_channels(self, bone: int, carrier: int) -> tuple[Array, Array]:
        """Return rotations (T, 3, 3) and locations (T, 3) that put a bone where its carrier has it."""
        turn, place = self.fixed_to(bone, carrier)
        parent = self.rest.parents[bone]
        parent_turn, parent_place = self.pose_of(parent)
        scale = float(np.linalg.norm(self.source.pose[0, parent, :3, 0]))
        relative = self.rest.relative[bone]
        zero = parent_turn @ relative[:3, :3]
        away = place - parent_place - scale * parent_turn @ relative[:3, 3]
        return zero.swapaxes(-1, -2) @ turn, np.einsum("tba,tb->ta", zero, away) / scale


@dataclass(frozen=True, eq=False)
class Copies:
    """Bones that are no joints and copy one in the source; holds no Blender data.

    `channels` has the bone, what it copies, a keyed channel of it, and its rotation mode. `source` is the source's
    first frame, `joints` are the bones of the joints.
    """

    rest: Rest
    source: Poses
    joints: Sequence[int]
    channels: Sequence[tuple[int, int, str, str]]

    def paths(self) -> list[tuple[str, str]]:
        """Return bone and property of each channel."""
        return [(self.rest.names[bone], path) for bone, _, path, _ in self.channels]

    def values(self, motion: Motion, world: Array) -> Iterator[tuple[str, str, Array]]:
        """Iterate over bone, property and values (T, components) in a motion meant for the object's matrix `world`."""
        carried = Carried(self.rest, self.source, self.joints, *_armature_poses(motion, self.rest, self.joints, world))
        own: dict[int, tuple[Array, Array]] = {}
        for bone, original, path, mode in self.channels:
            if bone not in own:
                own[bone] = carried.own_channels(bone, original)
            turns, places = own[bone]
            yield self.rest.names[bone], path, places if path == "location" else channel_values(turns, mode)


def copies_of(
    armature_object: bpy.types.Object, source: Source | None, rest: Rest, joints: Sequence[int]
) -> Copies | None:
    """Return the bones that are no joints and copy one in the source; None if there are none."""
    channels = played_channels(armature_object, source) if source is not None else {}
    others = {name for bone, name in enumerate(rest.names) if bone not in joints}
    placed = {bone: curves for (bone, path), curves in channels.items() if path == "location" and bone in others}
    sliding = {bone for bone, curves in placed.items() if any(map(moves, curves))}
    if source is None or not sliding:
        return None
    frames = source.frames()
    poses = sample_poses(armature_object, source, frames[:: max(1, len(frames) // _COMPARED_FRAMES)], bpy.context.scene)
    modes = rotation_modes(armature_object, source)
    found = []
    for bone, original in find_copies(rest, poses, sliding).items():
        if original in joints:
            name = rest.names[bone]
            mode = modes[name]
            found += [(bone, original, path, mode) for owner, path in channels if owner == name and path != "scale"]
    return Copies(rest, poses, joints, found) if found else None


def scale_curves(source: Source, frames: int, first: int) -> list[Curve]:
    """Return the curves that change the object's scale in the source, played through from frame `first` on; longer
    motions keep the last value.
    """
    last = source.frames()[-1]
    curves = []
    for curve in keyed_scale(source):
        values = np.array([curve.evaluate(min(first + row, last)) for row in range(frames)])
        curves.append(Curve(curve.data_path, curve.array_index, "Object Transforms", values))
    return curves


def still_curves(
    armature_object: bpy.types.Object, source: Source | None, written: Sequence[Curve], frame: int
) -> list[Curve]:
    """Return the source's other channels, held at their first value, so that the action covers all of them."""
    curves = []
    known = {(curve.owner, curve.path, curve.index) for curve in written}
    for owner, _, keyed in keyed_owners(armature_object, source) if source else ():
        for curve in keyed:
            value = curve.evaluate(frame)
            if (owner, curve.data_path, curve.array_index) not in known and np.isfinite(value) and not curve.mute:
                group = curve.group.name if curve.group else ""
                curves.append(Curve(curve.data_path, curve.array_index, group, np.array([value]), owner))
    return curves


def _armature_poses(motion: Motion, rest: Rest, joints: Sequence[int], world: Array) -> tuple[Array, Array]:
    """Return rotations (T, J, 3, 3) and positions (T, J, 3) of a motion's joints in armature space."""
    places, turns = forward_kinematics(
        motion.skeleton, motion.rotations(), motion.root_positions(), motion.local_offsets()
    )
    axes = rotation_part(world[:3, :3])
    inverse = np.linalg.inv(world)
    positions = places * motion.skeleton.unit @ inverse[:3, :3].T + inverse[:3, 3]
    return axes.T @ turns @ axes @ rest.matrices[list(joints)][:, :3, :3], positions
