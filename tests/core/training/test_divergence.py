"""Divergence: detected at once, training continues from an earlier state with lower rates, the user is told."""

from __future__ import annotations

import gc
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import RiffError
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.training import divergence
from core.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from core.training.progress import Progress
from core.training.session import open_session
from core.training.stage import Stage
from core.training.train import resume, train

TINY = replace(FAST, iterations=(6, 4, 3, 3), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)


train_step_by_step = partial(train, snapshot_seconds=0.0, report_seconds=0.0)
"""Training that tells of each step and copies its state after each."""


def spoil(network: str, value: float) -> None:
    """Set a weight of the stages at work, wherever they are in memory."""
    for found in gc.get_objects():
        if type(found) is Stage and found.steps:
            next(iter(getattr(found, network).parameters())).data.view(-1)[0] = value


@pytest.mark.parametrize("network", ["generator", "critic"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_spoilt_weight_takes_the_training_back_a_few_steps(walker: Motion, network: str, value: float) -> None:
    seen: list[Progress] = []

    def look(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 8:
            # A step after this one has it in a loss, or the copy that is taken after this one.
            spoil(network, value)

    model = train_step_by_step(walker, TINY, look, seed=3)
    assert all(np.isfinite(weight).all() for weight in model.weights.values())
    assert [p.step for p in seen] == [*range(1, 9), *range(7, 17)], "it went on from the state before the last"
    assert [p.rate_cuts for p in seen] == [0] * 8 + [1] * 10
    assert "learning rates lowered 1 ×" in seen[-1].describe()
    assert "learning rates" not in seen[0].describe()


def test_the_last_step_is_looked_at_too(walker: Motion) -> None:
    seen: list[Progress] = []

    def look(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 16:
            spoil("generator", float("nan"))

    model = train_step_by_step(walker, TINY, look, seed=3)
    assert all(np.isfinite(weight).all() for weight in model.weights.values())
    assert (seen[-1].step, seen[-1].rate_cuts) == (16, 1)


def test_lower_rates_save_a_training(walker: Motion, monkeypatch: pytest.MonkeyPatch) -> None:
    # At 1e9 numbers are lost on every processor, at a thousandth on none: in between it hangs on how each one rounds.
    monkeypatch.setattr(divergence, "RATE_CUT", 1e-12)
    seen: list[Progress] = []
    model = train_step_by_step(walker, replace(TINY, generator_rate=1e9, critic_rate=1e9), seen.append, seed=3)
    assert seen[-1].rate_cuts == 1
    assert (seen[-1].step, model.recipe.generator_rate) == (16, 1e9)
    assert all(np.isfinite(weight).all() for weight in model.weights.values())


def test_the_third_time_ends_it(walker: Motion) -> None:
    taken: list[Checkpoint] = []
    with pytest.raises(RiffError, match="diverged three times"):
        train_step_by_step(walker, replace(TINY, generator_rate=1e9, critic_rate=1e9), seed=3, on_snapshot=taken.append)
    arrays = [array for state in taken for array in state.arrays.values()]
    assert all(np.isfinite(array).all() for array in arrays), "no unsound state was handed on"


def test_rates_stay_low_after_resume(walker: Motion, tmp_path: Path) -> None:
    save_checkpoint(Checkpoint(walker, TINY, 3, "Walk", rate_cuts=2), tmp_path / "c.safetensors")
    kept = load_checkpoint(tmp_path / "c.safetensors")
    seen: list[Progress] = []
    resume(kept, seen.append)
    assert (kept.rate_cuts, seen[-1].rate_cuts) == (2, 2)
    with open_session(kept, torch.device("cpu"), 1, lambda: False) as session:
        (stage,) = session.new_stages([0])
    assert stage.generator_optimiser.param_groups[0]["lr"] == TINY.generator_rate / 16
    assert session.recipe == TINY
