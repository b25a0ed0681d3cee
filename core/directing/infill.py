"""Gap filling: choose the stretch of a coarse sample that fits between kept rows on either side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model.pyramid import Rows
from ..motion.skeleton import GROUP
from ..numeric.distances import frame_distances
from ..numeric.rotation import Array, wrapped
from ..numeric.smoothing import runs_of
from .row_headings import RowHeadings

EDGE_ROWS = 3
"""Kept rows on either side of a gap that a stretch is compared with."""

MIN_KEY_WEIGHT = 0.1
"""Weight above which a local maximum counts as a keyframe."""

MIN_NOVELTY = 0.4
"""Smallest novelty of a stretch: its difference to the original, relative to the median over all stretches."""

MAX_EXTRA_TURN_RATE = 0.3
"""Extra yaw in rad/s that can be added to a stretch without being noticed."""


@dataclass(frozen=True, eq=False)
class Constraints:
    """Kept rows of a stage: `target` (C, T), `weights` (T, G), at `rate` rows per second; a circle if `loop`.

    If `anchored`, a filled gap must arrive with the target's yaw, and if `placed` also at its position.
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
    """Rows (C, T) turned to yaw 0, with their original yaw `headings` (T,) and the root's path `way` (T + 1, 2)."""

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
    """Fill each free run of the kept rows with the best fitting stretch of x (B, C, N), N ≥ T.

    The network is convolutional, so a generated level-1 row can be used at any time. Stretches are compared by the rows
    beside them, without regard to yaw, and by the displacement and turn that they lead through; the best one is turned
    to continue the kept rows. Without a completely kept row, the first T rows of x are returned.
    """
    result = x[..., : kept.target.shape[1]].copy()
    gaps = gaps_of(kept)
    if not gaps:
        return result
    for number, sample in enumerate(x.astype(np.float64)):
        view = CanonicalRows.of(sample, kept.compass)
        differences = gaps[0].differences(view)
        for gap in gaps:
            first = gap.best(view, differences)
            if first is not None:
                result[number][:, gap.rows] = gap.filled(sample, view, first)
    return result


def turns_between(sample: Array, kept: Constraints) -> Iterator[tuple[int, float]]:
    """Yield, for each gap that a sample (C, N) fills, its first row and the yaw in radians by which the kept rows after
    it must turn so that the stretch fits without extra turn."""
    view, gaps = CanonicalRows.of(sample, kept.compass), gaps_of(kept)
    differences = gaps[0].differences(view) if gaps else np.zeros((0, 0))
    for gap in gaps:
        first = gap.best(view, differences) if gap.between else None
        if first is not None:
            before, after = gap.rotations(view, first)
            yield int(gap.rows[0]), float(wrapped(before - after))


def gaps_of(kept: Constraints) -> list[Gap]:
    """Return the free runs between kept rows; empty if no row or every row is kept."""
    whole = _anchor_rows(kept.weights)
    if not whole.any() or whole.all():
        return []
    free = np.repeat((kept.weights[~whole] < 0.5).any(0), GROUP)
    target = CanonicalRows.of(kept.target, kept.compass)
    return [Gap(kept, target, whole, free, start, stop) for start, stop in _runs(whole, kept.loop)]


def _anchor_rows(weights: Array) -> NDArray[np.bool_]:
    """Select rows to continue from: mostly kept, or local maxima of the weight, as at a single key."""
    least = weights.min(1)
    before, after = np.roll(least, 1), np.roll(least, -1)
    peak = (least > MIN_KEY_WEIGHT) & (least >= before) & (least > after)
    anchors: NDArray[np.bool_] = (least >= 0.5) | peak
    return anchors


def _runs(kept: np.ndarray, loop: bool) -> list[tuple[int, int]]:
    """Return the free runs [start, stop). In a loop, a run across the seam is one run that ends beyond the length."""
    runs = runs_of(~kept)
    if loop and len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == len(kept):
        runs = [*runs[1:-1], (runs[-1][0], len(kept) + runs[0][1])]
    return runs


class Gap:
    """Free run [start, stop) of rows between kept rows; only `free` channels are compared."""

    def __init__(
        self, kept: Constraints, target: CanonicalRows, whole: np.ndarray, free: np.ndarray, start: int, stop: int
    ) -> None:
        length = kept.target.shape[1]
        self.kept, self.target, self.free, self.size = kept, target, free, stop - start
        self.rows = np.arange(start, stop) % length
        edges = [(k, start + k) for k in range(-EDGE_ROWS, 0)] + [(self.size + k, stop + k) for k in range(EDGE_ROWS)]
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
        """True if there are kept rows on both sides."""
        return self.before is not None and self.after is not None

    def differences(self, sample: CanonicalRows) -> Array:
        """Return the mean squared difference (N, T) of sample rows and target rows; the same for all gaps."""
        rows, target = sample.rows[self.free], self.target.rows[self.free]
        return np.asarray(np.square(frame_distances(rows.T, target.T)) / max(len(rows), 1))

    def best(self, sample: CanonicalRows, differences: Array) -> int | None:
        """Return the first row of the best stretch of a sample, or None where the sample is too short."""
        first = np.arange(EDGE_ROWS, sample.rows.shape[1] - self.size - EDGE_ROWS)
        if not len(first) or not self.edges:
            return None
        cost = self._turn_rate_cost(sample, first)
        for shift, at in self.edges:
            cost += differences[first + shift, at]
        cost = cost / max(float(np.median(cost)), 1e-9) + self._arrival_cost(sample, first)
        steps = np.arange(self.size)
        novelty = differences[first[:, None] + steps, self.rows].mean(1)
        order = np.argsort(cost, kind="stable")
        new = novelty[order] >= MIN_NOVELTY * np.median(novelty)
        return int(first[order[new.argmax()]])

    def rotations(self, sample: CanonicalRows, first: int | NDArray[np.int64]) -> tuple[Array, Array]:
        """Return the yaw by which stretches from row `first` must turn to fit the kept rows before and after them."""
        before = after = None
        if self.before is not None:
            before = self.target.headings[self.before] - sample.headings[first - 1]
        if self.after is not None:
            after = self.target.headings[self.after] - sample.headings[first + self.size]
        if before is None or after is None:
            single = np.asarray(after if before is None else before)
            return single, single
        return before, before + wrapped(after - before)

    def filled(self, sample: Array, view: CanonicalRows, first: int) -> Array:
        """Return the stretch (C, size) of a sample from row `first`, turned to continue the kept rows."""
        stretch = sample[:, first : first + self.size]
        if not self.turns_free:
            return stretch
        before, after = self.rotations(view, first)
        share = np.arange(1, self.size + 1) / (self.size + 1)
        return self.kept.compass.turned(stretch, before + share**2 * (3.0 - 2.0 * share) * (after - before))

    def _turn_rate_cost(self, sample: CanonicalRows, first: NDArray[np.int64]) -> Array:
        """Return the difference in turn rate between the rows beside each stretch and the kept rows."""
        total = np.zeros(len(first))
        if self.turns_free:
            for (shift, at), (following, beyond) in zip(self.edges, self.edges[1:], strict=False):
                if following == shift + 1:
                    target = self.target.headings[beyond] - self.target.headings[at]
                    turn = sample.headings[first + following] - sample.headings[first + shift]
                    total += 2.0 * (self.kept.compass.gain * wrapped(turn - target)) ** 2
        return total / max(int(self.free.sum()), 1)

    def _arrival_cost(self, sample: CanonicalRows, first: NDArray[np.int64]) -> Array:
        """Return the cost of each stretch for arriving with another yaw or position than the target.

        Yaw is relative to MAX_EXTRA_TURN_RATE, position to a quarter of the sample's mean path length in that time.
        """
        cost = np.zeros(len(first))
        if not self.between or not self.kept.anchored:
            return cost
        before, after = self.rotations(sample, first)
        if self.turns_free:
            cost += ((after - before) / (MAX_EXTRA_TURN_RATE * self.size / self.kept.rate)) ** 2
        if self.leads_free and self.kept.placed:
            moved = sample.way[first + self.size] - sample.way[first]
            middle = before + 0.5 * (after - before) if self.turns_free else np.zeros(len(first))
            cos, sin = np.cos(middle), np.sin(middle)
            moved = np.stack([cos * moved[:, 0] - sin * moved[:, 1], sin * moved[:, 0] + cos * moved[:, 1]], axis=1)
            steps = np.diff(self.target.way, axis=0)
            error = np.linalg.norm(moved - steps[self.rows].sum(0), axis=1)
            length = np.linalg.norm(np.diff(sample.way, axis=0), axis=1).mean() * self.size
            cost += (error / max(0.25 * float(length), 1e-9)) ** 2
        return cost
