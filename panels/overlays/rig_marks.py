"""Overlay of the found feet and body parts over the armature in the 3D viewports."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ...state.rig_marks import Point, RigMarks, marks_of
from ...state.rig_settings import active_armature

LINE_POINTS, RING_POINTS = 4.0, 3.0
"""Widths of the bones' lines and of the rings at the feet, in interface points."""

RING_SHARE = 0.035
"""Radius of a ring at a foot, as a share of the armature's height."""

RING_CORNERS = 24

FOOT_COLOR = (1.0, 0.85, 0.1, 1.0)
"""Colour of the rings at the feet."""

LINE_ALPHA = 0.75

_handles: list[Any] = []


def draw_rig() -> None:
    """Draw the marks of the active armature in the viewport that Blender is drawing."""
    context: Any = bpy.context
    if not _shows_riff(context.area):
        return
    marks = marks_of(active_armature(context))
    if marks is not None:
        _draw_marks(marks, context.preferences.system.ui_scale)


def _shows_riff(area: Any) -> bool:
    """Return true if the sidebar of a viewport shows Riff's tab: in a hidden one no box is open."""
    for region in area.regions if area is not None else ():
        if region.type == "UI":
            return bool(region.width > 1 and region.active_panel_category == "Riff")
    return False


def _draw_marks(marks: RigMarks, scale: float) -> None:
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("NONE")  # the mesh must not hide them
    for part in marks.parts:
        _lines(part.points, (*part.color, LINE_ALPHA), LINE_POINTS * scale)
    for foot in marks.feet:
        _lines(ring(foot, RING_SHARE * marks.height), FOOT_COLOR, RING_POINTS * scale)
    gpu.state.blend_set("NONE")


def ring(centre: Point, radius: float) -> list[Point]:
    """Return the ends of the sides of a level ring, two for each side."""
    x, y, z = centre
    angles = [math.tau * corner / RING_CORNERS for corner in range(RING_CORNERS + 1)]
    corners = [(x + radius * math.cos(angle), y + radius * math.sin(angle), z) for angle in angles]
    return [point for side in pairwise(corners) for point in side]


def _lines(points: Any, color: tuple[float, ...], width: float) -> None:
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    viewport: Any = gpu.state.viewport_get()
    shader.bind()
    shader.uniform_float("viewportSize", viewport[2:])
    shader.uniform_float("lineWidth", width)
    shader.uniform_float("color", color)
    batch_for_shader(shader, "LINES", {"pos": points}).draw(shader)


def register() -> None:
    _handles.append(bpy.types.SpaceView3D.draw_handler_add(draw_rig, (), "WINDOW", "POST_VIEW"))


def unregister() -> None:
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
