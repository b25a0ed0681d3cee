"""Walks over a tree that is given as the parent of each node, -1 for a root."""

from __future__ import annotations

from collections.abc import Sequence


class Tree:
    """Mixin for what has `parents`; nodes are numbers."""

    parents: Sequence[int]

    def ancestors(self, node: int) -> list[int]:
        """Nodes above a node, nearest first."""
        found: list[int] = []
        while self.parents[node] >= 0:
            node = self.parents[node]
            found.append(node)
        return found

    def subtree(self, node: int) -> list[int]:
        """A node and all nodes below it, in ascending order; parents must come before their children."""
        found = {node}
        for other in range(node + 1, len(self.parents)):
            if self.parents[other] in found:
                found.add(other)
        return sorted(found)

    def is_below(self, node: int, top: int) -> bool:
        """Whether a node lies below another one, itself excluded."""
        return node != top and top in self.ancestors(node)

    def children(self) -> list[list[int]]:
        """Children of each node, in ascending order."""
        found: list[list[int]] = [[] for _ in self.parents]
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(node)
        return found

    def depths(self) -> list[int]:
        """Number of ancestors of each node; parents must come before their children."""
        found: list[int] = []
        for parent in self.parents:
            found.append(found[parent] + 1 if parent >= 0 else 0)
        return found

    def depth_first(self, top: int = 0) -> list[int]:
        """A node and all nodes below it, each followed by what hangs from it, as in a BVH file."""
        children = self.children()
        order: list[int] = []
        waiting = [top]
        while waiting:
            order.append(waiting.pop())
            waiting.extend(reversed(children[order[-1]]))
        return order
