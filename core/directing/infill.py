"""Which stretch of a coarse sample fits between what is kept on either side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..generation.pyramid import Rows
from ..motion.headings import wrapped
from ..motion.skeleton import GROUP
from ..numeric.blending import runs_of
from ..numeric.distances import frame_distances
from ..numeric.rotation import Array
from .row_headings import RowHeadings

EDGE = 3
"""Rows on either side of a region that have to match."""

MIN_KEY_WEIGHT = 0.1
"""A row of which so much is kept holds a key."""

MIN_NOVELTY = 0.4
"""Share of the usual difference to what was there before under which a stretch is nothing new."""

MAX_EXTRA_TURN_RATE = 0.3
"""Radians a second by which a stretch may be turned further than it was generated without being seen to."""


@dataclass(frozen=True, eq=False)
class Constraints:
    """Rows of a stage that are to be gone on from: `target` (C, T), `weights` (T, G), `loop` if they are a circle.

    There are `rate` rows a second. The root has to arrive where the target has it if `anchored`, facing as it does
    there; with `placed` its place counts, too.
    """

    target: Array
    weights: Array
    loop: bool
    compass: RowHeadings
    rate: float
    anchored: bool = True
    placed: bool = True


@dataclass(frozen=True, eq=False)
class CanonicalRows:
    """Rows (C, T) as if nobody turned, how far they turn from row to row, and where they face and lead."""

    rows: Array
    headings: Array
    way: Array

    @staticmethod
    def of(rows: Array, compass: RowHeadings) -> CanonicalRows:
        headings = compass.headings(rows)
        steps = compass.velocities(rows)
        way = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
        return CanonicalRows(compass.turned(rows, -headings), headings, way)


def pick_windows(x: Rows, kept: Constraints) -> Rows:
    """Fill each free run of the kept rows with the stretch of x (B, C, N), N ≥ T, that goes on best.

    A generated level-1 row is as good anywhere, the network being convolutional; so of all stretches of a sample those
    whose neighbours match what is kept there, whichever way they face, and which lead and turn as far, are chosen and
    turned to go on from there. Where no row is kept whole, x comes back cut to T rows.
    """
    result = x[..., : kept.target.shape[1]].copy()
    gaps = gaps_of(kept)
    if not gaps:
        return result
    for number, sample in enumerate(x.astype(np.float64)):
        view = CanonicalRows.of(sample, kept.compass)
        apart = gaps[0].apart(view)
        for gap in gaps:
            first = gap.best(view, apart)
            if first is not None:
                result[number][:, gap.rows] = gap.filled(sample, view, first)
    return result


def turns_between(sample: Array, kept: Constraints) -> Iterator[tuple[int, float]]:
    """For each gap between kept rows that a sample (C, N) fills: its first row, and by how many radians what comes
    after it must turn for the gap to be as the sample has it."""
    view, gaps = CanonicalRows.of(sample, kept.compass), gaps_of(kept)
    apart = gaps[0].apart(view) if gaps else np.zeros((0, 0))
    for gap in gaps:
        first = gap.best(view, apart) if gap.between else None
        if first is not None:
            before, after = gap.rotations(view, first)
            yield int(gap.rows[0]), float(wrapped(before - after))


def gaps_of(kept: Constraints) -> list[Gap]:
    whole = _held(kept.weights)
    if not whole.any() or whole.all():
        return []
    free = np.repeat((kept.weights[~whole] < 0.5).any(0), GROUP)
    target = CanonicalRows.of(kept.target, kept.compass)
    return [Gap(kept, target, whole, free, start, stop) for start, stop in _runs(whole, kept.loop)]


def _held(weights: Array) -> NDArray[np.bool_]:
    """Rows to go on from: kept for the most part, or more than the rows beside them, as around a single key."""
    least = weights.min(1)
    before, after = np.roll(least, 1), np.roll(least, -1)
    peak = (least > MIN_KEY_WEIGHT) & (least >= before) & (least > after)
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

    def __init__(
        self, kept: Constraints, target: CanonicalRows, whole: np.ndarray, free: np.ndarray, start: int, stop: int
    ) -> None:
        length = kept.target.shape[1]
        self.kept, self.target, self.free, self.size = kept, target, free, stop - start
        self.rows = np.arange(start, stop) % length
        edges = [(k, start + k) for k in range(-EDGE, 0)] + [(self.size + k, stop + k) for k in range(EDGE)]
        if not kept.loop:
            edges = [(shift, at) for shift, at in edges if 0 <= at < length]
        self.edges = [(shift, at % length) for shift, at in edges if whole[at % length]]
        self.before = next((at for shift, at in self.edges if shift == -1), None)
        self.after = next((at for shift, at in self.edges if shift == self.size), None)
        compass = kept.compass
        self.turns_free = compass.learned and bool(free[compass.turn].all())
        self.leads_free = len(compass.travel) == 2 and bool(free[compass.travel].all())

    @property
    def between(self) -> bool:
        return self.before is not None and self.after is not None

    def apart(self, sample: CanonicalRows) -> Array:
        """Mean squared difference of each row of a sample to each of the target (N, T), the same for all gaps."""
        rows, wanted = sample.rows[self.free], self.target.rows[self.free]
        return np.asarray(np.square(frame_distances(rows.T, wanted.T)) / max(len(rows), 1))

    def best(self, sample: CanonicalRows, apart: Array) -> int | None:
        """First row of the best stretch in a sample, or None where none of this length can be had."""
        first = np.arange(EDGE, sample.rows.shape[1] - self.size - EDGE)
        if not len(first) or not self.edges:
            return None
        cost = self._unevenness(sample, first)
        for shift, at in self.edges:
            cost += apart[first + shift, at]
        cost = cost / max(float(np.median(cost)), 1e-9) + self._astray(sample, first)
        steps = np.arange(self.size)
        novelty = apart[first[:, None] + steps, self.rows].mean(1)
        order = np.argsort(cost, kind="stable")
        new = novelty[order] >= MIN_NOVELTY * np.median(novelty)
        return int(first[order[new.argmax()]])

    def rotations(self, sample: CanonicalRows, first: int | NDArray[np.int64]) -> tuple[Array, Array]:
        """By how much stretches that begin at `first` must turn to face as is kept before them, and after them."""
        before = after = None
        if self.before is not None:
            before = self.target.headings[self.before] - sample.headings[first - 1]
        if self.after is not None:
            after = self.target.headings[self.after] - sample.headings[first + self.size]
        if before is None or after is None:
            one = np.asarray(after if before is None else before)
            return one, one
        return before, before + wrapped(after - before)

    def filled(self, sample: Array, view: CanonicalRows, first: int) -> Array:
        """The stretch (C, size) of a sample that begins at `first`, turned to go on from what is kept."""
        stretch = sample[:, first : first + self.size]
        if not self.turns_free:
            return stretch
        before, after = self.rotations(view, first)
        share = np.arange(1, self.size + 1) / (self.size + 1)
        return self.kept.compass.turned(stretch, before + share**2 * (3.0 - 2.0 * share) * (after - before))

    def _unevenness(self, sample: CanonicalRows, first: NDArray[np.int64]) -> Array:
        """How differently the root turns beside a stretch from how it does in what is kept there, as `apart` counts."""
        total = np.zeros(len(first))
        if self.turns_free:
            for (shift, at), (following, beyond) in zip(self.edges, self.edges[1:], strict=False):
                if following == shift + 1:
                    wanted = self.target.headings[beyond] - self.target.headings[at]
                    own = sample.headings[first + following] - sample.headings[first + shift]
                    total += 2.0 * (self.kept.compass.gain * wrapped(own - wanted)) ** 2
        return total / max(int(self.free.sum()), 1)

    def _astray(self, sample: CanonicalRows, first: NDArray[np.int64]) -> Array:
        """How far from where it should arrive, and from how it should face there, each stretch leads.

        Places are measured by how far the sample goes in that time, turns by how much a body can turn unnoticed.
        """
        astray = np.zeros(len(first))
        if not self.between or not self.kept.anchored:
            return astray
        before, after = self.rotations(sample, first)
        if self.turns_free:
            astray += ((after - before) / (MAX_EXTRA_TURN_RATE * self.size / self.kept.rate)) ** 2
        if self.leads_free and self.kept.placed:
            led = sample.way[first + self.size] - sample.way[first]
            middle = before + 0.5 * (after - before) if self.turns_free else np.zeros(len(first))
            cos, sin = np.cos(middle), np.sin(middle)
            led = np.stack([cos * led[:, 0] - sin * led[:, 1], sin * led[:, 0] + cos * led[:, 1]], axis=1)
            steps = np.diff(self.target.way, axis=0)
            off = np.linalg.norm(led - steps[self.rows].sum(0), axis=1)
            pace = np.linalg.norm(np.diff(sample.way, axis=0), axis=1).mean() * self.size
            astray += (off / max(0.25 * float(pace), 1e-9)) ** 2
        return astray
