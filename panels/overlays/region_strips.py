"""Overlay of regions of interest as coloured strips in the timeline and the dope sheet."""

from __future__ import annotations

from typing import Any

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ...state.rig_settings import active_armature

STRIP_POINTS, SCROLL_BAR_POINTS, RULER_POINTS = 18, 14, 23
"""Heights of a strip, of the scroll bar below it and of the ruler at the top, in interface points."""

_handles: list[Any] = []


def draw_regions() -> None:
    """Draw the active armature's regions over the editor that Blender is drawing."""
    context: Any = bpy.context
    ob = active_armature(context)
    if ob is None or not len(ob.riff.regions):
        return
    if context.space_data.mode not in {"TIMELINE", "DOPESHEET", "ACTION"}:
        return
    scale = context.preferences.system.ui_scale
    settings = ob.riff
    gpu.state.blend_set("ALPHA")
    for number, region in enumerate(settings.regions):
        _draw_region(context.region, region, scale, active=number == settings.active_region)
    gpu.state.blend_set("NONE")


def _draw_region(area: Any, region: Any, scale: float, active: bool) -> None:
    left = area.view2d.view_to_region(region.start, 0, clip=False)[0]
    right = area.view2d.view_to_region(region.end, 0, clip=False)[0]
    right = max(right, left + 2)
    if right < 0 or left > area.width:
        return
    low, high = _heights(area.height, scale)
    share = 1.0 if region.use else 0.35
    _fill(left, right, high, area.height, (*region.color, 0.10 * share))
    _fill(left, right, low, high, (*region.color, (0.85 if active else 0.55) * share))
    _write(region.name, max(left, 0) + 5 * scale, (low + high - 8 * scale) / 2, right, scale)


def _heights(height: float, scale: float) -> tuple[float, float]:
    """Return the lower and upper edge of a strip: above the scroll bar, or on it in a very low editor."""
    top = max(height - RULER_POINTS * scale, 4 * scale)
    low = min(SCROLL_BAR_POINTS * scale, max(0.0, top - STRIP_POINTS * scale))
    return low, min(low + STRIP_POINTS * scale, top)


def _fill(left: float, right: float, low: float, high: float, color: tuple[float, ...]) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    corners = ((left, low), (right, low), (left, high), (right, high))
    shader.uniform_float("color", color)
    batch_for_shader(shader, "TRI_STRIP", {"pos": corners}).draw(shader)


def _write(text: str, x: float, y: float, right: float, scale: float) -> None:
    blf.size(0, 11 * scale)
    if x + blf.dimensions(0, text)[0] > right:
        return
    blf.color(0, 1.0, 1.0, 1.0, 0.9)
    blf.position(0, x, y, 0)
    blf.draw(0, text)


def register() -> None:
    # The timeline is a dope sheet in another mode, in 4.5 and 5.2.
    _handles.append(bpy.types.SpaceDopeSheetEditor.draw_handler_add(draw_regions, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    while _handles:
        bpy.types.SpaceDopeSheetEditor.draw_handler_remove(_handles.pop(), "WINDOW")
