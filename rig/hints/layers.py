"""Actions in the strips of an armature's NLA, and layers that play below its active action."""

from __future__ import annotations

from typing import Any

import bpy

from ..compat import channelbag_of
from ..reading.actions import Source, clips, split_bone_path
from ..reading.keys import keys_of


def strip_actions(armature_object: bpy.types.Object) -> list[bpy.types.Action]:
    """Return the actions of all strips, those of muted tracks included: each once, the top track's first."""
    data = armature_object.animation_data
    tracks = reversed(data.nla_tracks) if data is not None else ()
    return list(dict.fromkeys(strip.action for track in tracks for strip in clips(track.strips, muted=True)))


def plays_layers(armature_object: bpy.types.Object) -> bool:
    """Return True if a strip plays: neither it nor its track is muted."""
    data = armature_object.animation_data
    return data is not None and any(clips(track.strips) for track in data.nla_tracks if not track.mute)


def shows_layers_below(armature_object: bpy.types.Object, source: Source) -> bool:
    """Return True if strips below the active action change what it shows.

    They do where the action is added to them or has part of the influence, and where they move what it does not key.
    """
    data: Any = armature_object.animation_data
    if data is None or data.action != source.action or not data.use_nla or data.use_tweak_mode:
        return False
    if not plays_layers(armature_object):
        return False
    if data.action_blend_type != "REPLACE" or data.action_influence < 1.0:
        return True
    keyed = {(curve.data_path, curve.array_index) for curve in source.curves if not curve.mute}
    played: Any = source.action.frame_range
    for track in data.nla_tracks:
        for strip in () if track.mute else clips(track.strips):
            if strip.frame_start > played[1] or (strip.frame_end < played[0] and strip.extrapolation == "NOTHING"):
                continue
            if any(_moves_bone(armature_object, curve, keyed) for curve in _curves_of(strip)):
                return True
    return False


def _curves_of(strip: Any) -> list[bpy.types.FCurve]:
    bag = channelbag_of(strip.action, strip.action_slot) if strip.action_slot is not None else None
    return list(bag.fcurves) if bag is not None else []


def _moves_bone(armature_object: bpy.types.Object, curve: bpy.types.FCurve, keyed: set[tuple[str, int]]) -> bool:
    channel = split_bone_path(curve.data_path)
    if channel is None or channel[0] not in armature_object.pose.bones or (curve.data_path, curve.array_index) in keyed:
        return False
    return not curve.mute and len(curve.keyframe_points) > 0 and bool(keys_of(curve).moving().any())
