"""Who joins a crowd: of many candidates the set whose closest two are furthest apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..evaluation.metrics import local_diversity, rotation_features
from ..motion.motion import Motion
from ..numeric.rotation import Array

Pairs = Sequence[tuple[int, int]]

NEAR = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Shares of the candidates, those nearest to the source, that are chosen from in turn. Who is furthest from all others
may be so for moving as the source never does."""

MANY = 40
"""Members above which one share, USUAL, is looked at: of so many some are always close to each other."""

USUAL = 0.55

CLOSEST = 40
"""Closest pairs of a choice that are measured before it is made anew."""

LAPS = 200
"""Exchanges after which a choice is good enough."""

ROUNDS = 6
"""Times at most that the closest of a choice are measured exactly and exchanged."""


def choose_members(distances: Array, away: Array, count: int, exact: Callable[[Pairs], Sequence[float]]) -> list[int]:
    """Rows of `count` candidates no two of which are closer to each other than any is to the source, if it can be.

    `distances` (K, K) estimate how far apart all are; its last rows are the candidates, `away` (N,) from the source,
    the first ones neighbours that are there already. Of the sets that can be had from those nearest to the source, more
    or less of them, that is taken whose closest two are furthest apart beside its member furthest from the source.
    Then the closest pairs of it are measured by `exact` and exchanged, until those that are left have been measured.
    Distances are changed in place. Raises ValueError for more than there are.
    """
    known, order = len(distances) - len(away), away.argsort(kind="stable")
    seen = np.zeros(distances.shape, dtype=bool)
    options = []
    for share in NEAR if count <= MANY else (USUAL,):
        likely = np.sort(order[: max(count, round(share * len(away)))])
        rows = np.concatenate([np.arange(known), known + likely])
        chosen = _measured(distances, seen, rows, count, known, exact)
        everyone = [*range(known), *chosen]
        furthest = float(away[np.array(chosen) - known].max())
        options.append((smallest_distance(distances[np.ix_(everyone, everyone)]) / max(furthest, 1e-9), chosen))
        if options[-1][0] >= 1.0:
            break  # who is further off would only be stranger
    return max(options)[1]


def _measured(
    distances: Array,
    seen: NDArray[np.bool_],
    rows: Array,
    count: int,
    known: int,
    exact: Callable[[Pairs], Sequence[float]],
) -> list[int]:
    """A choice among some rows, made anew while what is closest in it turns out closer than was thought; `seen` (K, K)
    are the pairs that have been measured."""
    chosen: list[int] = []
    for _ in range(ROUNDS):
        chosen = [int(rows[row]) for row in choose_apart(distances[np.ix_(rows, rows)], count, known)]
        everyone = [*range(known), *chosen]
        closest = closest_pairs(distances[np.ix_(everyone, everyone)], CLOSEST)
        pairs = [(everyone[a], everyone[b]) for a, b in closest]
        new = [pair for pair in pairs if not seen[pair] and max(pair) >= known]
        if not new:
            break
        for (one, other), value in zip(new, exact(new), strict=True):
            distances[one, other] = distances[other, one] = value
            seen[one, other] = seen[other, one] = True
    return chosen


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
    columns = apart[:, chosen]
    free = np.ones(len(apart), dtype=bool)
    free[chosen] = False
    for _ in range(LAPS):
        among = columns[chosen]
        one, other = divmod(int(among.argmin()), len(chosen))
        options = []
        for place in (one, other):
            if place >= taken and free.any() and len(chosen) > 1:
                before, after = columns[:, :place], columns[:, place + 1 :]
                reach = np.minimum(before.min(axis=1, initial=np.inf), after.min(axis=1, initial=np.inf))
                row = int(np.where(free, reach, -np.inf).argmax())
                options.append((float(reach[row]), place, row))
        if not options or max(options)[0] <= among[one, other]:
            return
        _, place, row = max(options)
        free[chosen[place]], free[row] = True, False
        chosen[place] = row
        columns[:, place] = apart[:, row]


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
