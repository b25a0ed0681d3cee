"""Selection of an armature's action, slot and channels, and a summary of what the F-curves key."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.hints.curve_keys import CurveKeys
from ...core.hints.moving_range import moving_range
from ...core.hints.stepping import spacing
from ..bone_paths import bone_of_path
from ..compat import MAX_FRAME, channelbag_of, ensure_pose, slot_for
from .keys import keys_of, moves_at

ROTATION_PATHS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
"""Property read by each rotation mode of a pose bone; the six Euler orders read `rotation_euler`."""

DELTA = "delta_"
"""Beginning of the names of an object's second set of transforms, which is added to the first."""

OBJECT_CHANNELS = (
    "location",
    "rotation_euler",
    "rotation_quaternion",
    "rotation_axis_angle",
    "delta_location",
    "delta_rotation_euler",
    "delta_rotation_quaternion",
)
"""Properties that move and rotate an object."""

_BONE_PATH = re.compile(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]\.(location|rotation_\w+|scale)')
_STILL_SPREAD = 1e-6
"""Largest spread of a curve that counts as still, relative to its first value or to 1, whichever is larger."""


@dataclass(frozen=True)
class Source:
    """An action as one armature object plays it: the slot and the F-curves that move it.

    For the whole NLA, `span` holds its first and last frame and `others` the channelbags of its other strips.
    """

    action: bpy.types.Action
    slot: bpy.types.ActionSlot
    bag: bpy.types.ActionChannelbag
    span: tuple[float, float] | None = None
    others: tuple[bpy.types.ActionChannelbag, ...] = ()

    @property
    def curves(self) -> list[bpy.types.FCurve]:
        return [curve for bag in (self.bag, *self.others) for curve in bag.fcurves]

    def keys(self) -> Iterator[CurveKeys]:
        """Iterate over the keys of all F-curves that are not muted."""
        return (keys_of(curve) for curve in self.curves if not curve.mute and len(curve.keyframe_points))

    def spacing(self) -> int:
        """Return the frames for which stepped keys hold each pose, 2 for keys on twos; 1 for a smooth action."""
        return spacing(self.keys()) if self.span is None else 1

    def frames(self) -> range:
        """Return every whole frame to learn: the manual frame range if set, else from first to last key.

        A long rest at an end is left out, and a forgotten key far away with it. Raises ClipError for an end that is no
        frame of Blender's.
        """
        if self.span is not None:
            first, last = self.span
        elif self.action.use_frame_range:
            first, last = self.action.frame_start, self.action.frame_end
        else:
            first, last = _moving_range([curve for curve in self.bag.fcurves if len(curve.keyframe_points)])
        check_ends(self.action, first, last)
        # scaling keys in the editors leaves them slightly off the whole frame
        return range(math.ceil(first - 1e-3), math.floor(last + 1e-3) + 1)


def check_ends(action: bpy.types.Action, first: float, last: float) -> None:
    """Raise ClipError for a first or last frame that is no number, or beyond all frames of Blender."""
    if not all(abs(end) <= MAX_FRAME for end in (first, last)):  # written so that NaN is refused, too
        remedy = "correct its Manual Frame Range" if action.use_frame_range else "delete the keys that are out of place"
        raise ClipError(
            f"The action “{action.name}” lasts from frame {first:g} to {last:g}, which Blender cannot play; {remedy}."
        )


def range_of(action: bpy.types.Action) -> tuple[int, int]:
    """Return the first and last whole frame of all of an action. Raises ClipError as `check_ends` does."""
    first, last = action.frame_range[:]
    check_ends(action, first, last)
    return round(first), round(last)


def _moving_range(curves: list[bpy.types.FCurve]) -> tuple[float, float]:
    """Return the first and last frame of what moves; looks at all keys only if none moves at one of the ends."""
    played = [curve for curve in curves if not curve.mute] or curves
    if not played:
        return 0.0, 0.0
    first = min(curve.keyframe_points[0].co[0] for curve in played)
    last = max(curve.keyframe_points[-1].co[0] for curve in played)
    if any(moves_at(curve, 0, first) for curve in played) and any(moves_at(curve, -1, last) for curve in played):
        return first, last
    return moving_range([keys_of(curve) for curve in played])


def armature_of(armature_object: bpy.types.Object | None) -> bpy.types.Object:
    """Return the object if it is an armature with bones, with its pose ready. Raises ClipError otherwise."""
    if armature_object is None:
        raise ClipError("Select an armature first.")
    if armature_object.type != "ARMATURE":
        raise ClipError(f"“{armature_object.name}” is not an armature; select the armature that the action moves.")
    ensure_pose(armature_object)
    if not len(armature_object.pose.bones):
        raise ClipError(f"The armature “{armature_object.name}” has no bones.")
    return armature_object


def source_of(
    armature_object: bpy.types.Object, action: bpy.types.Action | None = None, slot: bpy.types.ActionSlot | None = None
) -> Source:
    """Return the given action, else the active one, with the slot meant for the armature.

    Raises ClipError if there is no action, no slot for the armature, or no keyframe in the slot.
    """
    data = armature_object.animation_data
    if action is None:
        action = data.action if data else None
    if action is None:
        raise ClipError(_no_action(armature_object))
    slot = slot or slot_for(armature_object, action)
    if slot is None:
        raise ClipError(f"The action “{action.name}” has no slot for an object such as “{armature_object.name}”.")
    bag = channelbag_of(action, slot)
    if bag is None or not len(bag.fcurves):
        raise ClipError(f"The slot “{slot.name_display}” of the action “{action.name}” has no keyframes.")
    return Source(action, slot, bag)


def _no_action(armature_object: bpy.types.Object) -> str:
    data = armature_object.animation_data
    if data is not None and any(clips(track.strips, muted=True) for track in data.nla_tracks):
        return (
            f"The motion of “{armature_object.name}” lies in NLA strips; choose one of their actions in the box "
            "Source, or turn on Whole NLA."
        )
    return f"“{armature_object.name}” has no action; assign one, or animate it first."


def stack_of(armature_object: bpy.types.Object) -> Source:
    """Return the armature's NLA as one source, the active action on top. Raises ClipError if it plays nothing."""
    data = armature_object.animation_data
    strips = [strip for track in (data.nla_tracks if data else ()) if not track.mute for strip in clips(track.strips)]
    played = [(strip.action, strip.action_slot, (strip.frame_start, strip.frame_end)) for strip in strips]
    if data is not None and data.action is not None and data.action_slot is not None:
        own: Any = data.action.frame_range
        played.append((data.action, data.action_slot, (own[0], own[1])))
    found = [(action, slot, channelbag_of(action, slot), span) for action, slot, span in played if slot is not None]
    filled = [(action, slot, bag, span) for action, slot, bag, span in found if bag is not None and len(bag.fcurves)]
    if not filled:
        raise ClipError(f"The NLA of “{armature_object.name}” plays nothing; add a strip, or turn off Whole NLA.")
    span = min(one[3][0] for one in filled), max(one[3][1] for one in filled)
    action, slot, bag, _ = filled[-1]
    return Source(action, slot, bag, span, tuple(one[2] for one in filled[:-1]))


def clips(strips: Any, muted: bool = False) -> list[Any]:
    """Return the strips with actions, including those inside meta strips; `muted` ones only if asked for."""
    found = []
    for strip in strips:
        if strip.mute and not muted:
            continue
        if strip.type == "META":
            found += clips(strip.strips, muted)
        elif strip.action is not None:
            found.append(strip)
    return found


def slot_of(action: bpy.types.Action, handle: int) -> bpy.types.ActionSlot | None:
    """Return the slot with this handle, which stays the same when other slots come and go; None if it is gone."""
    return next((slot for slot in action.slots if slot.handle == handle), None)


def keys_sum(source: Source) -> int:
    """Return a checksum of all keys; it changes with every key that is moved, added or removed."""
    total = 0
    for curve in source.curves:
        points = np.empty(len(curve.keyframe_points) * 2, dtype=np.float32)
        curve.keyframe_points.foreach_get("co", points)
        total = zlib.crc32(points.data, zlib.crc32(curve.data_path.encode(), total))
    return total


def invalid_key_frame(curve: bpy.types.FCurve) -> float | None:
    """Return the frame of the first key whose value is not finite; it spoils the frames around it. None without one."""
    points = np.empty((len(curve.keyframe_points), 2), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", points.ravel())
    bad = ~np.isfinite(points[:, 1])
    return float(points[int(bad.argmax()), 0]) if bad.any() else None


def check_key_values(armature_object: bpy.types.Object, source: Source) -> None:
    """Raise ClipError, naming bone or object and frame, for a key that is not a number."""
    for curve in source.curves:
        frame = None if curve.mute else invalid_key_frame(curve)
        if frame is not None:
            bone = bone_of_path(curve.data_path)
            owner = f"“{bone}”" if bone else f"The object “{armature_object.name}”"
            raise ClipError(f"{owner} has an invalid key (not a number) at frame {frame:g}.")


def rotation_path(mode: str) -> str:
    """The property that holds a pose bone's rotation in this rotation mode."""
    return ROTATION_PATHS.get(mode, "rotation_euler")


def split_bone_path(path: str) -> tuple[str, str] | None:
    """Split the data path of a bone's location, rotation or scale into bone and property; None for other paths."""
    match = _BONE_PATH.fullmatch(path)
    return (bpy.utils.unescape_identifier(match[1]), match[2]) if match else None


def channel_owner(armature_object: bpy.types.Object, bone: str) -> Any:
    """Return the pose bone of this name, or the object for an empty name. Raises KeyError if the bone is gone."""
    return armature_object.pose.bones[bone] if bone else armature_object


def rotation_modes(armature_object: bpy.types.Object, source: Source | None) -> dict[str, str]:
    """Return the rotation mode of each pose bone and of the object (“”); where it is keyed, that of the first frame."""
    modes = {bone.name: str(bone.rotation_mode) for bone in armature_object.pose.bones}
    modes[""] = armature_object.rotation_mode
    for bone, curve in _mode_curves(source) if source is not None else ():
        if bone in modes:
            modes[bone] = _mode_of(curve.evaluate(source.frames()[0]))
    return modes


def switched_modes(source: Source) -> dict[str, set[str]]:
    """Map each bone with a keyed rotation mode (“” for the object) to all modes that it takes on."""
    found: dict[str, set[str]] = {}
    for bone, curve in _mode_curves(source):
        modes = {_mode_of(curve.evaluate(key.co[0])) for key in curve.keyframe_points}
        found.setdefault(bone, set()).update(modes)
    return found


def _mode_curves(source: Source) -> list[tuple[str, bpy.types.FCurve]]:
    curves = [curve for curve in source.curves if curve.data_path.endswith("rotation_mode") and not curve.mute]
    return [(bone_of_path(curve.data_path), curve) for curve in curves]


def _mode_of(value: float) -> str:
    items: Any = bpy.types.PoseBone.bl_rna.properties["rotation_mode"]
    return next((item.identifier for item in items.enum_items if item.value == round(value)), "QUATERNION")


def keyed_channels(armature_object: bpy.types.Object, source: Source) -> dict[tuple[str, str], bool]:
    """Map each keyed (bone, property), as `played_channels` finds them, to True if its curves move."""
    switched = switched_modes(source)
    return {
        (bone, path): len(switched.get(bone, ())) > 1 or any(map(moves, curves))
        for (bone, path), curves in played_channels(armature_object, source).items()
    }


def played_channels(armature_object: bpy.types.Object, source: Source) -> dict[tuple[str, str], list[bpy.types.FCurve]]:
    """Map each keyed (bone, property) to its curves, whose keys are not read, which is slow in Blender.

    Rotations of another mode than the bone's own have no effect and are left out; so are bones that the armature lacks.
    A bone whose mode is keyed has one rotation, that of its mode in the first frame.
    """
    modes, switched = rotation_modes(armature_object, source), switched_modes(source)
    channels: dict[tuple[str, str], list[bpy.types.FCurve]] = {}
    for curve in source.curves:
        channel = split_bone_path(curve.data_path)
        if channel is None or channel[0] not in modes or curve.mute:
            continue
        bone, path = channel
        if path.startswith("rotation_"):
            played = switched.get(bone, {modes[bone]})
            if path not in {rotation_path(mode) for mode in played}:
                continue
            channel = bone, rotation_path(modes[bone])
        channels.setdefault(channel, []).append(curve)
    return channels


def object_channels(armature_object: bpy.types.Object, source: Source) -> dict[tuple[str, str], bool]:
    """Map the object's own keyed location and rotation, and their deltas, to True if their curves move.

    The bone's name is “”. Channels with a driver are left out: their keys have no effect.
    """
    turn = rotation_path(rotation_modes(armature_object, source)[""])
    driven = driven_channels(armature_object)
    channels: dict[tuple[str, str], bool] = {}
    for curve in source.curves:
        if curve.data_path.removeprefix(DELTA) not in ("location", turn) or curve.mute:
            continue
        if (curve.data_path, curve.array_index) not in driven:
            channels["", curve.data_path] = channels.get(("", curve.data_path), False) or moves(curve)
    return channels


def driven_channels(armature_object: bpy.types.Object) -> set[tuple[str, int]]:
    """Return path and index of each property of the object that a driver sets."""
    data = armature_object.animation_data
    return {(curve.data_path, curve.array_index) for curve in (data.drivers if data else ()) if not curve.mute}


def moves(curve: bpy.types.FCurve) -> bool:
    """Return true if a curve's keys or modifiers change its value."""
    if len(curve.modifiers):
        return True
    points = np.empty(len(curve.keyframe_points) * 2, dtype=np.float32)
    curve.keyframe_points.foreach_get("co", points)
    values = points[1::2]
    # written so that NaN counts as moving: reading the poses then reports it by name
    return len(values) > 1 and not np.ptp(values) <= _STILL_SPREAD * max(1.0, abs(float(values[0])))
