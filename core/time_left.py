"""How long a training still takes: what an iteration of each level costs, and how fast the machine is just now."""

from __future__ import annotations

import math
from collections.abc import Sequence

MEMORY = 20.0
"""Seconds over which the pace is averaged: long enough for one slow moment, short enough for another program."""


class TimeLeft:
    """Estimates from the levels' costs, in any unit they share, and from the seconds of the latest iterations.

    `starts` are the costs of starting each level, in the unit of an iteration's.
    """

    def __init__(self, iterations: Sequence[int], costs: Sequence[float], starts: Sequence[float]) -> None:
        self.iterations = list(iterations)
        self.costs, self.starts = list(costs), list(starts)
        self.level = 0
        self.runs = 0
        self.recent = 0.0
        """Seconds of an iteration of the present level, averaged."""

    def learn(self, costs: Sequence[float], starts: Sequence[float]) -> None:
        """Replace the costs by better ones, in whatever unit."""
        self.costs, self.starts = list(costs), list(starts)

    def ran(self, level: int, seconds: float) -> None:
        """An iteration of a level took this long, the start of the level not counted."""
        if level != self.level:
            self.recent *= self.costs[level] / self.costs[self.level]
            self.level = level
        # The very first one also waits for libraries and compilers, and is forgotten at the next.
        weight = max(1.0 / max(1, self.runs), 1.0 - math.exp(-seconds / MEMORY))
        self.runs += 1
        self.recent += weight * (seconds - self.recent)

    def seconds(self, level: int, iterations: int) -> float:
        """For so many more iterations of a level and all of those above it."""
        pace = self.recent / self.costs[self.level]
        above = range(level + 1, len(self.iterations))
        rest = sum(self.starts[k] + self.iterations[k] * self.costs[k] for k in above)
        return pace * (iterations * self.costs[level] + rest)
