"""How members of a crowd are compared before they are finished: by half-second windows, whenever those come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..evaluation.novelty import principal_poses
from ..numeric.distances import RowDistances, nearest_windows
from ..numeric.rotation import Array

WINDOW = 0.5
"""Seconds of a window, as in the measure of local diversity."""

TAPS = 3
"""Poses by which a window is known."""

DIRECTIONS = 48
"""Directions of windows that are compared; those of most variance."""

SAMPLES = 48
"""Pairs that are measured exactly to know what the lens does not see."""

Run = Callable[[Callable[[Any], Any], Any], Iterable[Any]]


@dataclass(frozen=True, eq=False)
class Descriptors:
    """Motions (K, T, C) at the lens's rate, and what the lens shows of them (K, windows, directions)."""

    motions: NDArray[np.float32]
    views: NDArray[np.float32]

    def pick(self, rows: Sequence[int]) -> Descriptors:
        return Descriptors(self.motions[list(rows)], self.views[list(rows)])

    def and_then(self, other: Descriptors) -> Descriptors:
        return Descriptors(np.concatenate([self.motions, other.motions]), np.concatenate([self.views, other.views]))


class WindowDescriptor:
    """How motions are compared: windows of half a second, seen along the directions in which the source's vary most.

    A distance is the mean, over the windows of one motion, of how far the nearest window of the other is, whenever that
    comes: an approximation of local diversity that costs a hundredth of it. `source` is (T, C) at `rate` rows/s.
    """

    def __init__(self, source: Array, rate: float) -> None:
        self.window = max(2, round(WINDOW * rate))
        self._poses = principal_poses(source).astype(np.float32)
        self._centre = source.mean(axis=0).astype(np.float32) @ self._poses
        windows = self._windows(source[None].astype(np.float32))[0]
        self._directions = principal_poses(windows.astype(np.float64))[:, :DIRECTIONS].astype(np.float32)
        self._source = source

    def see(self, motions: Array) -> Descriptors:
        """What is compared of motions (K, T, C) at the lens's rate."""
        seen = motions.astype(np.float32)
        return Descriptors(seen, self._windows(seen) @ self._directions)

    def _windows(self, motions: NDArray[np.float32]) -> NDArray[np.float32]:
        poses = motions @ self._poses - self._centre
        count = poses.shape[1] - self.window + 1
        if count < 1:
            raise ClipError(f"The motions are shorter than {WINDOW} s; they cannot be compared.")
        taps = np.linspace(0, self.window - 1, TAPS).round().astype(int)
        windows: NDArray[np.float32] = np.concatenate([poses[:, tap : tap + count] for tap in taps], axis=2)
        return windows * np.float32(TAPS**-0.5)

    def from_source(self, motion: NDArray[np.float32]) -> float:
        """How far the windows of a motion (T, C) are from the nearest of the source: local diversity at this rate."""
        return self._apart(self._source, motion)

    def exact(self, seen: Descriptors, pair: tuple[int, int]) -> float:
        """Local diversity between two of the motions, the smaller of its two directions."""
        one, other = (seen.motions[row] for row in pair)
        return min(self._apart(one, other), self._apart(other, one))

    def _apart(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        return float(nearest_windows(RowDistances(other, one), self.window).mean())

    def estimates(self, seen: Descriptors, run: Run = map) -> Array:
        """As `distances`, with what the lens does not see added: as much for all as it is in some pairs."""
        distances = self.distances(seen.views, run)
        random = np.random.default_rng(len(distances))
        pairs = [tuple(random.choice(len(distances), 2, replace=False)) for _ in range(SAMPLES)]
        exact = np.array(list(run(lambda pair: self.exact(seen, pair), pairs)))
        unseen = float(np.mean(exact**2 - np.array([distances[pair] for pair in pairs]) ** 2))
        guess = np.sqrt(distances**2 + max(unseen, 0.0))
        guess[np.eye(len(guess), dtype=bool)] = 0.0
        return guess

    def distances(self, views: NDArray[np.float32], run: Run = map) -> Array:
        """Distance of each view to each (K, K): the smaller of the two ways to look at a pair.

        `run` maps a function over parts of the work, on several cores perhaps.
        """
        near = max(1, self.window // 2)
        targets = views[:, ::near]
        flat = np.ascontiguousarray(targets.reshape(-1, targets.shape[2]).T)
        squares = (flat * flat).sum(0)

        def from_one(view: NDArray[np.float32]) -> Array:
            apart = squares - 2.0 * (view @ flat)
            nearest = apart.reshape(len(view), len(views), -1).min(axis=2) + (view * view).sum(1)[:, None]
            mean: Array = np.sqrt(np.maximum(nearest, 0.0)).mean(axis=0)
            return mean

        there = np.array(list(run(from_one, targets[:, ::2])), dtype=np.float64).reshape(len(views), len(views))
        return np.minimum(there, there.T)
