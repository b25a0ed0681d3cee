"""Crowds: choose different motions from many candidates, and place them without collisions.

`CrowdSpec` is the request, `Crowd` generates `Member`s block by block, `Figures` are the statistics.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import ClipError
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

BLOCK_MEMBERS = 100
"""Members chosen together. Only members of the same or the previous block are compared, so that cost grows linearly."""

MAX_BLOCK_VALUES = 1 << 27
"""Largest number of values of the candidates and members of a block: for long motions a block has fewer members."""

MAX_CROWD_VALUES = 1 << 29
"""Largest number of values of all members, whose keys wait in single precision until they are written."""

CHUNK_SAMPLES = 25
"""Coarse samples that a core describes together."""

MEASURED_PAIRS = 24
"""Closest pairs whose distance is measured exactly."""


@dataclass(frozen=True)
class CrowdSpec:
    """Request for a crowd."""

    count: int
    """Number of members."""
    frames: int
    """Rows of motion of each member at the pool's rate."""
    seed: int
    first: int = 0
    """Number of the seed's first candidate."""
    phase: int = 0
    """Largest offset in rows at which a member starts its motion."""
    uneven: float = 0.0
    """Largest relative deviation of a member's size (0.1: a tenth)."""
    pool: float = 3.0
    """Candidates per member."""
    centred: bool = True
    """The centre of a path is placed on the spot, else its start."""


@dataclass
class Figures:
    """Statistics of a crowd so far."""

    tried: int = 0
    """Members chosen, placed or not."""
    unplaced: int = 0
    """Members without a spot."""
    smallest: float = float("inf")
    """Smallest local diversity between two members."""
    from_source: list[float] = field(default_factory=list)
    """Local diversity from the source, of the members furthest from it."""


@dataclass(frozen=True, eq=False)
class Member:
    """Placed member of a crowd.

    The motion starts at row `offset`; the point `pivot` (3,) of its path, in the source's lengths, is on the spot of
    `placed`. `scale` is the factor from the source's lengths to those of the scene.
    """

    key: Key
    motion: Motion
    course: RootTrajectory
    offset: int
    scale: float
    pivot: Array
    placed: Placed


def block_members(pool: CandidatePool, wish: CrowdSpec) -> int:
    """Return the number of members to choose together. Raises ClipError for a crowd too large for memory."""
    values = pool.rows * pool.model.skeleton.channels
    if wish.count * values > MAX_CROWD_VALUES:
        raise ClipError(
            f"{wish.count} members with motions of {wish.frames:,} frames take more memory than there should be; ask "
            f"for at most {MAX_CROWD_VALUES // values}, or for shorter motions."
        )
    most = int(MAX_BLOCK_VALUES / (values * max(1.0, wish.pool * pool.coarse_share)))
    return max(1, min(BLOCK_MEMBERS, most))


class Crowd:
    """Generator of a crowd in blocks of members; `next` is the number of the next candidate."""

    def __init__(
        self, pool: CandidatePool, wish: CrowdSpec, floor: Floor, spots: Iterator[Spot], unit_scale: float
    ) -> None:
        self.pool, self.wish, self.floor, self.spots, self.unit_scale = pool, wish, floor, spots, unit_scale
        self.figures = Figures()
        self.next = wish.first
        self._block = block_members(pool, wish)
        self._random = np.random.default_rng([wish.seed & 0xFFFFFFFF, wish.first, 7])
        source = resample(pool.model.source, pool.coarse_rate)
        self._descriptor = WindowDescriptor(rotation_features(source), pool.coarse_rate)
        self._forward = forward_of(pool.model.source)

    def blocks(self, taken: Sequence[Key] = (), stop: Callable[[], bool] = lambda: False) -> Iterator[list[Member]]:
        """Yield blocks of members until `count` is reached, spots run out or `stop` returns true.

        `taken` are the keys of existing members, from which the first block differs too.
        """
        near = self._describe(self.pool.outline(taken[-self._block :])) if taken else None
        left = self.wish.count
        while left > 0 and not stop():
            motions, keys, near = self._choose(min(left, self._block), near, stop)
            if stop():
                return
            members = self._place(motions, keys)
            left -= len(keys)
            self.figures.tried += len(keys)
            self.figures.unplaced += len(keys) - len(members)
            yield members

    def _describe(self, coarse: CoarseSamples) -> Descriptors:
        """Describe coarse samples, on all cores."""
        parts = [
            range(start, min(start + CHUNK_SAMPLES, len(coarse.keys)))
            for start in range(0, len(coarse.keys), CHUNK_SAMPLES)
        ]
        seen = on_all_cores(
            lambda part: self._descriptor.describe(self.pool.coarse_rotations(coarse.pick(part))), parts
        )
        return functools.reduce(Descriptors.joined_with, seen)

    def _choose(
        self, count: int, near: Descriptors | None, stop: Callable[[], bool]
    ) -> tuple[list[Motion], list[Key], Descriptors]:
        """Choose the motions of a block, as different as possible from each other and from the block before.

        Returns motions, keys and descriptors.
        """
        candidates = max(count, round(self.wish.pool * count))
        keys = [(self.wish.seed, self.next + k) for k in range(candidates)]
        self.next += candidates
        coarse = self.pool.outline(keys)
        described = self._describe(coarse)
        known = 0 if near is None else len(near.views)
        everyone = described if near is None else near.joined_with(described)
        distances = self._descriptor.estimates(everyone, on_all_cores)
        away = np.array(on_all_cores(self._descriptor.from_source, list(described.motions)))

        def exact(pairs: Pairs) -> list[float]:
            return on_all_cores(lambda pair: self._descriptor.exact(everyone, pair), pairs)

        rows = choose_members(distances, away, count, exact)
        chosen = [row - known for row in rows]
        motions = self.pool.finish(coarse.pick(chosen), stop)
        if len(motions) == len(chosen):
            self._measure(motions, distances[np.ix_(rows, rows)], away[chosen])
        return motions, [keys[index] for index in chosen], described.pick(chosen)

    def _measure(self, motions: list[Motion], distances: Array, away: Array) -> None:
        """Measure the closest pairs, and the members furthest from the source, by local diversity at 30 fps."""
        source = self.pool.model.source
        if source.frames <= RATE or motions[0].duration <= 1.0:
            return
        resampled: dict[int, Motion] = {}

        def at_rate(row: int) -> Motion:
            return resampled.setdefault(row, resample(motions[row], RATE))

        measured = [local_distance(at_rate(a), at_rate(b)) for a, b in closest_pairs(distances, MEASURED_PAIRS)]
        self.figures.smallest = min([self.figures.smallest, *measured])
        furthest = (-away).argsort(kind="stable")[: MEASURED_PAIRS // 2]
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
        """Return the rows of a path from the crowd's first frame on; of a loop one period that starts at `offset`."""
        if self.pool.loop:
            return np.roll(path[:-1], -offset, axis=0)
        return path[offset : offset + self.wish.frames]

    def _pivot(self, path: Array) -> Array:
        middle = 0.5 * (path.min(axis=0) + path.max(axis=0)) if self.wish.centred else path[0]
        return np.array([middle[0], middle[1], 0.0])
