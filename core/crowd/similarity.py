"""Similarity of coarse samples: distances between half-second windows, without regard to their times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..evaluation.novelty import principal_poses
from ..numeric.distances import RowDistances, nearest_windows
from ..numeric.matrix_product import matrix_product
from ..numeric.rotation import Array

WINDOW_SECONDS = 0.5
"""Length of a window in seconds, as in local diversity."""

WINDOW_POSES = 3
"""Poses that describe a window."""

MAX_DIRECTIONS = 48
"""Largest number of principal directions of windows."""

MEASURED_PAIRS = 48
"""Random pairs measured exactly to estimate the part of distances that descriptors lack."""

Run = Callable[[Callable[[Any], Any], Any], Iterable[Any]]
"""Mapper of a function over items, such as `map` or `on_all_cores`."""


@dataclass(frozen=True, eq=False)
class Descriptors:
    """Motions (K, T, C) at the descriptor's rate, and their windows projected: `views` (K, windows, directions)."""

    motions: NDArray[np.float32]
    views: NDArray[np.float32]

    def pick(self, rows: Sequence[int]) -> Descriptors:
        """Return the descriptors of these rows."""
        return Descriptors(self.motions[list(rows)], self.views[list(rows)])

    def joined_with(self, other: Descriptors) -> Descriptors:
        """Concatenate two sets of descriptors."""
        return Descriptors(np.concatenate([self.motions, other.motions]), np.concatenate([self.views, other.views]))


class WindowDescriptor:
    """Comparison of motions by half-second windows, projected on the source's principal directions.

    A distance is the mean distance of the windows of one motion to the nearest windows of the other: an approximation
    of local diversity at a hundredth of its cost. `source` is (T, C) at `rate` rows per second.
    """

    def __init__(self, source: Array, rate: float) -> None:
        self.window = max(2, round(WINDOW_SECONDS * rate))
        self._poses = principal_poses(source).astype(np.float32)
        self._centre = source.mean(axis=0).astype(np.float32) @ self._poses
        windows = self._windows(source[None].astype(np.float32))[0]
        self._directions = principal_poses(windows.astype(np.float64))[:, :MAX_DIRECTIONS].astype(np.float32)
        self._source = source

    def describe(self, motions: Array) -> Descriptors:
        """Describe motions (K, T, C) at the descriptor's rate."""
        single = motions.astype(np.float32)
        return Descriptors(single, matrix_product(self._windows(single), self._directions))

    def _windows(self, motions: NDArray[np.float32]) -> NDArray[np.float32]:
        poses = matrix_product(motions, self._poses) - self._centre
        count = poses.shape[1] - self.window + 1
        if count < 1:
            raise ClipError(f"The motions are shorter than {WINDOW_SECONDS} s; they cannot be compared.")
        taps = np.linspace(0, self.window - 1, WINDOW_POSES).round().astype(int)
        windows: NDArray[np.float32] = np.concatenate([poses[:, tap : tap + count] for tap in taps], axis=2)
        return windows * np.float32(WINDOW_POSES**-0.5)

    def from_source(self, motion: NDArray[np.float32]) -> float:
        """Return the local diversity of a motion (T, C) relative to the source, at this rate."""
        return self._local_diversity(self._source, motion)

    def exact(self, seen: Descriptors, pair: tuple[int, int]) -> float:
        """Return the local diversity between two of the motions, the smaller of its two directions."""
        one, other = (seen.motions[row] for row in pair)
        return min(self._local_diversity(one, other), self._local_diversity(other, one))

    def _local_diversity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        return float(nearest_windows(RowDistances(other, one), self.window).mean())

    def estimates(self, seen: Descriptors, run: Run = map) -> Array:
        """Return `distances` (K, K) plus a constant in the square: the mean error of MEASURED_PAIRS random pairs."""
        distances = self.distances(seen.views, run)
        random = np.random.default_rng(len(distances))
        pairs = [tuple(random.choice(len(distances), 2, replace=False)) for _ in range(MEASURED_PAIRS)]
        exact = np.array(list(run(lambda pair: self.exact(seen, pair), pairs)))
        residual = float(np.mean(exact**2 - np.array([distances[pair] for pair in pairs]) ** 2))
        guess = np.sqrt(distances**2 + max(residual, 0.0))
        guess[np.eye(len(guess), dtype=bool)] = 0.0
        return guess

    def distances(self, views: NDArray[np.float32], run: Run = map) -> Array:
        """Return the distance of all pairs (K, K), the smaller of the two directions of a pair.

        `run` maps a function over items, for instance on all cores.
        """
        step = max(1, self.window // 2)
        targets = views[:, ::step]
        flat = np.ascontiguousarray(targets.reshape(-1, targets.shape[2]).T)
        squares = (flat * flat).sum(0)

        def from_one(view: NDArray[np.float32]) -> Array:
            partial = squares - 2.0 * matrix_product(view, flat)
            nearest = partial.reshape(len(view), len(views), -1).min(axis=2) + (view * view).sum(1)[:, None]
            mean: Array = np.sqrt(np.maximum(nearest, 0.0)).mean(axis=0)
            return mean

        directed = np.array(list(run(from_one, targets[:, ::2])), dtype=np.float64).reshape(len(views), len(views))
        return np.minimum(directed, directed.T)
