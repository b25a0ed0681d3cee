"""Velocity of the belt under a clip that walks or runs in place.

A walk in place stays in place: its labels tell which feet move with the belt, and cleaning keeps them on it, at the
height of the ground, instead of stopping them or moving the root.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array
from .skeleton import BODY

CONTACT_SPEED = 0.018
"""Speed in core units per 1/30 s below which a foot is in contact (GANimator's threshold)."""

BELT_SPREAD = 0.5
"""Largest difference of a foot's velocity from the belt's, as a share of the belt's speed: clips made by hand vary."""

MAX_LOW_HEIGHT = 0.05 * BODY
"""Largest distance in core units of a foot above its lowest position while it is on the belt."""

MAX_LOW_SHARE = 0.35
"""Largest height of a foot on the belt as a share of the height that it is lifted."""

MIN_LOW_HEIGHT = 0.005 * BODY
"""Smallest limit in core units of that height, for feet that are hardly lifted."""

MIN_FRAMES = 4
"""Fewest frames, and low feet in all frames, that tell a belt."""

MIN_SUPPORT = 0.35
"""Smallest share of the frames with a low foot in which the foot moves with the belt."""

MAX_STILL_SHARE = 0.5
"""Share of the frames with a low foot in which it stands in the world; from there on nothing moves under it."""

MAX_ROOT_SHARE = 0.35
"""Largest mean speed of the root relative to the belt's; a body that slides over the ground travels."""

NO_BELT = np.zeros(2)
"""Velocity of a belt at rest."""


def belt_velocity(velocity: Array, heights: Array, travel: Array) -> Array:
    """Return the planar velocity (2,) that low feet share, or zeros.

    `velocity` (T, K, 3) are the velocities of K feet and `travel` (2,) the mean velocity of the root, in core units per
    1/30 s; `heights` (T, K) are the feet's. Zeros where feet stand in the world, and where the root travels.
    """
    if len(heights) < MIN_FRAMES or heights.shape[1] == 0:
        return NO_BELT
    lifted = heights - np.percentile(heights, 3, axis=0)
    limit = np.minimum(MAX_LOW_HEIGHT, np.maximum(MAX_LOW_SHARE * np.ptp(heights, axis=0), MIN_LOW_HEIGHT))
    low = velocity[lifted <= limit]
    plane = low[:, :2]
    if len(low) < MIN_FRAMES or (np.linalg.norm(low, axis=1) < CONTACT_SPEED).mean() > MAX_STILL_SHARE:
        return NO_BELT
    belt = np.median(plane, axis=0)
    for _ in range(5):
        near = moves_with(plane, belt)
        if near.sum() < MIN_SUPPORT * len(plane):
            return NO_BELT
        belt = plane[near].mean(axis=0)
    length = float(np.linalg.norm(belt))
    travels = float(np.linalg.norm(travel)) >= MAX_ROOT_SHARE * length
    return NO_BELT if travels or length <= 0.5 * CONTACT_SPEED else belt


def moves_with(velocity: Array, belt: Array) -> NDArray[np.bool_]:
    """Mark velocities (..., 2) or (..., 3) of feet on a belt (2,); on a belt at rest, those of standing feet."""
    relative = velocity.copy()
    relative[..., :2] -= belt
    limit = max(CONTACT_SPEED, BELT_SPREAD * float(np.linalg.norm(belt)))
    return np.asarray(np.linalg.norm(relative, axis=-1) < limit)
