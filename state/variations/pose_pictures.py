"""Pictures of variations' poses for the list, painted a moment after a row is drawn for the first time."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import bpy
import bpy.utils.previews
import numpy as np

from ...rig.steps import STEP_SECONDS
from ...rig.writing.thumbnail import FIGURE_COLOUR, FIGURES, POSE_PIXELS, poses_of
from .. import timer
from ..guard import wrap_callback
from ..settings import RiffVariation

PAINT_DELAY_SECONDS = 0.05
"""Seconds until rows that were drawn without pictures get them."""

Icons = tuple[int, ...]

_collections: list[Any] = []
_icons: dict[str, Icons] = {}
"""Icons of the four poses by the row's text for them; none where they cannot be painted."""

_missing: list[tuple[str, str]] = []
"""Text for the poses and name of the action of each row to paint."""


def pose_icons(row: RiffVariation) -> Icons:
    """Return the icons of a row's poses if they are painted; otherwise request them, and the list is redrawn."""
    if not row.poses:
        return ()
    icons = _icons.get(row.poses)
    if icons is None and (row.poses, row.name) not in _missing:
        _missing.append((row.poses, row.name))
        if not bpy.app.timers.is_registered(update_pictures):
            bpy.app.timers.register(update_pictures, first_interval=PAINT_DELAY_SECONDS)
    return icons or ()


@partial(wrap_callback, "Painting pictures of poses")
def update_pictures() -> float | None:
    """Paint requested pictures for a moment; return the seconds until the next, None at the end."""
    begun = time.monotonic()
    while _missing and time.monotonic() - begun < STEP_SECONDS / 2:
        poses, name = _missing.pop(0)
        _icons[poses] = _paint(poses, bpy.data.actions.get(name))
    if _missing:
        return PAINT_DELAY_SECONDS
    timer.redraw()
    return None


def _paint(poses: str, action: bpy.types.Action | None) -> Icons:
    pictures = poses_of(action) if action is not None else None
    if pictures is None or not _collections:
        return ()
    icons = []
    for moment in range(FIGURES):
        preview = _collections[0].new(f"{poses}-{moment}")
        preview.icon_size = (POSE_PIXELS, POSE_PIXELS)
        pixels = np.zeros((POSE_PIXELS, POSE_PIXELS, 4), dtype=np.float32)
        pixels[pictures[moment]] = FIGURE_COLOUR
        preview.icon_pixels_float.foreach_set(pixels.ravel())
        icons.append(int(preview.icon_id))
    return tuple(icons)


def register() -> None:
    _collections.append(bpy.utils.previews.new())


def unregister() -> None:
    _icons.clear()
    _missing.clear()
    if bpy.app.timers.is_registered(update_pictures):
        bpy.app.timers.unregister(update_pictures)
    while _collections:
        bpy.utils.previews.remove(_collections.pop())
