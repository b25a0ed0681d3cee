"""Selection of crowd members: max-min sets, whose smallest pairwise distance is as large as possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..evaluation.metrics import local_diversity, rotation_features
from ..motion.motion import Motion
from ..numeric.rotation import Array

Pairs = Sequence[tuple[int, int]]
"""Pairs of rows of a distance matrix."""

SOURCE_SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Fractions of the candidates to choose from, nearest to the source first: outliers are often implausible motions."""

MAX_COMPARED_MEMBERS = 40
"""Largest number of members for which all SOURCE_SHARES are compared; of more members some are always similar."""

SINGLE_SHARE = 0.55
"""Fraction of the candidates used for more than MAX_COMPARED_MEMBERS members."""

MEASURED_PAIRS = 40
"""Closest pairs of a set that are measured exactly before choosing again."""

MAX_EXCHANGES = 200
"""Largest number of exchanges in improving a set."""

MAX_ROUNDS = 6
"""Largest number of rounds of measuring and choosing again."""


def choose_members(distances: Array, away: Array, count: int, exact: Callable[[Pairs], Sequence[float]]) -> list[int]:
    """Choose `count` candidates that are further from each other than from the source, if possible; return their rows.

    `distances` (K, K) are estimates; the first rows are existing neighbours, the last N rows candidates with distances
    `away` (N,) from the source. For each fraction in SOURCE_SHARES, choose a max-min set; return the set with the
    largest ratio of its smallest pairwise distance to its largest distance from the source. The closest pairs of a set
    are measured by `exact` and the set is chosen again, until its closest pairs are all measured; `distances` is
    updated in place. Raises ValueError for more than N members.
    """
    known, order = len(distances) - len(away), away.argsort(kind="stable")
    seen = np.zeros(distances.shape, dtype=bool)
    options = []
    for share in SOURCE_SHARES if count <= MAX_COMPARED_MEMBERS else (SINGLE_SHARE,):
        likely = np.sort(order[: max(count, round(share * len(away)))])
        rows = np.concatenate([np.arange(known), known + likely])
        chosen = _measured(distances, seen, rows, count, known, exact)
        everyone = [*range(known), *chosen]
        furthest = float(away[np.array(chosen) - known].max())
        options.append((smallest_distance(distances[np.ix_(everyone, everyone)]) / max(furthest, 1e-9), chosen))
        if options[-1][0] >= 1.0:
            break  # a larger share only adds outliers
    return max(options)[1]


def _measured(
    distances: Array,
    seen: NDArray[np.bool_],
    rows: Array,
    count: int,
    known: int,
    exact: Callable[[Pairs], Sequence[float]],
) -> list[int]:
    """Choose a max-min set among `rows`, measuring its closest pairs and choosing again until all are measured.

    `seen` (K, K) marks measured pairs.
    """
    chosen: list[int] = []
    for _ in range(MAX_ROUNDS):
        chosen = [int(rows[row]) for row in choose_apart(distances[np.ix_(rows, rows)], count, known)]
        everyone = [*range(known), *chosen]
        closest = closest_pairs(distances[np.ix_(everyone, everyone)], MEASURED_PAIRS)
        pairs = [(everyone[a], everyone[b]) for a, b in closest]
        new = [pair for pair in pairs if not seen[pair] and max(pair) >= known]
        if not new:
            break
        for (one, other), value in zip(new, exact(new), strict=True):
            distances[one, other] = distances[other, one] = value
            seen[one, other] = seen[other, one] = True
    return chosen


def choose_apart(distances: Array, count: int, taken: int = 0) -> list[int]:
    """Choose `count` candidates with a large smallest pairwise distance; return their rows in the order of choice.

    `distances` (K, K) is symmetric; its first `taken` rows are existing neighbours, which are not returned. Greedy:
    always add the candidate furthest from all chosen ones, then exchange one of the closest pair while that helps.
    Raises ValueError for more than there are.
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
    """Return one of the two candidates that are furthest apart."""
    return int(np.where(np.isfinite(apart), apart, -np.inf).max(axis=1).argmax())


def _exchange(apart: Array, chosen: list[int], taken: int) -> None:
    """Exchange members of the closest pair for candidates further from all others, in place."""
    columns = apart[:, chosen]
    free = np.ones(len(apart), dtype=bool)
    free[chosen] = False
    for _ in range(MAX_EXCHANGES):
        among = columns[chosen]
        one, other = divmod(int(among.argmin()), len(chosen))
        options = []
        for index in (one, other):
            if index >= taken and free.any() and len(chosen) > 1:
                before, after = columns[:, :index], columns[:, index + 1 :]
                nearest = np.minimum(before.min(axis=1, initial=np.inf), after.min(axis=1, initial=np.inf))
                row = int(np.where(free, nearest, -np.inf).argmax())
                options.append((float(nearest[row]), index, row))
        if not options or max(options)[0] <= among[one, other]:
            return
        _, index, row = max(options)
        free[chosen[index]], free[row] = True, False
        chosen[index] = row
        columns[:, index] = apart[:, row]


def smallest_distance(distances: Array) -> float:
    """Return the smallest entry off the diagonal; infinite for fewer than two rows."""
    if len(distances) < 2:
        return float("inf")
    return float(distances[~np.eye(len(distances), dtype=bool)].min())


def closest_pairs(distances: Array, count: int) -> list[tuple[int, int]]:
    """Return the `count` closest pairs of rows of distances (K, K), closest first."""
    rows, columns = np.triu_indices(len(distances), 1)
    order = np.argsort(distances[rows, columns])[:count]
    return [(int(rows[k]), int(columns[k])) for k in order]


def local_distance(one: Motion, other: Motion) -> float:
    """Return the local diversity between two motions of one rate on rotations, the smaller of its two directions."""
    a, b = rotation_features(one), rotation_features(other)
    return min(local_diversity(a, b), local_diversity(b, a))


def from_source(motion: Motion, source: Motion) -> float:
    """Return the local diversity of a motion relative to the source, on rotations."""
    return local_diversity(rotation_features(source), rotation_features(motion))
