"""What an iteration of each level costs on this machine, found by doing one on networks made for the purpose."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from ..model.recipe import rows_an_iteration
from .level import bank_size, iterate_stages
from .stage_io import StageInputs

if TYPE_CHECKING:
    from .train import Training


ROUNDS = 2


LONG = 1.0
"""Seconds of an iteration that need not be repeated: what only a first one does takes no tenth of them."""


def guessed_costs(training: Training) -> list[float]:
    """Frames that an iteration of each level passes through networks, those of fresh samples from below included."""
    recipe, lengths = training.recipe, training.pyramid.lengths
    costs = []
    for level in range(recipe.levels):
        first = recipe.first_stage(level)
        own = sum(rows_an_iteration(recipe, lengths, first + k) for k in range(recipe.stages[level]))
        fresh = 0 if recipe.bank else (recipe.critic_steps + 1) * recipe.batch[level] * sum(lengths[:first])
        costs.append(own + fresh)
    return costs


def guessed_starts(training: Training) -> list[float]:
    """Frames that pass through the frozen levels before each level begins."""
    recipe, lengths = training.recipe, training.pyramid.lengths
    firsts = [recipe.first_stage(level) for level in range(recipe.levels)]
    return [
        bank_size(recipe.bank, lengths[first]) * sum(lengths[:first]) if recipe.bank and first else 0
        for first in firsts
    ]


def measured_costs(training: Training) -> tuple[list[float], list[float]]:
    """Seconds of an iteration and of the start of each level. Raises TrainingStopped.

    What is trained stays as it is: networks, samples and random numbers are made for this and thrown away.
    """
    recipe, lengths = training.recipe, training.pyramid.lengths
    guesses = guessed_costs(training)
    costs = []
    for level, guess in enumerate(guesses):
        first = recipe.first_stage(level)
        own = sum(rows_an_iteration(recipe, lengths, first + k) for k in range(recipe.stages[level]))
        costs.append(_iteration_seconds(training, level) * guess / own)
    a_row = sum(cost / guess for cost, guess in zip(costs, guesses, strict=True)) / len(costs)
    return costs, [a_row * start for start in guessed_starts(training)]


def _iteration_seconds(training: Training, level: int) -> float:
    """Seconds of an iteration of a level on random input, the least of a few."""
    recipe = training.recipe
    first = recipe.first_stage(level)
    stages = training.fresh_stages(range(first, first + recipe.stages[level]))
    random = torch.Generator().manual_seed(0)
    feeds = []
    for stage in stages:
        shape = (recipe.batch[level], stage.real.shape[1], stage.rows)
        bases = [torch.randn(shape, generator=random).to(training.device) for _ in range(recipe.critic_steps + 1)]
        feeds.append(StageInputs(bases, torch.randn(stage.real.shape, generator=random).to(training.device)))
    laps = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        results = iterate_stages(training.workers, training.check_cancelled, stages, feeds)
        results[-1][1].sum().item()  # waits for the device
        laps.append(time.perf_counter() - started)
        if laps[-1] > LONG:
            break
    return min(laps)


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
