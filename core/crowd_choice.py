"""Who joins a crowd: of many candidates the set whose closest two are furthest apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ClipError
from .metrics import local_diversity, rotation_features
from .motion import Motion
from .novelty import principal_poses
from .rotation import Array

WINDOW = 0.5
"""Seconds of a window, as in the measure of local diversity."""

NEAR = 0.6
"""Share of the candidates that is chosen from: those nearest to the source. Who is furthest from all others may be so
for moving as the source never does."""

TAPS = 3
"""Poses by which a window is known."""

DIRECTIONS = 16
"""Directions of windows that are compared; those of most variance."""

LAPS = 200
"""Exchanges after which a choice is good enough."""


Run = Callable[[Callable[[Any], Any], Any], Iterable[Any]]


class Lens:
    """How motions are compared: windows of half a second, seen along the directions in which the source's vary most.

    A distance is the mean, over the windows of one motion, of how far the nearest window of the other is, whenever that
    comes: a close approximation of local diversity that costs a hundredth of it. `source` is (T, C) at `rate` rows/s.
    """

    def __init__(self, source: Array, rate: float) -> None:
        self.window = max(2, round(WINDOW * rate))
        self._poses = principal_poses(source).astype(np.float32)
        self._centre = source.mean(axis=0).astype(np.float32) @ self._poses
        windows = self._windows(source[None].astype(np.float32))[0]
        self._directions = principal_poses(windows.astype(np.float64))[:, :DIRECTIONS].astype(np.float32)
        self._source = windows @ self._directions

    def view(self, motions: Array) -> NDArray[np.float32]:
        """What is compared of motions (K, T, C) at the lens's rate: (K, windows, directions)."""
        return self._windows(motions.astype(np.float32)) @ self._directions

    def _windows(self, motions: NDArray[np.float32]) -> NDArray[np.float32]:
        poses = motions @ self._poses - self._centre
        count = poses.shape[1] - self.window + 1
        if count < 1:
            raise ClipError(f"The motions are shorter than {WINDOW} s; they cannot be compared.")
        taps = np.linspace(0, self.window - 1, TAPS).round().astype(int)
        windows: NDArray[np.float32] = np.concatenate([poses[:, tap : tap + count] for tap in taps], axis=2)
        return windows * np.float32(TAPS**-0.5)

    def from_source(self, views: NDArray[np.float32]) -> Array:
        """How far the windows of each view (K,) are from the nearest of the source, on the whole."""
        squares = (self._source * self._source).sum(1)
        apart = [squares - 2.0 * (view @ self._source.T) + (view * view).sum(1)[:, None] for view in views]
        return np.array([np.sqrt(np.maximum(one.min(axis=1), 0.0)).mean() for one in apart], dtype=np.float64)

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


def choose_apart(distances: Array, count: int, taken: int = 0) -> list[int]:
    """Rows of `count` candidates whose smallest mutual distance is as great as can be found, in the order of choice.

    `distances` (K, K) is symmetric; its first `taken` rows are there already, count as neighbours and are not returned.
    Always the candidate furthest from all chosen so far is added, then one of the closest two is exchanged as
    long as that helps. Raises ValueError for more than there are.
    """
    total = len(distances)
    if count > total - taken:
        raise ValueError("There are fewer candidates than are to be chosen.")
    if count == 0:
        return []
    apart = np.where(np.eye(total, dtype=bool), np.inf, distances)
    chosen = list(range(taken)) or [_start(apart)]
    nearest = apart[chosen].min(axis=0)
    while len(chosen) < count + taken:
        free = np.ones(total, dtype=bool)
        free[chosen] = False
        best = int(np.where(free, nearest, -np.inf).argmax())
        chosen.append(best)
        nearest = np.minimum(nearest, apart[best])
    _exchange(apart, chosen, taken)
    return chosen[taken:]


def _start(apart: Array) -> int:
    """One of the two candidates that are furthest apart."""
    return int(np.where(np.isfinite(apart), apart, -np.inf).max(axis=1).argmax())


def _exchange(apart: Array, chosen: list[int], taken: int) -> None:
    """Exchange members of the closest pair for candidates that stand further off, in place."""
    for _ in range(LAPS):
        among = apart[chosen][:, chosen]
        one, other = divmod(int(among.argmin()), len(chosen))
        smallest = among[one, other]
        free = np.setdiff1d(np.arange(len(apart)), chosen)
        options = []
        for place in (one, other):
            if place >= taken and len(free) and len(chosen) > 1:
                rest = [row for index, row in enumerate(chosen) if index != place]
                reach = apart[free][:, rest].min(axis=1)
                options.append((float(reach.max()), int(place), int(free[reach.argmax()])))
        if not options or max(options)[0] <= smallest:
            return
        _, place, row = max(options)
        chosen[place] = row


def smallest_distance(distances: Array) -> float:
    """The smallest entry off the diagonal; infinite for fewer than two rows."""
    if len(distances) < 2:
        return float("inf")
    return float(distances[~np.eye(len(distances), dtype=bool)].min())


def closest_pairs(distances: Array, count: int) -> list[tuple[int, int]]:
    """The `count` closest pairs of rows (K, K), closest first."""
    rows, columns = np.triu_indices(len(distances), 1)
    order = np.argsort(distances[rows, columns])[:count]
    return [(int(rows[k]), int(columns[k])) for k in order]


def local_distance(one: Motion, other: Motion) -> float:
    """Local diversity between two motions of one rate, on rotations, the smaller of its two directions."""
    a, b = rotation_features(one), rotation_features(other)
    return min(local_diversity(a, b), local_diversity(b, a))


def from_source(motion: Motion, source: Motion) -> float:
    """Local diversity: how far a motion's windows are from the nearest of the source, on rotations."""
    return local_diversity(rotation_features(source), rotation_features(motion))
