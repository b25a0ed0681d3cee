"""Placement of crowd members: spots and headings at which members keep their distance at all times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array

TRIED_HEADINGS = 8
"""Headings tried for a member at a spot."""

TRIED_MEMBERS = 6
"""Members tried at a spot before the next spot."""

PATH_ROWS = 100
"""Rows to which paths are resampled for comparison."""


@dataclass(frozen=True)
class Spot:
    """Position to stand at, with a heading in radians and its tolerance `spread`."""

    place: tuple[float, float, float]
    heading: float = 0.0
    spread: float = np.pi


@dataclass(frozen=True)
class Placed:
    """Placed member: its index, spot and heading in radians."""

    member: int
    spot: Spot
    heading: float


@dataclass(eq=False)
class Floor:
    """Occupied paths (T, 2) over time, indexed by a grid of cells.

    The roots of two members keep `distance` at every row. `covers` tests if paths (K, T, 2) stay on the ground.
    """

    distance: float
    covers: Callable[[Array], NDArray[np.bool_]] | None = None
    _paths: list[Array] = field(default_factory=list)
    _circles: list[tuple[float, float, float]] = field(default_factory=list)
    _cells: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def add(self, path: Array) -> None:
        """Occupy a path (T, 2): register it in every cell that it enters."""
        number = len(self._paths)
        self._paths.append(path)
        low, high = path.min(axis=0) - self.distance, path.max(axis=0) + self.distance
        for cell in self._within(low, high):
            self._cells.setdefault(cell, []).append(number)

    def free(self, paths: Array) -> NDArray[np.bool_]:
        """Return a mask (K,) of paths (K, T, 2) that stay on the ground and keep their distance from occupied ones."""
        result = np.ones(len(paths), dtype=bool) if self.covers is None else self.covers(paths)
        if not result.any():
            return result
        flat = paths[result].reshape(-1, 2)
        cells = self._within(flat.min(axis=0), flat.max(axis=0))
        near = sorted({number for cell in cells for number in self._cells.get(cell, ())})
        for number in near:
            offset = paths - self._paths[number]
            result &= np.einsum("ktd,ktd->kt", offset, offset).min(axis=1) >= self.distance**2
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
    """Assign a spot and a heading to members, in the order of spots, and occupy their paths on the floor.

    `paths` are (T, 2) each, relative to the pivot and synchronous; `facings` (N,) are the headings of the members in
    their own motions. At a spot several members are tried, each with several headings. Ends when all are placed or no
    spot is left.
    """
    waiting, placed = list(range(len(paths))), []
    while waiting:
        spot = next(spots, None)
        if spot is None:
            break
        for member in waiting[:TRIED_MEMBERS]:
            heading = _free_heading(floor, sampled(paths[member]), float(facings[member]), spot, random)
            if heading is not None:
                waiting.remove(member)
                placed.append(Placed(member, spot, heading))
                break
    return placed


def _free_heading(floor: Floor, path: Array, facing: float, spot: Spot, random: np.random.Generator) -> float | None:
    """Return a heading for which a path is free, and occupy it; None if there is none."""
    headings = spot.heading + spot.spread * random.uniform(-1.0, 1.0, TRIED_HEADINGS if spot.spread else 1)
    options = turned(path, headings - facing) + np.array(spot.place[:2])
    free = floor.free(options)
    if not free.any():
        return None
    first = int(free.argmax())
    floor.add(options[first])
    return float(headings[first])


def turned(path: Array, angles: Array) -> Array:
    """Turn a path (T, 2) by each of K angles, (K, T, 2)."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = path[:, 0], path[:, 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=2)


def sampled(path: Array) -> Array:
    """Resample a path (T, D) to (PATH_ROWS, D) by nearest rows."""
    return path[np.linspace(0, len(path) - 1, PATH_ROWS).round().astype(int)]
