"""Clusters of groups with similar inputs: a sparse skeleton-aware convolution becomes a few small dense products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CALL_COST = 12.0
"""Fixed cost of one product, in units of the multiplications of one pair of groups (measured, `bench/lab.md`)."""


@dataclass(frozen=True)
class Cluster:
    """Output groups that are computed together, with all input groups that any of them sees."""

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]

    @property
    def pairs(self) -> int:
        """Pairs of an output and an input group, all of which the product multiplies."""
        return len(self.outputs) * len(self.inputs)

    def merged(self, other: Cluster) -> Cluster:
        inputs = tuple(sorted({*self.inputs, *other.inputs}))
        return Cluster(tuple(sorted((*self.outputs, *other.outputs))), inputs)


def cluster_blocks(pairs: NDArray[Any], near: NDArray[np.bool_], cluster: Cluster) -> NDArray[np.float32]:
    """Return the weights (outputs, inputs, outside, inside, kernel) of a cluster, 0 where groups are no neighbours.

    `pairs` (P, outside, inside, kernel) are the weights of neighbouring pairs, row by row of `near`. The same array for
    all groups at once would take a thousand times the memory of `pairs` in a long chain.
    """
    index = np.cumsum(near).reshape(near.shape) - 1
    chosen = np.ix_(cluster.outputs, cluster.inputs)
    blocks = np.zeros((len(cluster.outputs), len(cluster.inputs), *pairs.shape[1:]), dtype=np.float32)
    blocks[near[chosen]] = pairs[index[chosen][near[chosen]]]
    return blocks


def one_cluster(near: NDArray[np.bool_]) -> list[Cluster]:
    """Return one cluster of all groups, a dense product; best where launches cost more than products (GPU)."""
    everything = tuple(range(len(near)))
    return [Cluster(everything, everything)]


def find_clusters(near: NDArray[np.bool_], call_cost: float = CALL_COST) -> list[Cluster]:
    """Partition the groups of a neighbour matrix (G, G) into consecutive runs, merged while that lowers the cost."""
    return _merge(near, call_cost, adjacent_only=True)


def cluster_order(near: NDArray[np.bool_]) -> list[int]:
    """Order the groups so that those of one cluster are consecutive; clusters are mostly limbs."""
    return [group for cluster in _merge(near, CALL_COST, adjacent_only=False) for group in cluster.outputs]


def _merge(near: NDArray[np.bool_], call_cost: float, adjacent_only: bool) -> list[Cluster]:
    parts = [Cluster((g,), tuple(np.nonzero(row)[0].tolist())) for g, row in enumerate(near)]
    while len(parts) > 1:
        pairs = [(a, b) for a in range(len(parts)) for b in range(a + 1, len(parts)) if b == a + 1 or not adjacent_only]
        gains = [parts[a].pairs + parts[b].pairs - parts[a].merged(parts[b]).pairs for a, b in pairs]
        best = int(np.argmax(gains))
        if gains[best] + call_cost <= 0:
            break
        a, b = pairs[best]
        parts[a] = parts[a].merged(parts[b])
        del parts[b]
    return parts
