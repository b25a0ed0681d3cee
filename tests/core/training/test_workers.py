"""Choice between work side by side and in turn, found out by doing both; made-up times, no clock."""

from __future__ import annotations

import threading

import pytest

from core.training.workers import RUNS_BEFORE_RETRIAL, TRIAL_RUNS, SideBySideChoice, Workers


def run(choice: SideBySideChoice, runs: int, together: float, in_turn: float) -> list[bool]:
    ways = []
    for number in range(runs):
        way = choice.side_by_side()
        # Every second run holds more work, as iterations with a reconstruction do.
        choice.took(way, (together if way else in_turn) * (1.5 if number % 2 else 1.0))
        ways.append(way)
    return ways


@pytest.mark.parametrize(("together", "in_turn"), [(0.6, 1.0), (1.0, 0.9), (40.0, 1.0)])
def test_takes_the_faster_way(together: float, in_turn: float) -> None:
    ways = run(SideBySideChoice(), 1000, together, in_turn)
    assert tuple(ways[: len(TRIAL_RUNS)]) == TRIAL_RUNS
    right = together < in_turn
    assert ways[len(TRIAL_RUNS) :].count(not right) <= 1000 // RUNS_BEFORE_RETRIAL + 1


def test_follows_a_machine_that_gets_busy() -> None:
    choice = SideBySideChoice()
    assert run(choice, 300, 0.6, 1.0)[-1] is True
    busy = run(choice, 300, 5.0, 1.0)
    assert busy[-50:] == [False] * 50


def test_workers_keep_the_order_whatever_they_choose() -> None:
    workers, seen = Workers(2), set()
    for _ in range(20):
        with workers.lap():
            seen |= set(workers.map(lambda _: threading.current_thread().name, [1, 2]))
            assert workers.map(lambda x: x * x, [3, 1, 2]) == [9, 1, 4]
    workers.close()
    assert threading.current_thread().name in seen
    assert any(name.startswith("riff-train") for name in seen)
