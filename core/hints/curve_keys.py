"""Keys of one F-curve as arrays, and the stretches between them in which the curve moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array

STILL_SPREAD = 1e-6
"""Largest change of a curve that counts as still, relative to its largest value or to 1, whichever is larger."""


@dataclass(frozen=True, eq=False)
class CurveKeys:
    """Keys of an F-curve: `frames` (K,) in order, `values` (K,), and for the stretch after each key two flags.

    `held` (K,) is True where the value stays until the next key, `bent` (K,) where handles move it between equal keys.
    `poses` tells a location, rotation or scale from other numbers. `stepping` is the step in frames of a modifier that
    holds the curve's values, 0 without one. `repeats` tells of a modifier that repeats the keys before and after them,
    `modified` of any other.
    """

    frames: Array
    values: Array
    held: NDArray[np.bool_]
    bent: NDArray[np.bool_]
    poses: bool = True
    stepping: int = 0
    modified: bool = False
    repeats: bool = False

    def moving(self) -> NDArray[np.bool_]:
        """Return a mask (K - 1,) of the stretches between two keys in which the value changes."""
        tolerance = STILL_SPREAD * max(1.0, float(np.abs(self.values).max(initial=0.0)))
        # written so that NaN counts as moving: reading the poses then reports it by name
        return ~(np.abs(np.diff(self.values)) <= tolerance) | self.bent[:-1]

    def at(self, frames: Array) -> Array:
        """Return the values (T,) at frames (T,): held, or on a straight line from key to key."""
        rows = np.clip(np.searchsorted(self.frames, frames, side="right") - 1, 0, len(self.frames) - 1)
        return np.where(self.held[rows], self.values[rows], np.interp(frames, self.frames, self.values))
