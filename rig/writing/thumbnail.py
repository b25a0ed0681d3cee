"""Thumbnail of a motion: stick figures at a few moments, side by side."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...core.motion.motion import Motion

PICTURE_PIXELS = 128
"""Width and height of the picture in pixels."""

FIGURES = 4
"""Number of stick figures in a picture."""

FIGURE_COLOUR = np.array([0.96, 0.62, 0.25, 1.0], dtype=np.float32)
"""Colour of a figure: red, green, blue and opacity."""


def give_picture(action: bpy.types.Action, motion: Motion) -> None:
    """Set the portrait of a motion as an action's picture in the asset browser."""
    preview: Any = action.preview_ensure()
    preview.image_size = (PICTURE_PIXELS, PICTURE_PIXELS)
    preview.image_pixels_float.foreach_set(portrait(motion).ravel())


def portrait(motion: Motion) -> NDArray[np.float32]:
    """Draw stick figures (PICTURE_PIXELS, PICTURE_PIXELS, 4), bottom row first; later figures are more opaque."""
    rows = np.linspace(0, motion.frames - 1, FIGURES + 2).round().astype(int)[1:-1]
    positions = np.concatenate([motion.slice(row, row + 1).positions() for row in rows])[..., [0, 2]]
    positions[..., 0] -= positions[:, :1, 0]
    height = np.ptp(positions[..., 1]) or 1.0
    positions[..., 0] += np.arange(FIGURES)[:, None] * 0.55 * height
    low, high = positions.reshape(-1, 2).min(0), positions.reshape(-1, 2).max(0)
    scale = 0.86 * PICTURE_PIXELS / max(float((high - low).max()), 1e-6)
    positions = (positions - (low + high) / 2.0) * scale + PICTURE_PIXELS / 2.0
    pixels = np.zeros((PICTURE_PIXELS, PICTURE_PIXELS, 4), dtype=np.float32)
    for moment, figure in enumerate(positions):
        ink = FIGURE_COLOUR * [1.0, 1.0, 1.0, (moment + 1) / FIGURES]
        for joint, parent in enumerate(motion.skeleton.parents):
            if parent > 0:
                _line(pixels, figure[parent], figure[joint], ink)
    return pixels


def _line(pixels: NDArray[np.float32], start: NDArray, end: NDArray, ink: NDArray) -> None:
    steps = int(2 * np.abs(end - start).max()) + 2
    points = start + np.linspace(0.0, 1.0, steps)[:, None] * (end - start)
    for shift in ((0, 0), (1, 0), (0, 1)):
        x, y = np.clip((points + shift).astype(int), 0, PICTURE_PIXELS - 1).T
        pixels[y, x] = ink
