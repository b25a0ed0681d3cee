"""Copies of the source in its own order, which neither diversity nor novelty see: told by time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..numeric.distances import FEWEST, RowDistances
from ..numeric.rotation import Array

ASIDE = 8
"""Frames by which a frame may lie beside the same time and still count as there: about a quarter of a second."""

_FEW = 1e-9


def same_time(
    source: Array, sample: Array, ask_stop: Callable[[], None] = lambda: None, *, aside: int = ASIDE
) -> float:
    """Share of a sample's frames whose nearest source frame lies within `aside` frames of the same time: 1 for a copy.

    Rotation features (frames, channels) at one rate; of a sample that is no shorter than the source each channel is
    told against its own mean, so that an arm held otherwise all the time hides nothing. A sample as long as the source
    is compared as it stands. Any other is compared with the source on and on, at the one offset that suits it best:
    the source twice over, or a part of it, is a copy too. `ask_stop` is called often and may raise.
    """
    middles = (source.mean(0), sample.mean(0)) if len(sample) >= len(source) else (0.0, 0.0)
    places = nearest_frames(source - middles[0], sample - middles[1], ask_stop)
    offsets = (places - np.arange(len(sample))) % len(source)
    if len(sample) == len(source):
        return float((np.abs(places - np.arange(len(sample))) <= aside).mean())
    counts = np.bincount(offsets, minlength=len(source))
    reach = min(aside, (len(source) - 1) // 2)
    around = np.concatenate([counts[len(counts) - reach :], counts, counts[:reach]])
    return float(np.convolve(around, np.ones(2 * reach + 1), mode="valid").max() / len(sample))


def nearest_frames(source: Array, sample: Array, ask_stop: Callable[[], None] = lambda: None) -> NDArray[np.int64]:
    """The source frame (N,) that is nearest to each frame of a sample; features (frames, channels)."""
    table = RowDistances(sample, source, ask_stop)
    parts = range(0, len(sample), FEWEST)
    return np.concatenate([table[start : start + FEWEST].argmin(1) for start in parts])


def between(samples: Sequence[Array], source: Array) -> float:
    """Mean distance of two samples at the same time over that of two frames of the source, whenever they are.

    Rotation features (frames, channels) at one rate; samples are compared as far as the shorter of two goes. 0 where
    all variations are one and the same, about 1 where nothing binds them. Raises ValueError for fewer than two samples.
    """
    if len(samples) < 2:
        raise ValueError("Distances between variations need two of them at least.")
    pairs = itertools.combinations(samples, 2)
    apart = [np.linalg.norm(one[: len(other)] - other[: len(one)], axis=1).mean() for one, other in pairs]
    return float(np.mean(apart)) / max(random_distance(source), _FEW)


def random_distance(source: Array) -> float:
    """Mean distance of two different frames of the source (frames, channels), over all pairs."""
    table, frames = RowDistances(source, source), len(source)
    total = sum(float(table[start : start + FEWEST].sum()) for start in range(0, frames, FEWEST))
    return total / max(frames * (frames - 1), 1)
