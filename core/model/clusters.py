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
    """Merge the two clusters that gain most, and again, while a merger gains more than a product costs."""
    seen = near.astype(np.float64)  # inputs of each cluster; whole numbers, so that sums are exact
    inputs, outputs = seen.sum(1), np.ones(len(near))
    members = [[group] for group in range(len(near))]

    def gains_of(cluster: int) -> NDArray[np.float64]:
        """Return the pairs that are saved by merging a cluster with each; the union of inputs is what both see."""
        union = inputs[cluster] + inputs - seen @ seen[cluster]
        return outputs[cluster] * inputs[cluster] + outputs * inputs - (outputs[cluster] + outputs) * union

    left = np.arange(len(near))
    gains = np.array([gains_of(cluster) for cluster in left])
    gains[np.tril_indices(len(near))] = -np.inf
    while len(left) > 1:
        if adjacent_only:
            number = int(gains[left[:-1], left[1:]].argmax())
            one, other = int(left[number]), int(left[number + 1])
        else:
            one, other = (int(index) for index in np.unravel_index(gains.argmax(), gains.shape))
        if gains[one, other] + call_cost <= 0:
            break
        members[one] += members[other]
        seen[one] = np.maximum(seen[one], seen[other])
        inputs[one], outputs[one] = seen[one].sum(), outputs[one] + outputs[other]
        gains[other], gains[:, other] = -np.inf, -np.inf
        left = left[left != other]
        new, after = gains_of(one), left > one
        gains[one, left[after]], gains[left[left < one], one] = new[left[after]], new[left[left < one]]
    return [Cluster(tuple(sorted(members[k])), tuple(np.flatnonzero(seen[k]).tolist())) for k in left.tolist()]
