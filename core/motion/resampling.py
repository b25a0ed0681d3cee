"""Resampling of motions to another frame rate or number of rows; also of loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import ClipError
from ..numeric.rotation import Array, matrix_to_six, six_to_matrix
from .motion import RATE, Motion
from .skeleton import GROUP

MAX_VALUES = 1 << 26
"""Largest number of values of a motion: half a gigabyte for each array of them."""

MAX_VALUES_TOGETHER = 1 << 27
"""Largest number of values of motions that are made together."""


def rows_at(frames: int, fps: float, wanted: float) -> int:
    """Return the number of rows of the same duration at rate `wanted`, to within half a row."""
    return frames if fps == wanted else max(2, round((frames - 1) * wanted / fps) + 1)


def check_size(rows: int, channels: int, count: int = 1) -> None:
    """Raise ClipError for a motion of more rows and channels than Riff keeps in memory, or for too many of them."""
    if rows * channels > MAX_VALUES:
        raise ClipError(
            f"The motion would have {rows:,} frames, too many for {channels} channels; check its rate, or ask for "
            f"at most {MAX_VALUES // channels:,}."
        )
    if count * rows * channels > MAX_VALUES_TOGETHER:
        raise ClipError(
            f"{count} motions of {rows:,} frames take more memory than there should be; ask for at most "
            f"{MAX_VALUES_TOGETHER // (rows * channels)} at a time, or for shorter ones."
        )


def stretch_rows(rows: Array, count: int) -> Array:
    """Resample rows (T, C) linearly to `count` rows from the first to the last."""
    if len(rows) == count:
        return rows
    return interpolate_rows(rows, np.linspace(0.0, len(rows) - 1.0, count))


def resample(motion: Motion, fps: float, frames: int | None = None, *, loop: bool = False) -> Motion:
    """Resample a motion to rate `fps`, from its first pose to its last, to `frames` rows if given.

    Without `frames` the duration stays to within half a row. Rotations are interpolated as 6D values and made
    orthonormal, labels linearly, the root by its positions, so that it does not drift; root velocities stay in core
    units per 1/30 s. In a `loop` the first velocity equals the last. Raises ClipError for more than fits into memory.
    """
    count = frames or rows_at(motion.frames, motion.fps, fps)
    if count == motion.frames and fps == motion.fps:
        return motion
    check_size(count, motion.features.shape[1])
    features = stretch_rows(motion.features, count)
    skeleton = motion.skeleton
    width = skeleton.joints * GROUP
    rotations = six_to_matrix(features[:, :width].reshape(count, skeleton.joints, GROUP))
    features[:, :width] = matrix_to_six(rotations).reshape(count, -1)
    plane = stretch_rows(motion.root_positions()[:, :2], count)
    return with_path(replace(motion, features=features, fps=fps), plane, loop=loop)


def resample_held(motion: Motion, fps: float, frames: int) -> Motion:
    """Resample a motion of held poses to a multiple of its rate, `frames` rows long; it ends on its last pose."""
    rows = (motion.frames - 1) * round(fps / motion.fps) + 1
    smooth = resample(motion, fps, rows)
    still = np.repeat(smooth.features[-1:], max(0, frames - rows), axis=0)
    channel = motion.skeleton.root_channel
    still[:, channel : channel + 2] = 0.0
    return replace(smooth, features=np.concatenate([smooth.features, still])[:frames])


def with_path(motion: Motion, plane: Array, *, loop: bool = False) -> Motion:
    """Return the motion with root positions `plane` (T, 2) on the ground."""
    features = motion.features.copy()
    velocity = np.diff(plane, axis=0) * (motion.fps / RATE)
    channel = motion.skeleton.root_channel
    features[:, channel : channel + 2] = np.concatenate([velocity[-1:] if loop else velocity[:1], velocity])
    return replace(motion, features=features, origin=plane[0].copy())


def interpolate_rows(rows: Array, at: Array) -> Array:
    """Interpolate rows (T, C) linearly at fractional indices (N,)."""
    low = np.clip(np.floor(at).astype(int), 0, len(rows) - 2)
    share = (at - low)[:, None]
    return rows[low] * (1.0 - share) + rows[low + 1] * share
