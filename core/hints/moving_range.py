"""Range of frames in which an action moves: without long rest at its ends, and without a forgotten key far away."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from ..numeric.rotation import Array
from .curve_keys import CurveKeys

MIN_REST_FRAMES = 120
"""Shortest rest at an end that is left out; what takes longer from one key to the next than this is a slow change."""

MIN_REST_SHARE = 1.0
"""Shortest rest at an end that is left out, relative to the frames that move."""

MAX_SLOW_SHARE = 0.05
"""Largest share of the moving locations, rotations and scales that may change slowly during a rest."""


def moving_range(curves: Sequence[CurveKeys]) -> tuple[float, float]:
    """Return the first and last frame of what moves; the first and last key unless a long rest lies at that end.

    A rest may hold slow changes of a few curves: a forgotten key far away makes one. Raises ValueError without a key.
    """
    first = min(float(one.frames[0]) for one in curves)
    last = max(float(one.frames[-1]) for one in curves)
    if any(one.modified or one.repeats for one in curves):
        return first, last
    begin, end = _moving_ends(curves)
    if not begin < end:
        return first, last
    least = max(MIN_REST_FRAMES, MIN_REST_SHARE * (end - begin))
    return (begin if begin - first >= least else first), (end if last - end >= least else last)


def _moving_ends(curves: Iterable[CurveKeys]) -> tuple[float, float]:
    """Return where the first stretch that matters begins and the last one ends; infinite if there is none."""
    begin, end, moved = np.inf, -np.inf, 0
    slow: list[Array] = []
    for one in curves:
        moving = one.moving()
        moved += bool(one.poses and moving.any())
        stretches = np.stack([one.frames[:-1], one.frames[1:]], axis=1)[moving]
        long = stretches[:, 1] - stretches[:, 0] >= MIN_REST_FRAMES
        if not long.all():
            begin, end = min(begin, float(stretches[~long, 0].min())), max(end, float(stretches[~long, 1].max()))
        if one.poses:
            slow.append(stretches[long])
    spans = np.concatenate(slow) if slow else np.empty((0, 2))
    edges = np.unique(spans)
    for low, high in itertools.pairwise(edges):
        if np.sum((spans[:, 0] <= low) & (spans[:, 1] >= high)) > MAX_SLOW_SHARE * moved:
            begin, end = min(begin, float(low)), max(end, float(high))
    return begin, end
