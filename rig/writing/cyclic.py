"""Marking of actions as cycles, for Blender's own playback and exporters."""

from __future__ import annotations

from collections.abc import Iterator

import bpy


def make_cyclic(action: bpy.types.Action, source: bpy.types.Action | None) -> None:
    """Mark an action as a cycle over the range of its keys.

    If F-curves of `source` have Cycles modifiers, those of the action get them too, so that it repeats as the source
    does.
    """
    first, last = action.frame_range
    action.use_frame_range = action.use_cyclic = True
    action.frame_start, action.frame_end = first, last
    modes = {(curve.data_path, curve.array_index): mode for curve, mode in _cycled(source)} if source else {}
    if not modes:
        return
    for curve in _curves(action):
        mode = modes.get((curve.data_path, curve.array_index), "REPEAT")
        modifier = curve.modifiers.new("CYCLES")
        modifier.mode_before = modifier.mode_after = mode


def _cycled(action: bpy.types.Action) -> Iterator[tuple[bpy.types.FCurve, str]]:
    """Iterate over the F-curves with an enabled Cycles modifier, with its mode after the last key."""
    for curve in _curves(action):
        for modifier in curve.modifiers:
            if modifier.type == "CYCLES" and not modifier.mute and modifier.mode_after != "NONE":
                yield curve, modifier.mode_after


def _curves(action: bpy.types.Action) -> Iterator[bpy.types.FCurve]:
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                yield from bag.fcurves
