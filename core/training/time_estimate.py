"""The time that a training takes: what an iteration of each level costs, and how fast the machine is just now."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..model.recipe import FAST, Recipe, rows_per_iteration, rows_per_training
from .level import bank_size
from .session import Session
from .stage import Stage
from .stage_io import StageInputs

Iterate = Callable[[Session, Sequence[Stage], Sequence[StageInputs]], list[tuple[list[Tensor], Tensor]]]
"""One iteration of some stages: `train.iterate_stages`."""

TIMED_ITERATIONS = 3
"""Iterations that are timed; the shortest counts, since the first one also waits for libraries and compilers."""

LONG_ITERATION_SECONDS = 1.0
"""Seconds of an iteration that is not repeated: what only a first one does takes no tenth of them."""

PACE_SECONDS = 20.0
"""Seconds over which the pace is averaged: long enough for one slow moment, short enough for another program."""


@dataclass(frozen=True)
class LevelCosts:
    """Costs of an iteration and of the start of each level, in a unit that they share."""

    iterations: tuple[float, ...]
    starts: tuple[float, ...]


def guessed_costs(recipe: Recipe, lengths: Sequence[int]) -> LevelCosts:
    """Costs in frames that pass through networks, those of frozen levels included."""
    iterations, starts = [], []
    for level in range(recipe.levels):
        first = recipe.first_stage(level)
        frozen = sum(lengths[:first])
        fresh = 0 if recipe.bank else (recipe.critic_steps + 1) * recipe.batch[level] * frozen
        iterations.append(_rows_of_level(recipe, lengths, level) + fresh)
        has_bank = recipe.bank and first and recipe.iterations[level]
        starts.append(float(bank_size(recipe.bank, lengths[first]) * frozen) if has_bank else 0.0)
    return LevelCosts(tuple(iterations), tuple(starts))


def measured_costs(session: Session, iterate: Iterate) -> LevelCosts:
    """Costs in seconds on this machine, 0 for an iteration of a level that has none. Raises Cancelled.

    The training stays as it is: networks, samples and random numbers are made for the measurement and thrown away.
    """
    recipe, lengths = session.recipe, session.pyramid.lengths
    guesses = guessed_costs(recipe, lengths)
    costs = [
        seconds_of_iteration(session, level, iterate) * guess / _rows_of_level(recipe, lengths, level)
        if recipe.iterations[level]
        else 0.0
        for level, guess in enumerate(guesses.iterations)
    ]
    trained = [cost / guess for cost, guess in zip(costs, guesses.iterations, strict=True) if cost]
    a_row = sum(trained) / len(trained)
    return LevelCosts(tuple(costs), tuple(a_row * start for start in guesses.starts))


def seconds_of_iteration(session: Session, level: int, iterate: Iterate) -> float:
    """Seconds of an iteration of a level's stages on random input, the least of a few. Raises Cancelled."""
    recipe = session.recipe
    stages = session.new_stages(session.stages_of_level(level))
    random = torch.Generator().manual_seed(0)
    inputs = []
    for stage in stages:
        shape = (recipe.batch[level], stage.real.shape[1], stage.rows)
        bases = [torch.randn(shape, generator=random).to(session.device) for _ in range(recipe.critic_steps + 1)]
        inputs.append(StageInputs(bases, torch.randn(stage.real.shape, generator=random).to(session.device)))
    laps = []
    for _ in range(TIMED_ITERATIONS):
        started = time.perf_counter()
        results = iterate(session, stages, inputs)
        results[-1][1].sum().item()  # waits for the device
        laps.append(time.perf_counter() - started)
        if laps[-1] > LONG_ITERATION_SECONDS:
            break
    return min(laps)


def probe_recipe(recipe: Recipe) -> Recipe:
    """The recipe with the batch and crop of `fast`, which is quick to time on any clip."""
    return replace(recipe, batch=FAST.batch, crop=FAST.crop, critic_steps=1, pool=0)


def expected_seconds(session: Session, recipe: Recipe, iterate: Iterate) -> float:
    """Seconds of a whole training with `recipe`, from an iteration of level 1; `session` is one of `probe_recipe`."""
    lengths = session.pyramid.lengths
    seconds = seconds_of_iteration(session, 0, iterate)
    return seconds * rows_per_training(recipe, lengths) / _rows_of_level(session.recipe, lengths, 0)


def _rows_of_level(recipe: Recipe, lengths: Sequence[int], level: int) -> float:
    first = recipe.first_stage(level)
    return sum(rows_per_iteration(recipe, list(lengths), first + k) for k in range(recipe.stages[level]))


class TimeLeft:
    """Estimates from the levels' costs and from the seconds of the latest iterations."""

    def __init__(self, iterations: Sequence[int], costs: LevelCosts) -> None:
        self.iterations, self.costs = list(iterations), costs
        self.level = 0
        self.runs = 0
        self.recent = 0.0
        """Seconds of an iteration of the present level, averaged."""

    def learn(self, costs: LevelCosts) -> None:
        """Replace the costs by better ones, in whatever unit."""
        self.costs = costs

    def ran(self, level: int, seconds: float) -> None:
        """Count an iteration of a level that took so many seconds, the start of the level not among them."""
        if level != self.level:
            self.recent *= self.costs.iterations[level] / self.costs.iterations[self.level]
            self.level = level
        # The very first one also waits for libraries and compilers, and is forgotten at the next.
        weight = max(1.0 / max(1, self.runs), 1.0 - math.exp(-seconds / PACE_SECONDS))
        self.runs += 1
        self.recent += weight * (seconds - self.recent)

    def seconds(self, level: int, iterations: int) -> float:
        """Seconds for so many more iterations of a level and all of those above it."""
        costs = self.costs
        pace = self.recent / costs.iterations[self.level]
        above = range(level + 1, len(self.iterations))
        rest = sum(costs.starts[k] + self.iterations[k] * costs.iterations[k] for k in above)
        return pace * (iterations * costs.iterations[level] + rest)
