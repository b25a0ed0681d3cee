"""Pictures of variations for the list and the strip, painted a moment after a row is drawn for the first time."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import bpy
import bpy.utils.previews
import numpy as np

from ...rig.steps import STEP_SECONDS
from ...rig.writing.thumbnail import FIGURE_COLOUR, moving_key, moving_of, poses_of
from .. import timer
from ..guard import wrap_callback
from ..settings import RiffVariation

PAINT_DELAY_SECONDS = 0.05
"""Seconds until rows that were drawn without pictures get them."""

Icons = tuple[int, ...]

_collections: list[Any] = []
_icons: dict[str, Icons] = {}
"""Icons of the four poses, or of the frames of a moving picture, by the row's text for them; none where they cannot be
painted.
"""

_missing: list[tuple[str, str]] = []
"""Text for the pictures and name of the action of each row to paint."""


def pose_icons(row: RiffVariation) -> Icons:
    """Return the icons of a row's poses if they are painted; otherwise request them, and the list is redrawn."""
    return _icons_for(row.poses, row.name)


def moving_icons(row: RiffVariation) -> Icons:
    """Return the icons of the frames of a row's moving picture, or else of its poses, like `pose_icons`."""
    return _icons_for(row.moving or row.poses, row.name)


def _icons_for(key: str, name: str) -> Icons:
    if not key:
        return ()
    icons = _icons.get(key)
    if icons is None and (key, name) not in _missing:
        _missing.append((key, name))
        if not bpy.app.timers.is_registered(update_pictures):
            bpy.app.timers.register(update_pictures, first_interval=PAINT_DELAY_SECONDS)
    return icons or ()


@partial(wrap_callback, "Painting pictures of poses")
def update_pictures() -> float | None:
    """Paint requested pictures for a moment; return the seconds until the next, None at the end."""
    begun = time.monotonic()
    while _missing and time.monotonic() - begun < STEP_SECONDS / 2:
        key, name = _missing.pop(0)
        _icons[key] = _paint(key, bpy.data.actions.get(name))
    if _missing:
        return PAINT_DELAY_SECONDS
    timer.redraw()
    return None


def _paint(key: str, action: bpy.types.Action | None) -> Icons:
    if action is None or not _collections:
        return ()
    is_moving = key == moving_key(action)
    pictures = moving_of(action) if is_moving else poses_of(action)
    if pictures is None:
        return ()
    icons = []
    for moment, picture in enumerate(pictures):
        preview = _collections[0].new(f"{key}-{moment}")
        pixels = np.zeros((*picture.shape, 4), dtype=np.float32)
        pixels[picture] = FIGURE_COLOUR
        # Blender draws small icons from the one picture, and large ones from the other
        preview.icon_size = preview.image_size = picture.shape
        preview.icon_pixels_float.foreach_set(pixels.ravel())
        preview.image_pixels_float.foreach_set(pixels.ravel())
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
