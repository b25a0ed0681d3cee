"""Footholds of a take whose root goes a given way: each foot stands still from the first to the last row of a stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..motion.feet_cleanup import heights_of, moving_legs, root_from_stance
from ..motion.leg_ik import LegIK
from ..motion.motion import Motion
from ..motion.stances import contact_runs, split_stands, stand_place, standing_mask
from ..numeric.blending import ease
from ..numeric.rotation import Array
from ..numeric.smoothing import runs_of

FADE_ROWS = 12
"""Rows over which a foot comes from its own way to a foothold; where there are fewer, it swings from one to the
next."""

MAX_WANDER = 0.6
"""Way in core units that the body makes up for a foot that stands; on a longer one the foot takes a step."""


def plant_feet(motion: Motion, source: Motion) -> Motion:
    """Let standing feet stand still at the heights at which they stand in `source`; the root keeps its path.

    Neither stands on a treadmill.
    """
    skeleton = motion.skeleton
    if not skeleton.contacts:
        return motion
    runs = contact_runs(motion.contact_labels())
    heights, pose = heights_of(source), LegIK(motion)
    lifted = root_from_stance(motion, pose, runs, heights)
    pose.root = np.concatenate([pose.root[:, :2], lifted[:, 2:]], axis=1)
    pose.update()
    for leg in moving_legs(source):
        path = pose.path_of(skeleton.contacts[leg.contact])
        pose.solve(leg, path + _corrections(path, runs[leg.contact], heights[leg.contact]))
    return pose.motion(motion, standing_mask(runs, motion.frames))


def _corrections(path: Array, runs: Sequence[tuple[int, int]], heights: Array) -> Array:
    """Return offsets (T, 3) for a foot's path that hold it still in each run, at one of `heights`."""
    known, offsets = np.zeros(len(path), dtype=bool), np.zeros_like(path)
    for start, stop in (stand for run in runs for stand in split_stands(path, *run, MAX_WANDER)):
        offsets[start:stop] = stand_place(path[start:stop], heights) - path[start:stop]
        known[start:stop] = True
    for start, stop in runs_of(~known):
        count = stop - start
        before = offsets[start - 1] if start else np.zeros(3)
        after = offsets[stop] if stop < len(path) else np.zeros(3)
        rows = np.arange(1.0, count + 1.0)
        if start and stop < len(path) and count < 2 * FADE_ROWS:
            share = ease(rows / (count + 1.0))[:, None]
            offsets[start:stop] = before + share * (after - before)
        else:
            leaving, coming = (
                ease(1.0 - rows / FADE_ROWS)[:, None],
                ease(1.0 - (count + 1.0 - rows) / FADE_ROWS)[:, None],
            )
            offsets[start:stop] = leaving * before + coming * after
    return offsets
