"""A crowd: different motions, chosen from many, placed so that nobody walks through anybody."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..evaluation.metrics import rotation_features
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample
from ..numeric.rotation import Array
from ..system.threads import on_all_cores
from .candidates import CandidatePool, CoarseSamples, Key
from .placement import Floor, Placed, Spot, place_members
from .selection import Pairs, choose_members, closest_pairs, from_source, local_distance
from .similarity import Descriptors, WindowDescriptor
from .trajectories import RootTrajectory, forward_of, trajectory_of

BLOCK = 100
"""Members that are chosen together, so that work grows evenly with their number; who stands further off than that in
the order of places is no neighbour."""


PART = 25
"""Outlines that a core looks at together."""


PAIRS = 24
"""Closest pairs whose distance is measured exactly."""


@dataclass(frozen=True, eq=False)
class Member:
    """One that has found its place. Row `offset` of the motion is the first seen; `pivot` (3,) of its path, in the
    source's lengths, comes to stand on the spot of `placed`."""

    key: Key
    motion: Motion
    course: RootTrajectory
    offset: int
    scale: float
    pivot: Array
    placed: Placed


class Crowd:
    """Makes a crowd block by block; `taken` are the keys of members that are there already."""

    def __init__(
        self, pool: CandidatePool, wish: CrowdSpec, floor: Floor, spots: Iterator[Spot], unit_scale: float
    ) -> None:
        self.pool, self.wish, self.floor, self.spots, self.unit_scale = pool, wish, floor, spots, unit_scale
        self.figures = Figures()
        self.next = wish.first
        self._random = np.random.default_rng([wish.seed & 0xFFFFFFFF, wish.first, 7])
        source = resample(pool.model.source, pool.course_rate)
        self._lens = WindowDescriptor(rotation_features(source), pool.course_rate)
        self._forward = forward_of(pool.model.source)

    def blocks(self, taken: Sequence[Key] = (), stop: Callable[[], bool] = lambda: False) -> Iterator[list[Member]]:
        """The members, some at a time; ends early where places run out or `stop` says so."""
        near = self._look(self.pool.outline(taken[-BLOCK:])) if taken else None
        left = self.wish.count
        while left > 0 and not stop():
            motions, keys, near = self._choose(min(left, BLOCK), near, stop)
            if stop():
                return
            members = self._place(motions, keys)
            left -= len(keys)
            self.figures.tried += len(keys)
            self.figures.unplaced += len(keys) - len(members)
            yield members

    def _look(self, outlines: CoarseSamples) -> Descriptors:
        """What outlines look like through the lens, some on each core."""
        parts = [range(start, min(start + PART, len(outlines.keys))) for start in range(0, len(outlines.keys), PART)]
        seen = on_all_cores(lambda part: self._lens.see(self.pool.courses(outlines.pick(part))), parts)
        return functools.reduce(Descriptors.and_then, seen)

    def _choose(
        self, count: int, near: Descriptors | None, stop: Callable[[], bool]
    ) -> tuple[list[Motion], list[Key], Descriptors]:
        """Motions of a block as different from each other, and from those near, as can be; with what they look like."""
        candidates = max(count, round(self.wish.pool * count))
        keys = [(self.wish.seed, self.next + k) for k in range(candidates)]
        self.next += candidates
        outlines = self.pool.outline(keys)
        seen = self._look(outlines)
        known = 0 if near is None else len(near.views)
        everyone = seen if near is None else near.and_then(seen)
        distances = self._lens.estimates(everyone, on_all_cores)
        away = np.array(on_all_cores(self._lens.from_source, list(seen.motions)))

        def exact(pairs: Pairs) -> list[float]:
            return on_all_cores(lambda pair: self._lens.exact(everyone, pair), pairs)

        rows = choose_members(distances, away, count, exact)
        chosen = [row - known for row in rows]
        motions = self.pool.finish(outlines.pick(chosen), stop)
        if len(motions) == len(chosen):
            self._measure(motions, distances[np.ix_(rows, rows)], away[chosen])
        return motions, [keys[place] for place in chosen], seen.pick(chosen)

    def _measure(self, motions: list[Motion], distances: Array, away: Array) -> None:
        """The exact distance of the closest few, and from the source of those that are furthest from it."""
        source = self.pool.model.source
        if source.frames <= RATE or motions[0].duration <= 1.0:
            return
        slow: dict[int, Motion] = {}

        def at_rate(row: int) -> Motion:
            return slow.setdefault(row, resample(motions[row], RATE))

        found = [local_distance(at_rate(a), at_rate(b)) for a, b in closest_pairs(distances, PAIRS)]
        self.figures.smallest = min([self.figures.smallest, *found])
        furthest = (-away).argsort(kind="stable")[: PAIRS // 2]
        self.figures.from_source += [from_source(at_rate(int(row)), source) for row in furthest]

    def _place(self, motions: list[Motion], keys: list[Key]) -> list[Member]:
        courses = [trajectory_of(motion, self._forward) for motion in motions]
        offsets = self._random.integers(0, self.wish.phase + 1, len(motions))
        scales = self.unit_scale * (1.0 + self.wish.uneven * self._random.uniform(-1.0, 1.0, len(motions)))
        seen = [self._seen(course.path, int(offset)) for course, offset in zip(courses, offsets, strict=True)]
        pivots = [self._pivot(path) for path in seen]
        paths = [scale * (path - pivot)[:, :2] for path, pivot, scale in zip(seen, pivots, scales, strict=True)]
        facings = np.array([course.facing for course in courses])
        placed = place_members(self.floor, paths, facings, self.spots, self._random)
        return [
            Member(keys[m], motions[m], courses[m], int(offsets[m]), float(scales[m]), pivots[m], one)
            for one in placed
            for m in [one.member]
        ]

    def _seen(self, path: Array, offset: int) -> Array:
        """The rows of a path that are seen, from the first frame on; of a loop all, begun at its offset."""
        if self.pool.loop:
            return np.roll(path[:-1], -offset, axis=0)
        return path[offset : offset + self.wish.frames]

    def _pivot(self, path: Array) -> Array:
        middle = 0.5 * (path.min(axis=0) + path.max(axis=0)) if self.wish.centred else path[0]
        return np.array([middle[0], middle[1], 0.0])


@dataclass(frozen=True)
class CrowdSpec:
    """What crowd is asked for: `count` members that move for `frames` rows at the pool's rate.

    Each starts up to `phase` rows into its motion and is larger or smaller by up to `uneven` (0.1: a tenth). Of `pool`
    candidates for each member the most different are taken. `first` is the number of the first candidate of the `seed`.
    With `centred` the middle of a path comes to stand on a spot, else its start.
    """

    count: int
    frames: int
    seed: int
    first: int = 0
    phase: int = 0
    uneven: float = 0.0
    pool: float = 3.0
    centred: bool = True


@dataclass
class Figures:
    """What became of a crowd so far: how far the two most alike are apart, how far members are from the source, by
    local diversity; and how many found no place."""

    tried: int = 0
    unplaced: int = 0
    smallest: float = float("inf")
    from_source: list[float] = field(default_factory=list)
