"""Overlay of the names of variations over their ghosts in the 3D viewports."""

from __future__ import annotations

from typing import Any

import blf
import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

from ...state.variations.ghosts import GhostName, ghost_names

NAME_POINTS, GAP_POINTS = 13, 8
"""Height of a name and its distance from the ghost, in interface points."""

KEPT_SIGN = "★ "
"""Text in front of the name of a variation that is kept."""

_handles: list[Any] = []


def draw_names() -> None:
    """Draw the names in the viewport that Blender is drawing, unless its overlays are hidden."""
    context: Any = bpy.context
    if not context.space_data.overlay.show_overlays:
        return
    scale = context.preferences.system.ui_scale
    for name in ghost_names(context):
        place = location_3d_to_region_2d(context.region, context.region_data, Vector(name.place))
        if place is not None:
            _write(name, place.x, place.y + GAP_POINTS * scale, scale)


def _write(name: GhostName, x: float, y: float, scale: float) -> None:
    text = KEPT_SIGN * name.kept + name.text
    blf.size(0, NAME_POINTS * scale)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 3, 0.0, 0.0, 0.0, 0.8)
    blf.color(0, *name.color, 1.0)
    blf.position(0, x - blf.dimensions(0, text)[0] / 2, y, 0)
    blf.draw(0, text)
    blf.disable(0, blf.SHADOW)


def register() -> None:
    _handles.append(bpy.types.SpaceView3D.draw_handler_add(draw_names, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
