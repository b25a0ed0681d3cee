"""Copies of the source in its own order, which neither diversity nor novelty sees: found by their timing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..numeric.distances import MIN_BLOCK_ROWS, RowDistances
from ..numeric.rotation import Array

SAME_TIME_FRAMES = 8
"""Largest distance in frames from the same time that counts as the same: about a quarter of a second."""

_FEW = 1e-9


def same_time(
    source: Array,
    sample: Array,
    check_cancelled: Callable[[], None] = lambda: None,
    *,
    tolerance: int = SAME_TIME_FRAMES,
) -> float:
    """Return the share of a sample's frames whose nearest source frame is at the same time, give or take `tolerance`.

    A copy has 1. Both are rotation features (frames, channels) at one rate. If the sample is no shorter than the
    source, the mean of each channel is subtracted, so that a constant offset of a limb does not hide a copy. A sample
    of the source's length is compared frame by frame; any other with the repeated source at the best circular offset,
    so that the source twice over, or a part of it, is a copy too. `check_cancelled` is called often and may raise.
    """
    middles = (source.mean(0), sample.mean(0)) if len(sample) >= len(source) else (0.0, 0.0)
    nearest = nearest_frames(source - middles[0], sample - middles[1], check_cancelled)
    offsets = (nearest - np.arange(len(sample))) % len(source)
    if len(sample) == len(source):
        return float((np.abs(nearest - np.arange(len(sample))) <= tolerance).mean())
    counts = np.bincount(offsets, minlength=len(source))
    reach = min(tolerance, (len(source) - 1) // 2)
    around = np.concatenate([counts[len(counts) - reach :], counts, counts[:reach]])
    return float(np.convolve(around, np.ones(2 * reach + 1), mode="valid").max() / len(sample))


def nearest_frames(
    source: Array, sample: Array, check_cancelled: Callable[[], None] = lambda: None
) -> NDArray[np.int64]:
    """Return the index (N,) of the source frame nearest to each frame of a sample; features (frames, channels)."""
    table = RowDistances(sample, source, check_cancelled)
    parts = range(0, len(sample), MIN_BLOCK_ROWS)
    return np.concatenate([table[start : start + MIN_BLOCK_ROWS].argmin(1) for start in parts])


def between(samples: Sequence[Array], source: Array) -> float:
    """Return the mean distance of two samples at the same time, relative to that of any two frames of the source.

    Samples are rotation features (frames, channels) at one rate, compared over the length of the shorter one. 0 means
    equal variations, about 1 unrelated ones. Raises ValueError for fewer than two samples.
    """
    if len(samples) < 2:
        raise ValueError("Distances between variations need two of them at least.")
    pairs = itertools.combinations(samples, 2)
    apart = [np.linalg.norm(one[: len(other)] - other[: len(one)], axis=1).mean() for one, other in pairs]
    return float(np.mean(apart)) / max(random_distance(source), _FEW)


def random_distance(source: Array) -> float:
    """Return the mean distance of two different frames of the source (frames, channels), over all pairs."""
    table, frames = RowDistances(source, source), len(source)
    total = sum(float(table[start : start + MIN_BLOCK_ROWS].sum()) for start in range(0, frames, MIN_BLOCK_ROWS))
    return total / max(frames * (frames - 1), 1)
