"""Motion over uneven ground: the body rises and sinks with it, and each leg reaches for what is under its own foot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..evaluation.novelty import low_pass
from ..motion.leg_ik import LegIK, find_legs
from ..motion.motion import Motion
from ..motion.stances import contact_runs, standing_mask
from ..numeric.rotation import Array

SWAY = 0.25
"""Seconds over which the body's rise is smoothed: it does not jump up a step."""

LEVEL = 1e-3
"""Body-sized units of rise and fall under which ground counts as level."""

Heights = Callable[[Array], Array]
"""Height of the ground at places (..., 2), NaN where there is none."""


def over_ground(motion: Motion, heights: Heights) -> Motion:
    """The motion over ground of some `heights` above where it has its own, in core units; as it is where that is level.

    The root follows the ground under it, smoothed. A foot, standing or not, is as high above the ground under it as it
    was above the level; one that stood still does so yet.
    """
    root = motion.root_positions()
    below = _without_holes(heights(root[:, :2]))
    if below is None or np.abs(below).max() < LEVEL:
        return motion
    pose = LegIK(motion)
    positions = [pose.path_of(joint).copy() for joint in motion.skeleton.contacts]
    rise = low_pass(below[:, None], min(SWAY * motion.fps, (motion.frames - 1) / 4.0))[:, 0]
    pose.root[:, 2] += rise
    pose.update()
    for leg in find_legs(motion.skeleton):
        wanted = positions[leg.contact].copy()
        ground = _without_holes(heights(wanted[:, :2]))
        wanted[:, 2] += rise if ground is None else ground
        pose.solve(leg, wanted)
    return pose.motion(motion, standing_mask(contact_runs(motion.contact_labels()), motion.frames))


def _without_holes(heights: Array) -> Array | None:
    """Heights (T,) with gaps filled in time; None where there are none at all."""
    known = np.flatnonzero(np.isfinite(heights))
    if not len(known):
        return None
    filled: Array = np.interp(np.arange(len(heights)), known, heights[known])
    return filled
