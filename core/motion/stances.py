"""When each foot stands and where it should: runs of contact labels, targets, and fading corrections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array

SHORTEST_RUN = 3
"""Frames below which a contact is taken for noise; gaps of this length inside a contact are closed."""

FADE = 8
"""Frames over which a correction fades in before a contact and out after it."""

_share = (np.arange(FADE) + 1) / (FADE + 1)
FADING = (1.0 - _share**2 * (3.0 - 2.0 * _share))[:, None]
"""How much of a correction is left in each of these frames."""

WANDER = 0.1
"""Core units that a standing foot may wander before its stand is cut in two."""


def contact_runs(labels: Array) -> list[list[tuple[int, int]]]:
    """For each contact the runs [start, stop) of frames in which it stands; labels (frames, K) from 0 to 1."""
    return [_runs(labels[:, k] > 0.5) for k in range(labels.shape[1])]


def _runs(standing: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], standing, [False]]).astype(int)))
    runs: list[tuple[int, int]] = []
    for start, stop in edges.reshape(-1, 2).tolist():
        if runs and start - runs[-1][1] < SHORTEST_RUN:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return [(start, stop) for start, stop in runs if stop - start >= SHORTEST_RUN]


def standing_mask(runs: list[list[tuple[int, int]]], frames: int) -> NDArray[np.bool_]:
    """(frames, K), true where a contact stands."""
    mask = np.zeros((frames, len(runs)), dtype=bool)
    for k, own in enumerate(runs):
        for start, stop in own:
            mask[start:stop, k] = True
    return mask


def corrections(path: Array, runs: list[tuple[int, int]], ground: float) -> Array:
    """What to add to a foot's path (frames, 3) so that it stands still in each run at height `ground`.

    Between runs the corrections fade by a smooth curve over at most FADE frames.
    """
    result = np.zeros_like(path)
    stands = [piece for run in runs for piece in _stands(path, *run)]
    for start, stop in stands:
        place = path[start:stop].sum(0) / (stop - start)
        place[2] = ground
        result[start:stop] = place - path[start:stop]
    ends = [0, *(stop for _, stop in stands)]
    starts = [*(start for start, _ in stands), len(path)]
    for (start, stop), before, after in zip(stands, ends[:-1], starts[1:], strict=True):
        low, high = max(before, start - FADE), min(after, stop + FADE)
        result[low:start] += FADING[: start - low][::-1] * result[start]
        result[stop:high] += FADING[: high - stop] * result[stop - 1]
    return result


def _stands(path: Array, start: int, stop: int) -> list[tuple[int, int]]:
    """Cut a run where the foot wanders too far to have stood still; each piece is a stand of its own."""
    away = path[start:stop, :2] - path[start:stop, :2].sum(0) / (stop - start)
    far = float((away * away).sum(1).max())
    if far <= WANDER**2 or stop - start < 4 * SHORTEST_RUN:
        return [(start, stop)]
    cut = (start + stop) // 2
    return _stands(path, start, cut - 1) + _stands(path, cut + 1, stop)
