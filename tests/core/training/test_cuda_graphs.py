"""The path that CUDA devices record, played back on the CPU by a recorder that does again what it was shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.model.model import Model
from core.model.recipe import FAST, PAPER, Recipe
from core.motion.motion import Motion
from core.training.cuda_graphs import WARM_UP, RecordedStep, recorder_for
from core.training.train import train

COUNT = WARM_UP + 3
TINY_FAST = replace(FAST, iterations=(2 * COUNT,) * 4, hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
TINY_PAPER = replace(PAPER, iterations=(COUNT,) * 4, hidden=(32, 32, 32), batch=(2, 2, 2, 2), pool=3)


class Rehearsal:
    """Like a CUDA graph it does nothing when it captures, and all of it, on the same memory, when it replays."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    def capture(self, call: Callable[[], None]) -> None:
        self.call = call

    def replay(self) -> None:
        self.call()


class Refusal(Rehearsal):
    def capture(self, call: Callable[[], None]) -> None:
        raise RuntimeError("operation not permitted when stream is capturing\nand a long trace")


def trained(motion: Motion, recipe: Recipe, recorder: type[Rehearsal], monkeypatch: pytest.MonkeyPatch) -> Model:
    recorder.made = 0
    monkeypatch.setattr("core.training.session.recorder_for", lambda device: recorder)
    return train(motion, recipe, seed=4)


@pytest.mark.parametrize("recipe", [TINY_FAST, TINY_PAPER], ids=lambda r: r.name)
def test_recorded_steps_learn_the_same(walker: Motion, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = train(walker, recipe, seed=4)
    recorded = trained(walker, recipe, Rehearsal, monkeypatch)
    # Each stage has a recording with and, where it is not always due, one without the reconstruction; fresh samples
    # of the frozen levels are recorded too.
    assert Rehearsal.made == (2 * recipe.fitted(walker.frames).stage_count if recipe.bank else 7 + 3)
    for name, value in plain.weights.items():
        np.testing.assert_array_equal(recorded.weights[name], value, err_msg=name)
    mine, theirs = recorded.history[-1], plain.history[-1]
    assert mine == pytest.approx(theirs)


def test_goes_on_plainly_where_nothing_can_be_recorded(
    walker: Motion, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = train(walker, TINY_PAPER, seed=4)
    with caplog.at_level(logging.WARNING):
        refused = trained(walker, TINY_PAPER, Refusal, monkeypatch)
    assert "without CUDA graphs, which takes longer: operation not permitted when stream is capturing" in caplog.text
    assert "long trace" not in caplog.text
    for name, value in plain.weights.items():
        np.testing.assert_array_equal(refused.weights[name], value)


def test_outputs_outlive_the_next_playback() -> None:
    total = torch.zeros(3)

    def add(inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        return [total.add_(inputs[0]), inputs[0] * 2]

    step = RecordedStep(add, Rehearsal)  # type: ignore[arg-type]
    results = [step([torch.full((3,), float(k))]) for k in range(6)]
    assert [float(doubled[0]) for _, doubled in results] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert [float(result[0][0]) for result in results[WARM_UP:]] == [6.0, 10.0, 15.0]


def test_only_cuda_records() -> None:
    assert recorder_for(torch.device("cpu")) is None
    assert recorder_for(torch.device("mps")) is None
