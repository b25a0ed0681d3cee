"""Overlay of regions of interest, and of spans in which actions play, as strips in the timeline and dope sheet."""

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
    """Draw the active armature's regions and spans over the editor that Blender is drawing."""
    context: Any = bpy.context
    ob = active_armature(context)
    if ob is None or not (len(ob.riff.regions) or len(ob.riff.spans)):
        return
    if context.space_data.mode not in {"TIMELINE", "DOPESHEET", "ACTION"}:
        return
    scale = context.preferences.system.ui_scale
    settings = ob.riff
    for number, region in enumerate(settings.regions):
        share = 1.0 if region.use else 0.35
        _draw_strip(context.region, region, region.name, scale, number == settings.active_region, share)
    for number, span in enumerate(settings.spans):
        _draw_strip(context.region, span, span.action, scale, number == settings.active_span, 1.0, row=1)
    gpu.state.blend_set("NONE")


def _draw_strip(area: Any, region: Any, name: str, scale: float, active: bool, share: float, row: int = 0) -> None:
    """Draw a strip in a row above the scroll bar, 0 for the lowest, and a faint column over its frames."""
    left = area.view2d.view_to_region(region.start, 0, clip=False)[0]
    right = area.view2d.view_to_region(region.end, 0, clip=False)[0]
    right = max(right, left + 2)
    if right < 0 or left > area.width:
        return
    low, high = _heights(area.height, scale)
    if row and high + row * (high - low) < area.height - RULER_POINTS * scale:
        low, high = low + row * (high - low), high + row * (high - low)
    _fill(left, right, high, area.height, (*region.color, 0.10 * share))
    _fill(left, right, low, high, (*region.color, (0.85 if active else 0.55) * share))
    _write(name, max(left, 0) + 5 * scale, (low + high - 8 * scale) / 2, right, scale)


def _heights(height: float, scale: float) -> tuple[float, float]:
    """Return the lower and upper edge of a strip: above the scroll bar, or on it in a very low editor."""
    top = max(height - RULER_POINTS * scale, 4 * scale)
    low = min(SCROLL_BAR_POINTS * scale, max(0.0, top - STRIP_POINTS * scale))
    return low, min(low + STRIP_POINTS * scale, top)


def _fill(left: float, right: float, low: float, high: float, color: tuple[float, ...]) -> None:
    # Each time: text that was drawn before leaves blending switched off (5.2).
    gpu.state.blend_set("ALPHA")
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
