"""Controls of learned joints, and choice of the channels to write."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...core.motion.skeleton import Skeleton, Space
from ...core.numeric.rotation import Array
from ..reading.actions import (
    DELTA,
    Source,
    channel_owner,
    object_channels,
    played_channels,
    rotation_modes,
    rotation_path,
    split_bone_path,
)
from ..reading.controls import OBJECT, Control
from ..reading.evaluate import Rest


def controls_of(rest: Rest, skeleton: Skeleton) -> list[Control]:
    """Return the control of each joint of a skeleton that has the armature's own names."""
    index = {name: bone for bone, name in enumerate(rest.names)}
    controls = []
    for joint, (name, parent, base) in enumerate(
        zip(skeleton.names, skeleton.parents, skeleton.reference_frames, strict=True)
    ):
        name = skeleton.names[0] if base == Space.TILT else name
        controls.append(Control(index[name] if base != Space.OBJECT else OBJECT, base, parent if joint else -1))
    return controls


def control_channels(
    armature_object: bpy.types.Object, rest: Rest, skeleton: Skeleton, controls: list[Control], source: Source | None
) -> tuple[list[tuple[str, str]], dict[str, int]]:
    """Return the (bone, property) pairs to write, and the joint of each bone.

    All channels that the source keys are written, or all if it is None. A location is written only if it was learned:
    the root's, and those that move.
    """
    keyed: set[tuple[str, str]] | None = None
    if source is not None:
        keyed = {*played_channels(armature_object, source), *object_channels(armature_object, source)}
    modes = rotation_modes(armature_object, source)
    channels, rows = [], {}
    for joint, control in enumerate(controls):
        if control.base == Space.YAW:
            continue
        name = "" if control.bone == OBJECT else rest.names[control.bone]
        rows[name] = joint
        placed = control.parent < 0 or control.base == Space.TILT or joint in skeleton.translated
        for path, wanted in (("location", placed), (rotation_path(modes[name]), True)):
            # keys on an object's deltas alone are written there: they would leave its location where it is
            for known in (path, DELTA + path):
                if wanted and (keyed is None or (name, known) in keyed):
                    channels.append((name, known))
                    break
    return channels, rows


@dataclass(frozen=True)
class PartialChannel:
    """A location or rotation keyed on some components only; `held` are the current values of all (3,) or (4,)."""

    keyed: frozenset[int]
    held: tuple[float, ...]

    def nearest(self, values: Array, mode: str) -> Array:
        """Return the angles (T, 3), or their equivalent triple in this Euler order if it is closer to the unkeyed
        components.

        Values of other rotation modes are returned unchanged.
        """
        if mode in ("QUATERNION", "AXIS_ANGLE"):
            return values
        middle = "XYZ".index(mode[1])
        other = values + np.pi
        other[:, middle] = np.pi - values[:, middle]
        free = [k for k in range(3) if k not in self.keyed]
        off = [np.abs(np.sin((one - np.array(self.held))[:, free] / 2.0)).sum() for one in (values, other)]
        return other if off[1] < off[0] else values


def keyed_parts(armature_object: bpy.types.Object, source: Source) -> dict[tuple[str, str], PartialChannel]:
    """Return the locations and Euler rotations that the source keys in part: only these components are written."""
    found: dict[tuple[str, str], set[int]] = {}
    for curve in source.curves:
        channel = split_bone_path(curve.data_path) or ("", curve.data_path)
        if channel[1].removeprefix(DELTA) in ("location", "rotation_euler") and not curve.mute:
            found.setdefault(channel, set()).add(curve.array_index)
    parts = {}
    bones = armature_object.pose.bones
    for (bone, path), keyed in found.items():
        if len(keyed) < 3 and (not bone or bone in bones):
            held = tuple(getattr(channel_owner(armature_object, bone), path))
            parts[bone, path] = PartialChannel(frozenset(keyed), held)
    return parts
