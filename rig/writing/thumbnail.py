"""Pictures of a motion: stick figures at a few moments, side by side for the asset browser, one each for lists."""

from __future__ import annotations

import zlib
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...core.motion.motion import Motion

PICTURE_PIXELS = 128
"""Width and height of the picture in pixels."""

FIGURES = 4
"""Number of stick figures in a picture."""

POSE_PIXELS = 32
"""Width and height of the picture of one pose, for a row of a list."""

MOVING_PIXELS = 48
"""Width and height of a moving picture in pixels."""

MOVING_FRAMES = 12
"""Number of pictures of a moving one."""

MOVING_KEY = "riff_moving"
"""Id-property of an action: the frames of its moving picture as bits, packed."""

MAX_PACKED_BYTES = 1 << 16
"""Most bytes of a packed moving picture that are read."""

POSES_KEY = "riff_poses"
"""Id-property of an action: the pictures of its poses as bits, so that lists need not read the action."""

FIGURE_COLOUR = np.array([0.96, 0.62, 0.25, 1.0], dtype=np.float32)
"""Colour of a figure: red, green, blue and opacity."""


def give_picture(action: bpy.types.Action, motion: Motion) -> None:
    """Set the portrait of a motion as an action's picture in the asset browser."""
    preview: Any = action.preview_ensure()
    preview.image_size = (PICTURE_PIXELS, PICTURE_PIXELS)
    preview.image_pixels_float.foreach_set(portrait(motion).ravel())


def give_poses(action: bpy.types.Action, motion: Motion) -> None:
    """Keep small pictures of a motion's poses with its action."""
    action[POSES_KEY] = np.packbits(poses(motion)).tobytes()


def poses_key(action: bpy.types.Action) -> str:
    """Return a text that tells the pictures of poses apart; empty for an action without them."""
    kept = action.get(POSES_KEY)
    return f"{zlib.crc32(kept):08x}" if isinstance(kept, bytes) else ""


def poses_of(action: bpy.types.Action) -> NDArray[np.bool_] | None:
    """Return the pictures of an action's poses (FIGURES, POSE_PIXELS, POSE_PIXELS); None if it has none."""
    kept = action.get(POSES_KEY)
    if not isinstance(kept, bytes) or len(kept) != FIGURES * POSE_PIXELS * POSE_PIXELS // 8:
        return None
    bits = np.unpackbits(np.frombuffer(kept, dtype=np.uint8)).astype(bool)
    return bits.reshape(FIGURES, POSE_PIXELS, POSE_PIXELS)


def give_moving(action: bpy.types.Action, motion: Motion) -> None:
    """Keep a small moving picture of a motion with its action."""
    action[MOVING_KEY] = zlib.compress(np.packbits(moving(motion)).tobytes())


def moving_key(action: bpy.types.Action) -> str:
    """Return a text that tells moving pictures apart; empty for an action without one."""
    kept = action.get(MOVING_KEY)
    return f"m{zlib.crc32(kept):08x}" if isinstance(kept, bytes) else ""


def moving_of(action: bpy.types.Action) -> NDArray[np.bool_] | None:
    """Return an action's moving picture (MOVING_FRAMES, MOVING_PIXELS, MOVING_PIXELS); None if it has none."""
    kept, whole = action.get(MOVING_KEY), MOVING_FRAMES * MOVING_PIXELS * MOVING_PIXELS // 8
    if not isinstance(kept, bytes) or len(kept) > MAX_PACKED_BYTES:
        return None
    try:
        data = zlib.decompressobj().decompress(kept, whole + 1)
    except zlib.error:
        return None
    if len(data) != whole:
        return None
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8)).astype(bool)
    return bits.reshape(MOVING_FRAMES, MOVING_PIXELS, MOVING_PIXELS)


def moving(motion: Motion) -> NDArray[np.bool_]:
    """Draw a moving stick figure (MOVING_FRAMES, MOVING_PIXELS, MOVING_PIXELS), bottom row first, around its root."""
    rows = np.linspace(0, motion.frames - 1, MOVING_FRAMES, endpoint=False).round().astype(int)
    figures = _figures(motion, rows)
    low, high = figures.min((0, 1), keepdims=True), figures.max((0, 1), keepdims=True)
    return _drawn(motion, figures, low, high, MOVING_PIXELS)


def poses(motion: Motion) -> NDArray[np.bool_]:
    """Draw a stick figure a moment (FIGURES, POSE_PIXELS, POSE_PIXELS), bottom row first, all at the same scale."""
    figures = _figures(motion, _moments(motion))
    low, high = figures.min(1, keepdims=True), figures.max(1, keepdims=True)
    return _drawn(motion, figures, low, high, POSE_PIXELS)


def _drawn(motion: Motion, figures: NDArray[np.float64], low: NDArray, high: NDArray, size: int) -> NDArray[np.bool_]:
    """Draw figures (F, joints, 2) into pictures (F, size, size), the middle from `low` to `high` in each one's."""
    scale = (size - 4) / max(float((high - low).max()), 1e-6)
    figures = (figures - (low + high) / 2.0) * scale + size / 2.0
    pixels = np.zeros((len(figures), size, size, 1), dtype=np.float32)
    for moment, figure in enumerate(figures):
        _draw_bones(pixels[moment], motion, figure, np.ones(1))
    return pixels[..., 0] > 0


def portrait(motion: Motion) -> NDArray[np.float32]:
    """Draw stick figures (PICTURE_PIXELS, PICTURE_PIXELS, 4), bottom row first; later figures are more opaque."""
    positions = _figures(motion, _moments(motion))
    height = np.ptp(positions[..., 1]) or 1.0
    positions[..., 0] += np.arange(FIGURES)[:, None] * 0.55 * height
    low, high = positions.reshape(-1, 2).min(0), positions.reshape(-1, 2).max(0)
    scale = 0.86 * PICTURE_PIXELS / max(float((high - low).max()), 1e-6)
    positions = (positions - (low + high) / 2.0) * scale + PICTURE_PIXELS / 2.0
    pixels = np.zeros((PICTURE_PIXELS, PICTURE_PIXELS, 4), dtype=np.float32)
    for moment, figure in enumerate(positions):
        _draw_bones(pixels, motion, figure, FIGURE_COLOUR * [1.0, 1.0, 1.0, (moment + 1) / FIGURES])
    return pixels


def _moments(motion: Motion) -> NDArray[np.int_]:
    """Return the rows of FIGURES moments."""
    return np.linspace(0, motion.frames - 1, FIGURES + 2).round().astype(int)[1:-1]


def _figures(motion: Motion, rows: NDArray[np.int_]) -> NDArray[np.float64]:
    """Return the joints (rows, joints, 2) at some rows, seen from the front, each figure around its root."""
    positions = np.concatenate([motion.slice(row, row + 1).positions() for row in rows])[..., [0, 2]]
    positions[..., 0] -= positions[:, :1, 0]
    return positions


def _draw_bones(pixels: NDArray[np.float32], motion: Motion, figure: NDArray, ink: NDArray) -> None:
    for joint, parent in enumerate(motion.skeleton.parents):
        if parent > 0:
            _line(pixels, figure[parent], figure[joint], ink)


def _line(pixels: NDArray[np.float32], start: NDArray, end: NDArray, ink: NDArray) -> None:
    steps = int(2 * np.abs(end - start).max()) + 2
    points = start + np.linspace(0.0, 1.0, steps)[:, None] * (end - start)
    for shift in ((0, 0), (1, 0), (0, 1)):
        x, y = np.clip((points + shift).astype(int), 0, len(pixels) - 1).T
        pixels[y, x] = ink
