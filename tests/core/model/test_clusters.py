"""Clusters of groups, beside a plain search for the merger that gains most."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.model.clusters import CALL_COST, Cluster, cluster_order, find_clusters


def limbs(groups: int, seed: int = 0) -> NDArray[np.bool_]:
    """Neighbours within distance 2 in a random tree."""
    random = np.random.default_rng(seed)
    edges = np.eye(groups, dtype=bool)
    for group in range(1, groups):
        parent = int(random.integers(max(0, group - 4), group))
        edges[group, parent] = edges[parent, group] = True
    near: NDArray[np.bool_] = (edges.astype(int) @ edges.astype(int)) > 0
    return near


def searched(near: NDArray[np.bool_], adjacent_only: bool) -> list[Cluster]:
    """All mergers are tried again after each."""
    parts = [({g}, set(np.flatnonzero(row).tolist())) for g, row in enumerate(near)]
    while len(parts) > 1:
        gains = {
            (a, b): len(parts[a][0]) * len(parts[a][1])
            + len(parts[b][0]) * len(parts[b][1])
            - len(parts[a][0] | parts[b][0]) * len(parts[a][1] | parts[b][1])
            for a in range(len(parts))
            for b in range(a + 1, len(parts))
            if b == a + 1 or not adjacent_only
        }
        a, b = max(gains, key=lambda pair: (gains[pair], -pair[0], -pair[1]))
        if gains[a, b] + CALL_COST <= 0:
            break
        parts[a] = (parts[a][0] | parts[b][0], parts[a][1] | parts[b][1])
        del parts[b]
    return [Cluster(tuple(sorted(outputs)), tuple(sorted(inputs))) for outputs, inputs in parts]


@pytest.mark.parametrize("groups", [1, 2, 7, 24, 40])
def test_clusters_are_those_of_a_plain_search(groups: int) -> None:
    near = limbs(groups, seed=groups)
    assert find_clusters(near) == searched(near, adjacent_only=True)
    assert cluster_order(near) == [group for one in searched(near, adjacent_only=False) for group in one.outputs]


def test_hundreds_of_groups_are_ordered() -> None:
    order = cluster_order(limbs(600))
    assert sorted(order) == list(range(600))
