"""Spots for crowd members: on a grid, along lines, or scattered over a surface."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array

MIN_UP_COSINE = 0.7
"""Cosine of the steepest slope to stand on, about 45 degrees."""

MAX_CELLS = 2_000_000
"""Largest number of cells of a surface's height map."""

TRIED_POSITIONS = 40
"""Positions tried for each member on lines and surfaces."""


def grid(count: int, spacing: float, centre: Array) -> Iterator[Array]:
    """Yield positions (3,) of a square grid about `centre`, row by row, then of further rows behind it.

    There are 20 `count` + 20 positions in all.
    """
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    first = np.array([-(columns - 1) / 2, (rows - 1) / 2])
    for number in range(20 * count + 20):
        row, column = divmod(number, columns)
        yield centre + spacing * np.array([first[0] + column, first[1] - row, 0.0])


def along(lines: Sequence[Array], count: int, random: np.random.Generator) -> Iterator[tuple[Array, float]]:
    """Yield positions (3,) along polylines (n, 3) with the line's heading: `count` evenly spaced, then random ones."""
    pieces = [(a, b) for line in lines for a, b in itertools.pairwise(line)]
    lengths = np.array([np.linalg.norm(b - a) for a, b in pieces])
    ends = np.cumsum(lengths)
    if not len(ends) or ends[-1] <= 0:
        return
    even = (np.arange(count) + 0.5) / max(count, 1) * ends[-1]
    for at in itertools.chain(even, random.uniform(0.0, ends[-1], TRIED_POSITIONS * count)):
        k = min(int(np.searchsorted(ends, at)), len(pieces) - 1)
        a, b = pieces[k]
        share = 1.0 - (ends[k] - at) / max(lengths[k], 1e-12)
        yield a + share * (b - a), float(np.arctan2(b[1] - a[1], b[0] - a[0]))


class GroundSurface:
    """Triangles (n, 3, 3) to stand on, seen from above, without those that are too steep or upside down."""

    def __init__(self, triangles: Array, detail: float) -> None:
        normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        lengths = np.linalg.norm(normals, axis=1)
        level = normals[:, 2] > MIN_UP_COSINE * np.maximum(lengths, 1e-30)
        self.triangles, self.areas = triangles[level], 0.5 * lengths[level]
        if self.area > 0:
            self._draw_map(detail)

    @property
    def area(self) -> float:
        """Total area of the triangles."""
        return float(self.areas.sum())

    def scatter(self, count: int, random: np.random.Generator) -> Iterator[Array]:
        """Yield random positions (3,), uniform over the area, TRIED_POSITIONS for each of `count`."""
        if self.area <= 0:
            return
        shares = self.areas / self.area
        for _ in range(TRIED_POSITIONS):
            chosen = self.triangles[random.choice(len(shares), count, p=shares)]
            u, v = random.random((2, count))
            u, v = np.where(u + v > 1.0, 1.0 - u, u), np.where(u + v > 1.0, 1.0 - v, v)
            yield from (
                chosen[:, 0] + u[:, None] * (chosen[:, 1] - chosen[:, 0]) + v[:, None] * (chosen[:, 2] - chosen[:, 0])
            )

    def covers(self, paths: Array) -> NDArray[np.bool_]:
        """Return a mask (K,) of paths (K, T, 2) that never leave the surface, to within a cell of its map."""
        at = np.floor((paths - self._corner) / self._cell).astype(int)
        inside = ((at >= 0) & (at < self._map.shape)).all(axis=2)
        at = at.clip(0, np.array(self._map.shape) - 1)
        covered = np.isfinite(self._map[at[..., 0], at[..., 1]])
        result: NDArray[np.bool_] = (inside & covered).all(axis=1)
        return result

    def heights(self, positions: Array) -> Array:
        """Return the height of the surface at positions (..., 2), interpolated between cells; NaN outside it."""
        at = (positions - self._corner) / self._cell - 0.5
        low = np.floor(at).astype(int)
        total, weights = np.zeros(positions.shape[:-1]), np.zeros(positions.shape[:-1])
        for step in itertools.product((0, 1), repeat=2):
            cell = low + step
            share = np.abs(1 - np.array(step) - (at - low)).prod(axis=-1)
            inside = ((cell >= 0) & (cell < self._map.shape)).all(axis=-1)
            cell = cell.clip(0, np.array(self._map.shape) - 1)
            height = self._map[cell[..., 0], cell[..., 1]]
            known = inside & np.isfinite(height)
            total += np.where(known, share * np.nan_to_num(height), 0.0)
            weights += known * share
        return np.where(weights > 1e-6, total / np.maximum(weights, 1e-6), np.nan)

    def _draw_map(self, detail: float) -> None:
        flat = self.triangles[..., :2]
        self._corner = flat.min(axis=(0, 1))
        extent = np.maximum(flat.max(axis=(0, 1)) - self._corner, 1e-9)
        self._cell = max(detail, float(np.sqrt(extent.prod() / MAX_CELLS)), float(extent.max()) / MAX_CELLS)
        self._map = np.full(np.ceil(extent / self._cell).astype(int).clip(1), np.nan)
        for triangle, heights in zip(flat, self.triangles[..., 2], strict=True):
            self._fill(triangle, heights)

    def _fill(self, triangle: Array, heights: Array) -> None:
        """Rasterise a triangle: set the height of the cells whose centres it covers, unless they are higher."""
        low = np.floor((triangle.min(axis=0) - self._corner) / self._cell).astype(int).clip(0)
        high = np.ceil((triangle.max(axis=0) - self._corner) / self._cell).astype(int).clip(None, self._map.shape)
        x = self._corner[0] + (np.arange(low[0], high[0]) + 0.5) * self._cell
        y = self._corner[1] + (np.arange(low[1], high[1]) + 0.5) * self._cell
        inside = np.ones((len(x), len(y)), dtype=bool)
        for a, b in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
            edge = b - a
            inside &= edge[0] * (y[None] - a[1]) - edge[1] * (x[:, None] - a[0]) >= -1e-9 * self._cell
        slope = np.linalg.solve(triangle[1:] - triangle[0], heights[1:] - heights[0])
        height = heights[0] + slope[0] * (x[:, None] - triangle[0, 0]) + slope[1] * (y[None] - triangle[0, 1])
        cells = self._map[low[0] : high[0], low[1] : high[1]]
        cells[inside] = np.fmax(cells[inside], height[inside])
