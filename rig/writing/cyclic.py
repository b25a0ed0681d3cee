"""Marking of actions as cycles, for Blender's own playback and exporters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy


def make_cyclic(action: bpy.types.Action, source: bpy.types.Action | None) -> None:
    """Mark an action as a cycle over the range of its keys.

    If F-curves of `source` have Cycles modifiers, those of the action get them too, so that it repeats as the source
    does.
    """
    mark_cyclic(action, *action.frame_range[:])
    modes = dict(_cycled(source)) if source else {}
    if not modes:
        return
    for curve in _curves(action):
        modifier: Any = curve.modifiers.new("CYCLES")
        modifier.mode_before = modifier.mode_after = modes.get((curve.data_path, curve.array_index), "REPEAT")


def mark_cyclic(action: bpy.types.Action, first: float, last: float) -> None:
    """Mark an action as a cycle over a range of frames."""
    action.use_frame_range = action.use_cyclic = True
    action.frame_start, action.frame_end = first, last


def _cycled(action: bpy.types.Action) -> Iterator[tuple[tuple[str, int], str]]:
    """Iterate over the F-curves with an active Cycles modifier: path and index, and its mode after the last key."""
    for curve in _curves(action):
        cycles: list[Any] = [one for one in curve.modifiers if one.type == "CYCLES" and not one.mute]
        for modifier in cycles:
            if modifier.mode_after != "NONE":
                yield (curve.data_path, curve.array_index), modifier.mode_after


def _curves(action: bpy.types.Action) -> Iterator[bpy.types.FCurve]:
    strips: list[Any] = [strip for layer in action.layers for strip in layer.strips]
    for strip in strips:
        for bag in strip.channelbags:
            yield from bag.fcurves
