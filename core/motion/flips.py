"""Turning over an impossible moment: where six numbers say two opposite things, a joint flips within a frame.

A generator that blends a pose with the same pose turned round passes through six numbers near zero; Gram-Schmidt then
jumps from one side to the other. Such a jump becomes a turn as fast as the source's fastest, over as many frames as
that takes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..numeric.rotation import Array, angle_between, matrix_to_six, rotation_from_vector, vector_from_rotation
from .motion import Motion
from .skeleton import GROUP

SLOWEST = np.radians(12.0)
"""Radians a frame that every joint may turn, however still it is in the source."""

MARGIN = 1.5
"""How much faster than the source's fastest frame a joint may turn."""


@lru_cache(maxsize=4)  # every variation of a batch asks for the same source
def fastest_turns(source: Motion) -> Array:
    """Radians a frame (J,) that each joint turns at most in the source, at its own rate."""
    rotations = source.rotations()
    return angle_between(rotations[1:], rotations[:-1]).max(axis=0)


def repair_flips(motion: Motion, source: Motion) -> Motion:
    """Replace every turn faster than `source` ever makes by one that its joint can make; same skeleton and rate."""
    rotations = motion.rotations()
    limits = MARGIN * np.maximum(fastest_turns(source), SLOWEST)
    steps = angle_between(rotations[1:], rotations[:-1])
    broken = np.flatnonzero((steps > limits).any(axis=0))
    if not len(broken):
        return motion
    features = motion.features.copy()
    for joint in broken:
        fixed = _slow_down(rotations[:, joint], steps[:, joint] > limits[joint], float(limits[joint]))
        features[:, joint * GROUP : (joint + 1) * GROUP] = matrix_to_six(fixed)
    return replace(motion, features=features)


def _slow_down(rotations: Array, broken: Array, limit: float) -> Array:
    """One joint's rotations (frames, 3, 3) with each run of broken steps spread over enough frames."""
    rotations = rotations.copy()
    frames = len(rotations)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], broken, [False]]).astype(int))).reshape(-1, 2)
    for first, last in edges:
        angle = float(angle_between(rotations[first], rotations[last]))
        half = int(np.ceil(max(angle / limit, 2.0)))  # smoothstep peaks at 1.5 times its mean speed
        start, stop = max(0, first - half), min(frames - 1, last + half)
        share = np.linspace(0.0, 1.0, stop - start + 1)
        share = share**2 * (3.0 - 2.0 * share)
        way = vector_from_rotation(rotations[start].T @ rotations[stop])
        rotations[start : stop + 1] = rotations[start] @ rotation_from_vector(share[:, None] * way)
    return rotations
