"""Repair of flips: joints that turn by a large angle within one frame.

A generator that blends two opposite rotations passes through 6D values near zero, where the Gram-Schmidt result jumps
from one rotation to the other. Such a jump is replaced by a turn no faster than the source's fastest.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array, angle_between, matrix_to_six, rotation_from_vector, vector_from_rotation
from ..numeric.smoothing import runs_of
from .motion import Motion
from .skeleton import GROUP

MIN_TURN_LIMIT = np.radians(12.0)
"""Smallest limit of a joint's turn in radians per frame, for joints that hardly turn in the source."""

TURN_MARGIN = 1.5
"""Limit of a joint's turn per frame, as a multiple of its largest in the source."""


@lru_cache(maxsize=4)  # every variation of a batch asks for the same source
def fastest_turns(source: Motion) -> Array:
    """Return the largest turn of each joint (J,) in radians per frame, at the source's own rate."""
    rotations = source.rotations()
    return angle_between(rotations[1:], rotations[:-1]).max(axis=0)


def repair_flips(motion: Motion, source: Motion) -> Motion:
    """Slow down every turn that exceeds the limits taken from `source` (same skeleton and rate)."""
    rotations = motion.rotations()
    limits = TURN_MARGIN * np.maximum(fastest_turns(source), MIN_TURN_LIMIT)
    steps = angle_between(rotations[1:], rotations[:-1])
    broken = np.flatnonzero((steps > limits).any(axis=0))
    if not len(broken):
        return motion
    features = motion.features.copy()
    for joint in broken:
        fixed = _slow_down(rotations[:, joint], steps[:, joint] > limits[joint], float(limits[joint]))
        features[:, joint * GROUP : (joint + 1) * GROUP] = matrix_to_six(fixed)
    return replace(motion, features=features)


def _slow_down(rotations: Array, broken: NDArray[np.bool_], limit: float) -> Array:
    """Spread each run of too large steps of one joint's rotations (frames, 3, 3) over enough frames."""
    rotations = rotations.copy()
    frames = len(rotations)
    for first, last in runs_of(broken):
        angle = float(angle_between(rotations[first], rotations[last]))
        half = int(np.ceil(max(angle / limit, 2.0)))  # smoothstep peaks at 1.5 times its mean speed
        start, stop = max(0, first - half), min(frames - 1, last + half)
        share = np.linspace(0.0, 1.0, stop - start + 1)
        share = share**2 * (3.0 - 2.0 * share)
        way = vector_from_rotation(rotations[start].T @ rotations[stop])
        rotations[start : stop + 1] = rotations[start] @ rotation_from_vector(share[:, None] * way)
    return rotations
