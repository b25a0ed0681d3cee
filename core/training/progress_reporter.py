"""Progress of a training: iterations done, time left, losses."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from ..errors import ModelError
from ..system.memory import trim_malloc
from .checkpoint import Checkpoint
from .divergence import check_losses
from .progress import Progress
from .session import Session
from .stage import Stage
from .time_estimate import LevelCosts, TimeLeft, guessed_costs

REPORT_SECONDS = 0.2
"""Seconds between progress messages."""

MAX_HISTORY_ROWS = 20_000
"""Rows of the history of losses that are kept: a model's description stays small."""

MEASURE_AFTER_SECONDS, MEASURE_ABOVE_SECONDS = 5.0, 60.0
"""Seconds after which a training that seems to need so many more measures the cost of each of its levels."""


PAUSE_SECONDS, PAUSE_FACTOR = 60.0, 20.0
"""Seconds, and times the usual, of an iteration in which the machine is taken to have slept: some clocks go on then."""


class ProgressReporter:
    """Counts iterations, reports progress and estimates the time left.

    `measure_costs` finds out what an iteration of each level costs on this machine; `started` is the time at which the
    whole training began, in seconds of `time.perf_counter`.
    """

    def __init__(
        self,
        session: Session,
        measure_costs: Callable[[], LevelCosts],
        on_progress: Callable[[Progress], None],
        started: float,
        rate_cuts: int = 0,
        report_seconds: float | None = None,
    ) -> None:
        self.report_seconds = REPORT_SECONDS if report_seconds is None else report_seconds
        self.session, self.measure_costs, self.on_progress = session, measure_costs, on_progress
        self.started, self.rate_cuts = started, rate_cuts
        self.iterations = session.recipe.iterations
        self.left = TimeLeft(self.iterations, guessed_costs(session.recipe, session.pyramid.lengths))
        self.step, self.fraction, self.reported_at = 0, 0.0, 0.0
        self.begun_at = self.ticked_at = time.perf_counter()
        self.steps_before, self.level, self.measured = 0, -1, False
        self.history: list[dict[str, float]] = []

    @property
    def spent(self) -> float:
        """Seconds since the whole training began."""
        return time.perf_counter() - self.started

    def continue_from(self, checkpoint: Checkpoint) -> int:
        """Count from where a checkpoint stands; returns its level, from 0. Raises ModelError where it fits none."""
        self.step, self.history = checkpoint.step, list(checkpoint.history)
        level = next((k for k, end in enumerate(itertools.accumulate(self.iterations)) if self.step <= end), None)
        if level is None or level != checkpoint.state.get("level"):
            raise ModelError("The state of the training is damaged: its steps do not fit its recipe.")
        self.steps_before, self.fraction = self.step, checkpoint.fraction
        return level

    def iterations_left(self, level: int) -> int:
        """Iterations that a level still has to do."""
        return min(self.iterations[level], sum(self.iterations[: level + 1]) - self.step)

    def tick(self, level: int, stages: list[Stage]) -> None:
        """Count one iteration; report when a report is due; raise Cancelled where the training is to end."""
        self.step += 1
        self.session.check_cancelled()
        now = time.perf_counter()
        lap = now - self.ticked_at
        if level == self.level and lap > max(PAUSE_SECONDS, PAUSE_FACTOR * self.left.recent):
            self._leave_out(lap)
        elif level == self.level or not self.left.recent:
            self.left.ran(level, lap)
        self.level, self.ticked_at = level, now
        seconds_left = self.left.seconds(level, self.iterations_left(level))
        # Not before the first report: measuring a long recipe takes half a minute.
        if (
            self.reported_at
            and not self.measured
            and now - self.begun_at > MEASURE_AFTER_SECONDS
            and seconds_left > MEASURE_ABOVE_SECONDS
        ):
            self._measure()
            seconds_left = self.left.seconds(level, self.iterations_left(level))
        spent = now - self.started
        self.fraction = max(self.fraction, spent / (spent + seconds_left))
        if now - self.reported_at >= self.report_seconds or self.step == sum(self.iterations):
            self.reported_at = now
            self._report(level, stages, spent, seconds_left)

    def _leave_out(self, pause: float) -> None:
        """Do not count the seconds in which the machine slept: no iteration took them, and none to come will."""
        self.started += pause
        self.begun_at += pause

    def _measure(self) -> None:
        self.measured = True
        self.left.learn(self.measure_costs())
        trim_malloc()  # it took as much as the largest level, which may be an hour away
        self.ticked_at = time.perf_counter()

    def _report(self, level: int, stages: list[Stage], spent: float, seconds_left: float) -> None:
        check_losses(stages)
        latest = [stage.losses for stage in stages]
        losses = {
            key: sum(losses.get(key, 0.0) for losses in latest) / len(latest)
            for key in ("critic", "adversarial", "reconstruction", "contact")
        }
        self.history.append({"step": self.step, "level": level + 1, **losses})
        if len(self.history) > MAX_HISTORY_ROWS:  # a day of training: every other row is plenty
            del self.history[1::2]
        speed = (self.step - self.steps_before) / max(time.perf_counter() - self.begun_at, 1e-6)
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
