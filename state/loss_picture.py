"""Picture of a training's losses, painted as they come in; the panel only shows it."""

from __future__ import annotations

import time
from typing import Any

import bpy
import bpy.utils.previews
import numpy as np
from numpy.typing import NDArray

from ..rig.background import jobs

PICTURE_PIXELS = 128
"""Width and height of the picture in pixels."""

MIN_LOSSES = 10
"""Fewest losses for a picture: a line of a few points says nothing."""

PAINT_SECONDS = 1.0
"""Seconds between two paintings."""

CURVE_COLOURS = np.array([(0.27, 0.60, 0.93), (0.95, 0.60, 0.20), (0.40, 0.78, 0.40)], dtype=np.float32)
"""Colours of the curves of critic, generator and reconstruction: red, green, blue."""

_collections: list[Any] = []
_painted: dict[str, float] = {}


def loss_icon(training: jobs.TrainingJob) -> int:
    """Return the picture of a training as an icon; 0 before the first one is painted."""
    preview = _collections[0].get(training.name) if _collections else None
    return preview.icon_id if preview is not None else 0


def paint(training: jobs.TrainingJob) -> None:
    """Repaint the picture of a training if it is due."""
    now = time.monotonic()
    if not _collections or len(training.losses) < MIN_LOSSES or now - _painted.get(training.name, 0.0) < PAINT_SECONDS:
        return
    _painted[training.name] = now
    preview = _collections[0].get(training.name) or _collections[0].new(training.name)
    preview.image_size = (PICTURE_PIXELS, PICTURE_PIXELS)
    preview.image_pixels_float.foreach_set(pixels(np.array(training.losses)).ravel())


def pixels(losses: NDArray[np.float64]) -> NDArray[np.float32]:
    """Draw curves of losses (T, 1 + 3), column 0 the fraction done, as pixels (n, n, 4) with the bottom row first.

    Each curve is smoothed and fills the height by itself: shapes matter, not units.
    """
    picture = np.zeros((PICTURE_PIXELS, PICTURE_PIXELS, 4), dtype=np.float32)
    picture[..., :3] = 0.12
    picture[..., 3] = 1.0
    columns = np.arange(PICTURE_PIXELS)
    for curve, colour in zip(losses[:, 1:].T, CURVE_COLOURS, strict=True):
        smooth = np.convolve(np.pad(curve, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
        low, high = np.percentile(smooth, (2, 98))
        positions = (losses[:, 0] - losses[0, 0]) / max(losses[-1, 0] - losses[0, 0], 1e-9) * (PICTURE_PIXELS - 1)
        heights = np.interp(columns, positions, np.clip((smooth - low) / max(high - low, 1e-9), 0, 1))
        rows = (heights * (PICTURE_PIXELS - 9) + 4).astype(int)
        for column in columns:
            other = rows[max(column - 1, 0)]
            low_row, high_row = sorted((rows[column], other))
            picture[low_row : high_row + 2, column, :3] = colour
    return picture


def register() -> None:
    _collections.append(bpy.utils.previews.new())


def unregister() -> None:
    while _collections:
        bpy.utils.previews.remove(_collections.pop())
    _painted.clear()
