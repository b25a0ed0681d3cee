"""Where the members of a crowd stand and how they are turned, so that no two come too near at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array

TURNS = 8
"""Headings that are tried for a member at a spot."""

QUEUE = 6
"""Members that are tried at a spot before the next one."""

ROWS = 100
"""Rows of a path that are looked at, from its first to its last."""


@dataclass(frozen=True)
class Spot:
    """A place to stand, and where to look from there: a heading in radians, give or take `spread`."""

    place: tuple[float, float, float]
    heading: float = 0.0
    spread: float = np.pi


@dataclass(frozen=True)
class Placed:
    """A member that has found its place: which one, at which spot, looking where."""

    member: int
    spot: Spot
    heading: float


@dataclass(eq=False)
class Floor:
    """What is taken up: paths (T, 2) over time, found again by where they are.

    Two members keep `distance` between their roots at every row. `covers` says of paths (K, T, 2) whether they stay on
    the ground there is.
    """

    distance: float
    covers: Callable[[Array], NDArray[np.bool_]] | None = None
    _paths: list[Array] = field(default_factory=list)
    _circles: list[tuple[float, float, float]] = field(default_factory=list)
    _cells: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def add(self, path: Array) -> None:
        """Take up a path; it is found in every cell that it comes into."""
        number = len(self._paths)
        self._paths.append(path)
        low, high = path.min(axis=0) - self.distance, path.max(axis=0) + self.distance
        for cell in self._within(low, high):
            self._cells.setdefault(cell, []).append(number)

    def free(self, paths: Array) -> NDArray[np.bool_]:
        """Which of some paths (K, T, 2) keep their distance from all that is there, and stay on the ground."""
        result = np.ones(len(paths), dtype=bool) if self.covers is None else self.covers(paths)
        if not result.any():
            return result
        flat = paths[result].reshape(-1, 2)
        cells = self._within(flat.min(axis=0), flat.max(axis=0))
        near = sorted({number for cell in cells for number in self._cells.get(cell, ())})
        for number in near:
            apart = paths - self._paths[number]
            result &= np.einsum("ktd,ktd->kt", apart, apart).min(axis=1) >= self.distance**2
            if not result.any():
                break
        return result

    def _within(self, low: Array, high: Array) -> Iterator[tuple[int, int]]:
        size = max(2.0 * self.distance, 1e-6)
        first, last = np.floor(low / size).astype(int), np.floor(high / size).astype(int)
        for x in range(first[0], last[0] + 1):
            for y in range(first[1], last[1] + 1):
                yield x, y


def place_members(
    floor: Floor, paths: Sequence[Array], facings: Array, spots: Iterator[Spot], random: np.random.Generator
) -> list[Placed]:
    """Find a spot and a heading for members, in the order of spots; the floor then has their paths.

    `paths` are theirs, each (T, 2) about its own pivot, the same rows at the same time; `facings` (N,) where they look
    in them. At a spot several members are tried, each with several headings. Ends where all are placed or no spot is
    left.
    """
    waiting, placed = list(range(len(paths))), []
    while waiting:
        spot = next(spots, None)
        if spot is None:
            break
        for member in waiting[:QUEUE]:
            heading = _free_heading(floor, sampled(paths[member]), float(facings[member]), spot, random)
            if heading is not None:
                waiting.remove(member)
                placed.append(Placed(member, spot, heading))
                break
    return placed


def _free_heading(floor: Floor, path: Array, facing: float, spot: Spot, random: np.random.Generator) -> float | None:
    """A heading in which a path is free, taken up at once, or None."""
    headings = spot.heading + spot.spread * random.uniform(-1.0, 1.0, TURNS if spot.spread else 1)
    options = turned(path, headings - facing) + np.array(spot.place[:2])
    free = floor.free(options)
    if not free.any():
        return None
    first = int(free.argmax())
    floor.add(options[first])
    return float(headings[first])


def turned(path: Array, angles: Array) -> Array:
    """A path (T, 2) turned by each of some angles, (K, T, 2)."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = path[:, 0], path[:, 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=2)


def sampled(path: Array) -> Array:
    """The rows of a path (T, D) that a floor looks at, (ROWS, D)."""
    return path[np.linspace(0, len(path) - 1, ROWS).round().astype(int)]


def smallest_gap(paths: Sequence[Array]) -> float:
    """The smallest distance of two of some paths (T, 2) at one and the same row; infinite for fewer than two."""
    gaps = [float(np.linalg.norm(np.stack(paths[:k]) - paths[k], axis=2).min()) for k in range(1, len(paths))]
    return min(gaps, default=float("inf"))
