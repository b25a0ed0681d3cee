"""Keyed scale of the armature object: held while Riff reads, and played through on the result."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.numeric.rotation import Array
from .actions import Source, check_key_values, moves

SCALE_PATHS = ("scale", "delta_scale")
"""Properties that scale an object."""

_UNEVEN_SHARE = 1e-3
"""Largest difference between scales that counts as even, relative to the largest of the action."""


def keyed_scale(source: Source) -> list[bpy.types.FCurve]:
    """Return the curves that change the object's scale."""
    return [curve for curve in source.curves if curve.data_path in SCALE_PATHS and not curve.mute and moves(curve)]


def held_scale(armature_object: bpy.types.Object, source: Source) -> float | None:
    """Return the scale at which the object is held while Riff reads: the largest keyed one; None if none is keyed.

    Raises ClipError, naming the frame, for a scale that is uneven or negative there; also for one of the whole NLA,
    which no curve tells.
    """
    if not keyed_scale(source):
        return None
    name = armature_object.name
    if source.span is not None:
        raise ClipError(f"The object “{name}” changes its scale in the NLA; turn off Whole NLA to learn one action.")
    frames = source.frames()
    scales = np.prod([_scales(armature_object, source, path, frames) for path in SCALE_PATHS], axis=0)
    if not np.isfinite(scales).all():
        check_key_values(armature_object, source)
        raise ClipError(f"The object “{name}” has an invalid scale (not a number).")
    largest = float(scales.max())
    bad = (np.ptp(scales, axis=1) > _UNEVEN_SHARE * abs(largest)) | (scales.min(axis=1) < 0.0)
    if bad.any() or largest <= 0.0:
        frame = frames[int(bad.argmax())]
        raise ClipError(
            f"The object “{name}” has an uneven or negative scale at frame {frame}; key its X, Y and Z scale alike, or "
            "delete these keys."
        )
    return largest


def _scales(armature_object: bpy.types.Object, source: Source, path: str, frames: Sequence[int]) -> Array:
    """Return the scale (T, 3) that curves and unkeyed values give."""
    values = np.tile(np.array(getattr(armature_object, path), dtype=np.float64), (len(frames), 1))
    for curve in source.curves:
        if curve.data_path == path and not curve.mute:
            values[:, curve.array_index] = [curve.evaluate(frame) for frame in frames]
    return values
