"""How far a training is: progress, time left, and a copy of its state every few seconds."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ModelError
from ..system.memory import trim_malloc
from . import snapshot
from .checkpoint import Checkpoint
from .divergence import check_losses, check_state
from .progress import Progress
from .stage import Stage
from .time_estimate import TimeLeft, guessed_costs, guessed_starts, measured_costs

if TYPE_CHECKING:
    from .level import LevelRun
    from .train import Training

REPORT_EVERY = 0.2
"""Seconds between progress messages."""

MOST_ROWS = 20_000
"""Rows of the history of losses that are kept: a model's description stays small."""

SNAPSHOT_EVERY = 3.0
"""Seconds between copies of the state of the training: at most this much work is lost when it is stopped."""


PROBE_AFTER, PROBE_FOR = 5.0, 60.0
"""Seconds after which a training that seems to need so many more finds out what each of its levels costs."""


class ProgressReporter:
    """Counts iterations, reports progress and estimates the time left."""

    def __init__(self, training: Training, on_progress: Callable[[Progress], None], started: float) -> None:
        self.training, self.on_progress, self.started = training, on_progress, started
        self.iterations = training.recipe.iterations
        self.left = TimeLeft(self.iterations, guessed_costs(training), guessed_starts(training))
        self.step, self.fraction, self.reported, self.rate_cuts = 0, 0.0, 0.0, 0
        self.begun = self.ticked = time.perf_counter()
        self.steps_before, self.level, self.probed = 0, -1, False
        self.history: list[dict[str, float]] = []

    def go_on(self, checkpoint: Checkpoint) -> int:
        """Count from where a checkpoint stands; returns its level, from 0. Raises ModelError where it fits none."""
        self.step, self.history = checkpoint.step, list(checkpoint.history)
        level = next((k for k, end in enumerate(itertools.accumulate(self.iterations)) if self.step <= end), None)
        if level is None or level != checkpoint.state.get("level"):
            raise ModelError("The state of the training is damaged: its steps do not fit its recipe.")
        self.steps_before, self.fraction = self.step, checkpoint.fraction
        return level

    def left_of(self, level: int) -> int:
        """Iterations that a level still has to do."""
        return min(self.iterations[level], sum(self.iterations[: level + 1]) - self.step)

    def tick(self, level: int, stages: list[Stage]) -> None:
        """Count one iteration; report when a report is due; raise TrainingStopped when asked to stop."""
        self.step += 1
        self.training.check_cancelled()
        now = time.perf_counter()
        if level == self.level or not self.left.recent:
            self.left.ran(level, now - self.ticked)
        self.level, self.ticked = level, now
        seconds_left = self.left.seconds(level, self.left_of(level))
        # Not before something has been heard of the training: probing a long recipe takes half a minute.
        if self.reported and not self.probed and now - self.begun > PROBE_AFTER and seconds_left > PROBE_FOR:
            self._probe()
            seconds_left = self.left.seconds(level, self.left_of(level))
        spent = now - self.started
        self.fraction = max(self.fraction, spent / (spent + seconds_left))
        if now - self.reported >= REPORT_EVERY or self.step == sum(self.iterations):
            self.reported = now
            self._report(level, stages, spent, seconds_left)

    def _probe(self) -> None:
        self.probed = True
        self.left.learn(*measured_costs(self.training))
        trim_malloc()  # it took as much as the largest level, which may be an hour away
        self.ticked = time.perf_counter()

    def _report(self, level: int, stages: list[Stage], spent: float, seconds_left: float) -> None:
        check_losses(stages)
        latest = [stage.losses for stage in stages]
        losses = {
            key: sum(losses.get(key, 0.0) for losses in latest) / len(latest)
            for key in ("critic", "adversarial", "reconstruction", "contact")
        }
        self.history.append({"step": self.step, "level": level + 1, **losses})
        if len(self.history) > MOST_ROWS:  # a day of training: every other row is plenty
            del self.history[1::2]
        speed = (self.step - self.steps_before) / max(time.perf_counter() - self.begun, 1e-6)
        self.on_progress(
            Progress(
                level + 1,
                len(self.iterations),
                self.step,
                sum(self.iterations),
                self.fraction,
                spent,
                seconds_left,
                speed,
                losses,
                self.rate_cuts,
            )
        )


class Snapshots:
    """Copies the state of the training every few seconds, between two iterations, and hands it on.

    `good` holds the last two states, or what the training began with, the older one first.
    """

    def __init__(
        self,
        begun: Checkpoint,
        clock: ProgressReporter,
        on_snapshot: Callable[[Checkpoint], None] | None,
        good: deque[Checkpoint],
    ) -> None:
        self.begun, self.clock, self.on_snapshot, self.good = begun, clock, on_snapshot, good
        self.taken = time.perf_counter()

    def offer(self, training: Training, run: LevelRun) -> None:
        """Take a snapshot if one is due, or if it is the last of the training. Raises Diverged for an unsound state."""
        now = time.perf_counter()
        clock = self.clock
        if now - self.taken < SNAPSHOT_EVERY and clock.step < sum(clock.iterations):
            return
        state, arrays = snapshot.take(training, run.supply.level, run)
        check_state(arrays)
        self.good.append(
            replace(
                self.begun,
                step=clock.step,
                fraction=clock.fraction,
                seconds=now - clock.started,
                history=list(clock.history),
                state=state,
                arrays=arrays,
            )
        )
        if self.on_snapshot is not None:
            self.on_snapshot(self.good[-1])
        self.taken = time.perf_counter()
