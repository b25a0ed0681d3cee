"""Snapping of written values to the source's own, so that an unchanged motion is written bit for bit."""

from __future__ import annotations

import numpy as np

from ...core.numeric.rotation import Array
from ..reading.actions import Source


def snap_to_source(source: Source, path: str, values: Array, first: int, same: float) -> Array:
    """Replace rows of values (T, n) by the source's own where all components differ by less than `same`.

    `first` is the frame of the first row. Between two keys a quaternion's length is not 1; written with length 1, it
    rotates a bone differently in the last bit of single precision. That is invisible on a limb, but constraints can
    amplify it: an IK chain stretched to its full length rotated by 0.07 rad.
    """
    found = [source.bag.fcurves.find(path, index=k) for k in range(values.shape[1])]
    keyed = [k for k, curve in enumerate(found) if curve is not None and not curve.mute]
    rotations = path.endswith("rotation_quaternion")
    if not keyed or (rotations and len(keyed) < 4):
        return values
    frames = range(first, first + len(values))
    own = np.array([[curve.evaluate(frame) for frame in frames] for k in keyed if (curve := found[k])]).T
    meant = own
    if rotations:
        own = own * np.where((own * values).sum(1) < 0.0, -1.0, 1.0)[:, None]
        meant = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
    rows = np.flatnonzero(np.abs(meant - values[:, keyed]).max(1) < same)
    values = values.copy()
    values[np.ix_(rows, np.array(keyed))] = own[rows]
    return values
