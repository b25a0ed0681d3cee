"""The strip of moving pictures: the frame that it shows, moved on by a timer for as long as the strip is drawn."""

from __future__ import annotations

import time
from functools import partial

import bpy

from .. import timer
from ..guard import wrap_callback
from ..preferences import pictures_move
from ..settings import RiffVariation
from .pose_pictures import moving_icons

FRAME_SECONDS = 0.125
"""Seconds that each frame of a moving picture is shown."""

LINGER_SECONDS = 1.0
"""Seconds after its last drawing until a strip counts as closed or hidden."""

MAX_PICTURES = 24
"""Most pictures in the strip; the list has them all."""


class _Strip:
    frame = 0
    drawn = 0.0


def strip_icon(row: RiffVariation) -> int:
    """Return the icon of a row's moving picture for now, 0 until it is painted; the strip is then drawn again."""
    icons = moving_icons(row)
    return icons[_Strip.frame % len(icons)] if icons else 0


def strip_drawn() -> None:
    """Note that the strip is being drawn, so that its pictures move if the preferences say so."""
    _Strip.drawn = time.monotonic()
    if pictures_move() and not bpy.app.timers.is_registered(move_on):
        bpy.app.timers.register(move_on, first_interval=FRAME_SECONDS)


@partial(wrap_callback, "Moving the pictures")
def move_on() -> float | None:
    """Show the next frame; return the seconds until the one after it, None once the strip is no longer drawn."""
    if time.monotonic() - _Strip.drawn > LINGER_SECONDS or not pictures_move():
        return None
    _Strip.frame += 1
    timer.redraw_tab()
    return FRAME_SECONDS


def unregister() -> None:
    if bpy.app.timers.is_registered(move_on):
        bpy.app.timers.unregister(move_on)
