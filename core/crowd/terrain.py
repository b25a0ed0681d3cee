"""Adaptation of motions to uneven ground: the root follows the smoothed ground, each foot the ground below it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..motion.leg_ik import LegIK, find_legs
from ..motion.motion import Motion
from ..motion.stances import contact_runs, standing_mask
from ..numeric.rotation import Array
from ..numeric.smoothing import smooth

RISE_SMOOTHING_SECONDS = 0.25
"""Standard deviation in seconds of the smoothing of the root's rise, so that it does not jump at a step."""

MIN_RISE = 1e-3
"""Smallest height in core units that is followed; ground within it is level."""

Heights = Callable[[Array], Array]
"""Function from positions (..., 2) to the height of the ground, NaN where there is none."""


def over_ground(motion: Motion, heights: Heights) -> Motion:
    """Adapt a motion to ground with `heights` above the motion's own ground, in core units; unchanged on level ground.

    The root follows the smoothed ground below it. Each foot keeps its height above the ground below it, so that
    standing feet stay in place.
    """
    root = motion.root_positions()
    below = _without_holes(heights(root[:, :2]))
    if below is None or np.abs(below).max() < MIN_RISE:
        return motion
    pose = LegIK(motion)
    positions = [pose.path_of(joint).copy() for joint in motion.skeleton.contacts]
    rise = smooth(below[:, None], min(RISE_SMOOTHING_SECONDS * motion.fps, (motion.frames - 1) / 4.0))[:, 0]
    pose.root[:, 2] += rise
    pose.update()
    for leg in find_legs(motion.skeleton):
        target = positions[leg.contact].copy()
        ground = _without_holes(heights(target[:, :2]))
        target[:, 2] += rise if ground is None else ground
        pose.solve(leg, target)
    return pose.motion(motion, standing_mask(contact_runs(motion.contact_labels()), motion.frames))


def _without_holes(heights: Array) -> Array | None:
    """Fill gaps of heights (T,) by interpolation in time; None if all are missing."""
    known = np.flatnonzero(np.isfinite(heights))
    if not len(known):
        return None
    filled: Array = np.interp(np.arange(len(heights)), known, heights[known])
    return filled
