"""Tree traversal, for trees given by the parent of each node, -1 for a root."""

from __future__ import annotations

from collections.abc import Sequence


class Tree:
    """Mixin for classes with `parents`; nodes are indices."""

    parents: Sequence[int]

    def ancestors(self, node: int) -> list[int]:
        """Return the nodes above a node, nearest first."""
        above: list[int] = []
        while self.parents[node] >= 0:
            node = self.parents[node]
            above.append(node)
        return above

    def subtree(self, node: int) -> list[int]:
        """Return a node and all nodes below it, in ascending order; parents must come before their children."""
        nodes = {node}
        for other in range(node + 1, len(self.parents)):
            if self.parents[other] in nodes:
                nodes.add(other)
        return sorted(nodes)

    def is_below(self, node: int, top: int) -> bool:
        """Return true if `node` is a proper descendant of `top`."""
        return node != top and top in self.ancestors(node)

    def children(self) -> list[list[int]]:
        """Return the children of each node, in ascending order."""
        children: list[list[int]] = [[] for _ in self.parents]
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                children[parent].append(node)
        return children

    def depths(self) -> list[int]:
        """Return the number of ancestors of each node; parents must come before their children."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(depths[parent] + 1 if parent >= 0 else 0)
        return depths

    def depth_first(self, top: int = 0) -> list[int]:
        """Return a node and its descendants in depth-first order, as in a BVH file."""
        children = self.children()
        order: list[int] = []
        waiting = [top]
        while waiting:
            order.append(waiting.pop())
            waiting.extend(reversed(children[order[-1]]))
        return order
