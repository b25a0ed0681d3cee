"""The time left, with made-up iterations on a made-up clock; and the probe, which must leave no trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.model.recipe import FAST, PAPER
from core.motion.motion import Motion
from core.training import progress_reporter
from core.training import train as training
from core.training.progress import Progress
from core.training.session import Session
from core.training.time_estimate import Iterate, LevelCosts, TimeLeft, guessed_costs, measured_costs
from core.training.train import train

ITERATIONS = (800, 800, 600, 400)
SECONDS = (0.22, 0.24, 0.25, 0.15)
STARTS = (0.0, 1.0, 2.0, 3.0)
"""Seconds that iterations and starts of levels really take."""

GUESSES = LevelCosts((1.0, 1.7, 2.6, 2.2), (0.0, 5.0, 9.0, 14.0))
"""Costs in another unit, and wrong."""

TINY = replace(FAST, iterations=(6, 6, 6, 6), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)


def played(
    left: TimeLeft, probe: Callable[[], None], pace: Callable[[float], float]
) -> Iterator[tuple[float, int, int, float]]:
    """Run all iterations: seconds so far, level, iterations left in it, and the estimate after each."""
    random = np.random.default_rng(3)
    now, probed = 0.0, False
    for level, count in enumerate(ITERATIONS):
        now += pace(now) * STARTS[level]
        for done in range(1, count + 1):
            seconds = pace(now) * SECONDS[level] * float(random.uniform(0.8, 1.2)) + (2.0 if not left.runs else 0.0)
            now += seconds
            left.ran(level, seconds)
            if now > 5.0 and not probed:
                probed = True
                probe()
            yield now, level, count - done, left.seconds(level, count - done)


def rest(level: int, count: int) -> float:
    """Seconds that are really left at the machine's own pace."""
    above = range(level + 1, len(ITERATIONS))
    return count * SECONDS[level] + sum(STARTS[k] + ITERATIONS[k] * SECONDS[k] for k in above)


def test_within_a_fifth_from_the_second_minute_on() -> None:
    guessed = TimeLeft(ITERATIONS, GUESSES)
    # A probe that is wrong by a tenth in either direction.
    errors = (1.1, 0.9, 1.1, 0.9)
    probe = LevelCosts(tuple(seconds * error for seconds, error in zip(SECONDS, errors, strict=True)), STARTS)
    for now, level, count, estimate in played(guessed, lambda: guessed.learn(probe), lambda _: 1.0):
        if now > 60.0:
            assert estimate == pytest.approx(rest(level, count), rel=0.2, abs=1.0)


def test_follows_a_machine_that_slows_down() -> None:
    left = TimeLeft(ITERATIONS, LevelCosts(SECONDS, STARTS))
    for now, level, count, estimate in played(left, lambda: None, lambda now: 1.0 if now < 180.0 else 1.6):
        if now > 240.0:
            assert estimate == pytest.approx(1.6 * rest(level, count), rel=0.2, abs=1.0)


@pytest.mark.parametrize("levels", [4, 2])
def test_the_probe_leaves_no_trace(walker: Motion, monkeypatch: pytest.MonkeyPatch, levels: int) -> None:
    recipe = TINY.until(levels)
    plain = train(walker, recipe, seed=2)
    monkeypatch.setattr(progress_reporter, "MEASURE_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(progress_reporter, "MEASURE_ABOVE_SECONDS", 0.0)
    asked = []

    def measured(session: Session, iterate: Iterate) -> LevelCosts:
        asked.append(measured_costs(session, iterate))
        return asked[-1]

    monkeypatch.setattr(training, "measured_costs", measured)
    probed = train(walker, recipe, seed=2)
    (costs,) = asked
    assert min(costs.iterations[:levels]) > 0 == sum(costs.iterations[levels:])
    assert costs.starts[0] == 0 < min(costs.starts[1:levels])
    assert sum(costs.starts[levels:]) == 0, "nothing is made for levels that are not trained"
    for name, value in plain.weights.items():
        np.testing.assert_array_equal(probed.weights[name], value)


def test_fresh_samples_cost_and_banks_are_made_at_starts(walker: Motion) -> None:
    for recipe in (TINY, replace(PAPER, hidden=(32, 32, 32), batch=(2, 2, 2, 2))):
        lengths = recipe.lengths(walker.frames)
        costs = guessed_costs(recipe, lengths)
        assert costs.starts[0] == 0
        assert all((start > 0) == bool(recipe.bank) for start in costs.starts[1:])
        other = guessed_costs(replace(recipe, bank=8 if not recipe.bank else 0), lengths)
        assert (other.iterations[3] > costs.iterations[3]) == bool(recipe.bank)


@pytest.mark.parametrize("hours", [0.0, 8.0])
def test_a_night_asleep_is_no_time_of_the_training(
    walker: Motion, monkeypatch: pytest.MonkeyPatch, hours: float
) -> None:
    """Windows' and macOS' clocks go on while the machine sleeps."""
    slept = [0.0]
    real = time.perf_counter
    monkeypatch.setattr(progress_reporter, "time", SimpleNamespace(perf_counter=lambda: real() + slept[0]))
    told: list[Progress] = []

    def take(progress: Progress) -> None:
        told.append(progress)
        if progress.step == 9:
            slept[0] = hours * 3600.0

    model = train(walker, TINY, take, report_seconds=0.0)
    assert [progress.step for progress in told] == list(range(1, 25))
    after = [progress for progress in told if progress.step > 9]
    assert all(progress.seconds_left < 600.0 for progress in after)
    assert all(progress.seconds < 600.0 for progress in after)
    assert told[-1].fraction == pytest.approx(1.0)
    assert all(np.isfinite(value).all() for value in model.weights.values())
