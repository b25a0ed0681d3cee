"""Which stretch of a coarse sample fits between what is kept on either side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .joins import runs_of
from .rotation import Array
from .skeleton import GROUP
from .stage_rows import Rows

EDGE = 3
"""Rows on either side of a region that have to match."""

PEAK = 0.1
"""A row of which so much is kept holds a key."""

ANEW = 0.4
"""Share of the usual difference to what was there before under which a stretch is nothing new."""


@dataclass(frozen=True, eq=False)
class Kept:
    """Rows of a stage that are to be gone on from: `target` (C, T), `weights` (T, G), `loop` if they are a circle.

    Rows `travel` (2 of C) move the root over the ground, if it has to arrive where the target has it.
    """

    target: Array
    weights: Array
    loop: bool
    travel: tuple[int, ...] = ()


def pick_windows(x: Rows, kept: Kept) -> Rows:
    """Fill each free run of the kept rows with the stretch of x (B, C, N), N ≥ T, that goes on best.

    A generated level-1 row is as good anywhere, the network being convolutional; so of all stretches of a sample those
    whose neighbours match what is kept there, and which lead as far, are chosen. Where no row is kept whole, x comes
    back cut to T rows.
    """
    length = kept.target.shape[1]
    whole = _held(kept.weights)
    result = x[..., :length].copy()
    if not whole.any() or whole.all():
        return result
    free = np.repeat((kept.weights[~whole] < 0.5).any(0), GROUP)
    for start, stop in _runs(whole, kept.loop):
        gap = Gap(kept, whole, free, start, stop)
        for number, sample in enumerate(x.astype(np.float64)):
            first = gap.best(sample)
            if first is not None:
                result[number][:, gap.rows] = x[number][:, first : first + stop - start]
    return result


def _held(weights: Array) -> NDArray[np.bool_]:
    """Rows to go on from: kept for the most part, or more than the rows beside them, as around a single key."""
    least = weights.min(1)
    before, after = np.roll(least, 1), np.roll(least, -1)
    peak = (least > PEAK) & (least >= before) & (least > after)
    held: NDArray[np.bool_] = (least >= 0.5) | peak
    return held


def _runs(kept: np.ndarray, loop: bool) -> list[tuple[int, int]]:
    """Free runs [start, stop); on a circle one that crosses the seam is a single one, its end beyond the length."""
    runs = runs_of(~kept)
    if loop and len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == len(kept):
        runs = [*runs[1:-1], (runs[-1][0], len(kept) + runs[0][1])]
    return runs


class Gap:
    """A free run [start, stop) of rows between kept ones; only `free` channels have to fit."""

    def __init__(self, kept: Kept, whole: np.ndarray, free: np.ndarray, start: int, stop: int) -> None:
        length = kept.target.shape[1]
        self.target, self.free, self.size = kept.target, free, stop - start
        self.rows = np.arange(start, stop) % length
        edges = [(k, start + k) for k in range(-EDGE, 0)] + [(self.size + k, stop + k) for k in range(EDGE)]
        if not kept.loop:
            edges = [(shift, at) for shift, at in edges if 0 <= at < length]
        self.edges = [(shift, at % length) for shift, at in edges if whole[at % length]]
        between = min((shift for shift, _ in self.edges), default=0) < 0 < max((s for s, _ in self.edges), default=0)
        self.travel = [row for row in kept.travel if free[row]] if between else []

    def best(self, sample: Array) -> int | None:
        """First row of the best stretch in a sample (C, N), or None where none of this length can be had."""
        first = np.arange(EDGE, sample.shape[1] - self.size - EDGE)
        if not len(first) or not self.edges:
            return None
        rows, wanted = sample[self.free], self.target[self.free]
        cost = sum(((rows[:, first + shift] - wanted[:, at : at + 1]) ** 2).sum(0) for shift, at in self.edges)
        cost = cost / max(float(np.median(cost)), 1e-9) + self._astray(sample, first)
        usual = np.median([self._novelty(rows, wanted, k) for k in first[:: max(1, len(first) // 12)]])
        for candidate in first[np.argsort(cost, kind="stable")]:
            if self._novelty(rows, wanted, candidate) >= ANEW * usual:
                return int(candidate)
        return int(first[cost.argmin()])

    def _novelty(self, rows: Array, wanted: Array, first: int) -> float:
        """Mean squared difference of a stretch to what was there before."""
        return float(np.square(rows[:, first : first + self.size] - wanted[:, self.rows]).mean())

    def _astray(self, sample: Array, first: NDArray[np.int64]) -> Array:
        """How far from where it should arrive each stretch leads, beside how far the sample goes in that time."""
        if not self.travel:
            return np.zeros(len(first))
        way = np.cumsum(np.pad(sample[self.travel], ((0, 0), (1, 0))), axis=1)
        led = way[:, first + self.size] - way[:, first]
        off = np.linalg.norm(led - self.target[self.travel][:, self.rows].sum(1)[:, None], axis=0)
        pace = np.linalg.norm(sample[self.travel], axis=0).mean() * self.size
        astray: Array = (off / max(0.25 * float(pace), 1e-9)) ** 2
        return astray
