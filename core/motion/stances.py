"""Stance phases of feet: runs of contact labels, and corrections that keep a foot in place during each run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array
from ..numeric.smoothing import runs_of

MIN_RUN_FRAMES = 3
"""Shortest contact in frames; shorter ones are noise, and shorter gaps inside a contact are closed."""

FADE_FRAMES = 8
"""Frames over which a correction fades in before a contact and out after it."""

_share = (np.arange(FADE_FRAMES) + 1) / (FADE_FRAMES + 1)
FADE_WEIGHTS = (1.0 - _share**2 * (3.0 - 2.0 * _share))[:, None]
"""Weight (FADE_FRAMES, 1) of a correction in the frames after a contact; reversed before it."""

MAX_WANDER = 0.1
"""Distance in core units that a standing foot may move before its run is cut in two."""


def contact_runs(labels: Array) -> list[list[tuple[int, int]]]:
    """Return the runs [start, stop) in which each contact stands, from labels (frames, K) between 0 and 1."""
    return [_runs(labels[:, k] > 0.5) for k in range(labels.shape[1])]


def _runs(standing: NDArray[np.bool_]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for start, stop in runs_of(standing):
        if runs and start - runs[-1][1] < MIN_RUN_FRAMES:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return [(start, stop) for start, stop in runs if stop - start >= MIN_RUN_FRAMES]


def standing_mask(runs: list[list[tuple[int, int]]], frames: int) -> NDArray[np.bool_]:
    """Return a mask (frames, K), true where a contact stands."""
    mask = np.zeros((frames, len(runs)), dtype=bool)
    for k, contact in enumerate(runs):
        for start, stop in contact:
            mask[start:stop, k] = True
    return mask


def stance_corrections(path: Array, runs: list[tuple[int, int]], ground: float) -> Array:
    """Return offsets for a foot's path (frames, 3) that keep it in place in each run, at height `ground`.

    Between runs the offsets fade by a smooth curve over at most FADE_FRAMES frames.
    """
    result = np.zeros_like(path)
    stands = [piece for run in runs for piece in _stands(path, *run)]
    for start, stop in stands:
        target = path[start:stop].sum(0) / (stop - start)
        target[2] = ground
        result[start:stop] = target - path[start:stop]
    ends = [0, *(stop for _, stop in stands)]
    starts = [*(start for start, _ in stands), len(path)]
    for (start, stop), before, after in zip(stands, ends[:-1], starts[1:], strict=True):
        low, high = max(before, start - FADE_FRAMES), min(after, stop + FADE_FRAMES)
        result[low:start] += FADE_WEIGHTS[: start - low][::-1] * result[start]
        result[stop:high] += FADE_WEIGHTS[: high - stop] * result[stop - 1]
    return result


def _stands(path: Array, start: int, stop: int) -> list[tuple[int, int]]:
    """Split a run in which the foot moves further than MAX_WANDER; return the stands [start, stop)."""
    away = path[start:stop, :2] - path[start:stop, :2].sum(0) / (stop - start)
    far = float((away * away).sum(1).max())
    if far <= MAX_WANDER**2 or stop - start < 4 * MIN_RUN_FRAMES:
        return [(start, stop)]
    cut = (start + stop) // 2
    return _stands(path, start, cut - 1) + _stands(path, cut + 1, stop)
