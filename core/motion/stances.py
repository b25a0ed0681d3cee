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

STEP_FRAMES = 8
"""Frames for the step from one stand of a wandering foot to the next."""

_share = (np.arange(FADE_FRAMES) + 1) / (FADE_FRAMES + 1)
FADE_WEIGHTS = (1.0 - _share**2 * (3.0 - 2.0 * _share))[:, None]
"""Weight (FADE_FRAMES, 1) of a correction in the frames after a contact; reversed before it."""

MAX_RISE = 0.05
"""Distance in core units from the median height of a run within which a contact stands: a heel that rises while the
toe stands does not."""

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


def height_errors(paths: list[Array], runs: list[list[tuple[int, int]]], source: list[Array]) -> Array:
    """Return how much higher each contact stands than in the source, (frames, K), infinite where it does not stand."""
    errors = np.full((len(paths[0]), len(paths)), np.inf)
    for k, path in enumerate(paths):
        for start, stop in (piece for run in runs[k] for piece in split_stands(path, *run)):
            errors[start:stop, k] = path[start:stop, 2] - _nearest(source[k], path[start:stop, 2])
    return errors


def standing_mask(runs: list[list[tuple[int, int]]], frames: int) -> NDArray[np.bool_]:
    """Return a mask (frames, K), true where a contact stands."""
    mask = np.zeros((frames, len(runs)), dtype=bool)
    for k, contact in enumerate(runs):
        for start, stop in contact:
            mask[start:stop, k] = True
    return mask


def stand_heights(path: Array, runs: list[tuple[int, int]]) -> Array:
    """Return the median heights (N,) of the stands of a contact's path (frames, 3); its least where it never stands.

    A heel that rises while the toe stands, a hand on a table or a body on its knees stand at other heights than the
    flat foot.
    """
    stands = [stand for run in runs for stand in split_stands(path, *run)]
    return np.array([np.median(path[start:stop, 2]) for start, stop in stands] or [path[:, 2].min()])


def stand_place(path: Array, source: Array) -> Array:
    """Return the place (3,) of a stand with this path (frames, 3): its mean, at the nearest of the heights (N,)."""
    place = path.sum(0) / len(path)
    place[2] = _nearest(source, path[:, 2])
    return np.asarray(place)


def _nearest(source: Array, heights: Array) -> float:
    """Return the height of the stand of the source (N,) that is nearest to the mean of a stand's heights (T,)."""
    return float(source[np.abs(source - heights.mean()).argmin()])


def stance_corrections(path: Array, runs: list[tuple[int, int]], source: Array) -> Array:
    """Return offsets for a foot's path (frames, 3) that keep it in place in each run, at a height of `source` (N,).

    Between runs the offsets fade by a smooth curve over at most FADE_FRAMES frames.
    """
    result = np.zeros_like(path)
    stands = [piece for run in runs for piece in split_stands(path, *run)]
    for start, stop in stands:
        result[start:stop] = stand_place(path[start:stop], source) - path[start:stop]
    ends = [0, *(stop for _, stop in stands)]
    starts = [*(start for start, _ in stands), len(path)]
    for (start, stop), before, after in zip(stands, ends[:-1], starts[1:], strict=True):
        low, high = max(before, start - FADE_FRAMES), min(after, stop + FADE_FRAMES)
        result[low:start] += FADE_WEIGHTS[: start - low][::-1] * result[start]
        result[stop:high] += FADE_WEIGHTS[: high - stop] * result[stop - 1]
    return result


def split_stands(path: Array, start: int, stop: int, wander: float = MAX_WANDER) -> list[tuple[int, int]]:
    """Return the stands [start, stop) of a run: without frames at another height, and each within `wander`."""
    heights = path[start:stop, 2]
    level = np.abs(heights - _median(heights)) <= MAX_RISE
    if level.all() and stop - start >= MIN_RUN_FRAMES:
        return _split_wandering(path, start, stop, wander)
    pieces = [(start + low, start + high) for low, high in runs_of(level) if high - low >= MIN_RUN_FRAMES]
    return [stand for piece in pieces for stand in _split_wandering(path, *piece, wander)]


def _median(values: Array) -> float:
    """Return the median of a few values (N,); numpy's takes eight times as long for them."""
    ordered, half = np.sort(values), len(values) // 2
    return float(ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2.0)


def _split_wandering(path: Array, start: int, stop: int, wander: float) -> list[tuple[int, int]]:
    """Split a stand in which the foot moves further than `wander`."""
    away = path[start:stop, :2] - path[start:stop, :2].sum(0) / (stop - start)
    far = float((away * away).sum(1).max())
    if far <= wander**2 or stop - start < 4 * MIN_RUN_FRAMES:
        return [(start, stop)]
    cut, half = (start + stop) // 2, min(STEP_FRAMES, stop - start - 2 * MIN_RUN_FRAMES) // 2
    return _split_wandering(path, start, cut - half, wander) + _split_wandering(path, cut + half, stop, wander)
