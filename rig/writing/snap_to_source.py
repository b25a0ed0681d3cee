"""A motion that does what its source does gets the source's own numbers, to the bit."""

from __future__ import annotations

import numpy as np

from ...core.numeric.rotation import Array
from ..reading.actions import Source


def snap_to_source(source: Source, path: str, values: Array, first: int, same: float) -> Array:
    """Values (T, n) of a property from frame `first` on, those of the source itself in the rows where they differ by
    less than `same`.

    Between two keys a quaternion is not of length 1, and written at length 1 it turns a bone by the last bit of a
    single-precision number less or more. Nobody sees that in a limb, but what constraints make of it may be seen: an
    IK chain stretched to its full length turns by 0.07 rad.
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
