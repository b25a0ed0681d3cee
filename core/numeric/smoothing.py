"""Gaussian smoothing in time."""

from __future__ import annotations

import numpy as np

from .rotation import Array

SMOOTHING_ROWS = 5.0
"""Standard deviation in rows of the Gaussian low-pass; it removes changes faster than about 1 Hz."""


def low_pass(rows: Array, deviation: float = SMOOTHING_ROWS) -> Array:
    """Smooth rows (T, C) in time by a Gaussian; the ends are mirrored."""
    reach = min(int(4 * deviation), len(rows) - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(rows, ((reach, reach), (0, 0)), mode="reflect")
    smooth = np.zeros_like(rows)
    for shift, weight in enumerate(weights / weights.sum()):
        smooth += weight * padded[shift : shift + len(rows)]
    return smooth
