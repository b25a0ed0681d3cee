"""Key reduction: few Bézier keys that follow a densely keyed curve within a tolerance."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ...core.motion.skeleton import body_size
from ..compat import channelbag_of
from ..reading.evaluate import read_rest

BEZIER, ALIGNED = 2, 3
"""Values of the enums Keyframe.interpolation and Keyframe.handle_type in 4.5 and 5.2."""

GENERATED = 5
"""Value of the enum Keyframe.type in 4.5 and 5.2."""

LOCATION_SHARE = 0.2
"""Tolerance of locations: this fraction of the arc that the angular tolerance makes at the armature's size."""

Values = NDArray[np.float64]
Fit = tuple[list[int], Values]
"""Rows that get a key, and the slope at every row."""


@dataclass(frozen=True)
class Dense:
    """A curve keyed on every frame, by path and index in a slot: frames and values (T,), and its tolerance."""

    slot: str
    path: str
    index: int
    frames: Values
    values: Values
    tolerance: float

    def fitted(self) -> Fit:
        return fit(self.values, self.tolerance)


def reduce_keys(armature_object: bpy.types.Object, action: bpy.types.Action, tolerance: float) -> tuple[int, int]:
    """Replace an action's keys by Bézier keys; return the number of keys before and after.

    `tolerance` is in radians; that of locations is a fifth of it times the armature's size. Curves that are not keyed
    on every frame stay as they are.
    """
    curves = dense_curves(armature_object, action, tolerance)
    return write_fits(action, curves, [curve.fitted() for curve in curves])


def dense_curves(armature_object: bpy.types.Object, action: bpy.types.Action, tolerance: float) -> list[Dense]:
    """Return the curves of an action that are keyed on every frame."""
    size = body_size(read_rest(armature_object).matrices[:, :3, 3])
    found = []
    for slot in action.slots:
        bag = channelbag_of(action, slot)
        for curve in bag.fcurves if bag else ():
            flat = np.empty(len(curve.keyframe_points) * 2, dtype=np.float32)
            curve.keyframe_points.foreach_get("co", flat)
            frames, values = flat[::2].astype(np.float64), flat[1::2].astype(np.float64)
            if len(frames) < 3 or np.abs(np.diff(frames) - 1.0).max() > 1e-3:
                continue
            off = tolerance * (LOCATION_SHARE * size if curve.data_path.endswith("location") else 1.0)
            found.append(Dense(slot.identifier, curve.data_path, curve.array_index, frames, values, off))
    return found


def write_fits(action: bpy.types.Action, curves: list[Dense], fits: list[Fit]) -> tuple[int, int]:
    """Write its fit to each curve that still exists; return the action's number of keys before and after."""
    bags = {slot.identifier: channelbag_of(action, slot) for slot in action.slots}
    keys = [curve.keyframe_points for bag in bags.values() if bag for curve in bag.fcurves]
    before = sum(map(len, keys))
    for dense, (kept, slopes) in zip(curves, fits, strict=True):
        bag = bags.get(dense.slot)
        curve = bag.fcurves.find(dense.path, index=dense.index) if bag else None
        if curve is not None and len(kept) < len(dense.values) == len(curve.keyframe_points):
            _write(curve, dense.frames, dense.values, kept, slopes)
    return before, sum(len(curve.keyframe_points) for bag in bags.values() if bag for curve in bag.fcurves)


def fit(values: Values, tolerance: float) -> Fit:
    """Return the rows (of T values, one a frame) to key, and the slope at every row.

    Between two keys the curve is the cubic with their values and slopes; it differs by at most `tolerance` at each row.
    Each key is as far from the one before as that allows.
    """
    slopes = np.gradient(values)
    kept, start, last = [0], 0, len(values) - 1
    while start < last:
        reach, failed = start + 1, last + 1
        step = 2
        while reach < last and failed > last:  # double the steps until the cubic is out of tolerance …
            candidate = min(start + step, last)
            if _error(values, slopes, start, candidate) <= tolerance:
                reach, step = candidate, step * 2
            else:
                failed = candidate
        while failed <= last and failed - reach > 1:  # … then bisect to the furthest row within it
            middle = (reach + failed) // 2
            if _error(values, slopes, start, middle) <= tolerance:
                reach = middle
            else:
                failed = middle
        kept.append(reach)
        start = reach
    return kept, slopes


def _error(values: Values, slopes: Values, start: int, end: int) -> float:
    return float(np.abs(cubic(values, slopes, start, end) - values[start : end + 1]).max())


def cubic(values: Values, slopes: Values, start: int, end: int) -> Values:
    """Return the cubic between two rows with their values and slopes, at each row from `start` to `end`."""
    length = end - start
    t = np.arange(length + 1) / length
    return (
        (2 * t**3 - 3 * t**2 + 1) * values[start]
        + (t**3 - 2 * t**2 + t) * length * slopes[start]
        + (3 * t**2 - 2 * t**3) * values[end]
        + (t**3 - t**2) * length * slopes[end]
    )


def _write(curve: bpy.types.FCurve, frames: Values, values: Values, kept: list[int], slopes: Values) -> None:
    points = curve.keyframe_points
    points.clear()
    points.add(len(kept))
    rows = np.array(kept)
    # With handles a third of the way to the next key, Blender's Bézier is this cubic: time advances evenly along it.
    spans = np.diff(frames[rows]) / 3.0
    before, behind = np.concatenate([spans[:1], spans]), np.concatenate([spans, spans[-1:]])
    positions = np.stack([frames[rows], values[rows]], axis=1)
    lean = np.stack([np.ones(len(rows)), slopes[rows]], axis=1)
    points.foreach_set("co", positions.astype(np.float32).ravel())
    points.foreach_set("interpolation", np.full(len(rows), BEZIER, dtype=np.uint8))
    points.foreach_set("type", np.full(len(rows), GENERATED, dtype=np.uint8))
    for side in ("handle_left_type", "handle_right_type"):
        points.foreach_set(side, np.full(len(rows), ALIGNED, dtype=np.uint8))
    points.foreach_set("handle_left", (positions - lean * before[:, None]).astype(np.float32).ravel())
    points.foreach_set("handle_right", (positions + lean * behind[:, None]).astype(np.float32).ravel())
    curve.update()
