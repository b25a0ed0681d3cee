"""How far a training is: progress, time left, and a copy of its state every few seconds."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from . import snapshot
from .checkpoint import Checkpoint
from .errors import ModelError
from .progress import Progress
from .recipe import rows_an_iteration
from .stage import Stage

if TYPE_CHECKING:
    from .train import LevelRun, Training

REPORT_EVERY = 0.2
"""Seconds between progress messages."""

SNAPSHOT_EVERY = 3.0
"""Seconds between copies of the state of the training: at most this much work is lost when it is stopped."""


class Clock:
    """Counts iterations, reports progress and estimates the time left from what the last ones cost."""

    def __init__(self, training: Training, on_progress: Callable[[Progress], None], started: float) -> None:
        recipe, lengths = training.recipe, training.pyramid.lengths
        self.training, self.on_progress, self.started = training, on_progress, started
        self.costs = [
            sum(rows_an_iteration(recipe, lengths, recipe.first_stage(level) + k) for k in range(recipe.stages[level]))
            for level in range(recipe.levels)
        ]
        self.iterations = recipe.iterations
        self.total = sum(cost * count for cost, count in zip(self.costs, self.iterations, strict=True))
        self.step, self.done, self.reported = 0, 0.0, 0.0
        self.begun, self.done_before, self.steps_before = time.perf_counter(), 0.0, 0
        self.history: list[dict[str, float]] = []

    def go_on(self, checkpoint: Checkpoint) -> int:
        """Count from where a checkpoint stands; returns its level, from 0. Raises ModelError where it has none."""
        self.step, self.history = checkpoint.step, list(checkpoint.history)
        level = next((k for k, end in enumerate(itertools.accumulate(self.iterations)) if self.step <= end), None)
        if level is None or level != checkpoint.state.get("level"):
            raise ModelError("The state of the training is damaged: its steps do not fit its recipe.")
        self.done = sum(c * n for c, n in zip(self.costs[:level], self.iterations, strict=False))
        self.done += self.costs[level] * (self.iterations[level] - self.left_of(level))
        self.done_before, self.steps_before = self.done, self.step
        return level

    def left_of(self, level: int) -> int:
        """Iterations that a level still has to do."""
        return min(self.iterations[level], sum(self.iterations[: level + 1]) - self.step)

    def tick(self, level: int, stages: list[Stage]) -> None:
        """Count one iteration; report when a report is due; raise TrainingStopped when asked to stop."""
        self.step += 1
        self.done += self.costs[level]
        self.training.ask_stop()
        now = time.perf_counter()
        last = self.step == sum(self.iterations)
        if now - self.reported < REPORT_EVERY and not last:
            return
        self.reported = now
        losses = {key: sum(stage.losses.get(key, 0.0) for stage in stages) / len(stages)
                  for key in ("critic", "adversarial", "reconstruction", "contact")}  # fmt: skip
        self.history.append({"step": self.step, "level": level + 1, **losses})
        running = max(now - self.begun, 1e-6)
        left = running * (self.total - self.done) / (self.done - self.done_before)
        self.on_progress(Progress(
            level + 1, len(self.iterations), self.step, sum(self.iterations), self.done / self.total,
            now - self.started, left, (self.step - self.steps_before) / running, losses,
        ))  # fmt: skip


class Snapshots:
    """Hands the state of the training on every few seconds, between two iterations."""

    def __init__(
        self, begun: Checkpoint, clock: Clock, on_snapshot: Callable[[Checkpoint], None] | None,
    ) -> None:  # fmt: skip
        self.begun, self.clock, self.on_snapshot = begun, clock, on_snapshot
        self.taken = time.perf_counter()

    def offer(self, training: Training, run: LevelRun) -> None:
        """Take a snapshot if one is due."""
        now = time.perf_counter()
        if self.on_snapshot is None or now - self.taken < SNAPSHOT_EVERY:
            return
        clock = self.clock
        state, arrays = snapshot.take(training, run.supply.level, run)
        self.on_snapshot(replace(
            self.begun, step=clock.step, fraction=clock.done / clock.total, seconds=now - clock.started,
            history=list(clock.history), state=state, arrays=arrays,
        ))  # fmt: skip
        self.taken = time.perf_counter()
