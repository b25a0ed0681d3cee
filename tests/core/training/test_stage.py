"""One iteration of a stage: parts of a batch add up, spans of a clip add up, the pool exchanges as GANimator's does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from core.model.recipe import FAST, PAPER, Recipe
from core.motion.motion import Motion
from core.training.checkpoint import Checkpoint
from core.training.sample_pool import SamplePool
from core.training.session import open_session
from core.training.stage import PART_ROWS, Stage
from core.training.stage_io import Task
from core.training.train import iterate_stage, start_level

TINY = replace(PAPER, iterations=(1, 1, 1, 1), hidden=(32, 32, 32), batch=(3, 3, 3, 3), pool=2)


def gradients_of_an_iteration(
    motion: Motion, recipe: Recipe, level: int, part_rows: int = PART_ROWS
) -> tuple[Stage, list[Tensor], int]:
    """The gradients that a level's first stage steps along, and how many tasks they took."""
    tasks = 0
    found: list[Tensor] = []

    def counted(given: Sequence[Task]) -> list[tuple[list[Tensor], Tensor]]:
        nonlocal tasks
        tasks += len(given)
        return [task() for task in given]

    with open_session(Checkpoint(motion, recipe, 7), torch.device("cpu"), 1, lambda: False) as session:
        finished: list[Stage] = []
        for lower in range(level):
            finished += start_level(session, finished, lower).stages
        run = start_level(session, finished, level)
        stage = run.stages[0]
        stage.part_rows = part_rows
        for optimiser in (stage.critic_optimiser, stage.generator_optimiser):
            optimiser.register_step_pre_hook(
                lambda opt, *_: found.extend(p.grad.clone() for p in opt.param_groups[0]["params"])
            )
        iterate_stage(stage, run.inputs[0], counted)
    return stage, found, tasks


@pytest.mark.parametrize("level", [0, 2, 3])
def test_parts_and_spans_add_up(walker: Motion, level: int) -> None:
    # One step of each network: Adam makes much of rounding, so what follows its steps can't be compared.
    once = replace(TINY, critic_steps=1, joint_steps=True, generator_rate=0.0, critic_rate=0.0)
    whole, expected, few = gradients_of_an_iteration(walker, once, level)
    parted, found, many = gradients_of_an_iteration(walker, once, level, part_rows=20)
    assert many > few + 2
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(parted.rebuilt, whole.rebuilt, atol=1e-6, rtol=1e-5)
    for name, value in whole.losses.items():
        assert parted.losses[name] == pytest.approx(value, rel=1e-4, abs=1e-5)


def test_fast_is_small_enough_to_stay_whole() -> None:
    """Cutting the batches of `fast` would change its models: once more than they need."""
    for frames in (300, 648, 10_000):
        lengths = FAST.lengths(frames)
        for stage in range(FAST.stage_count):
            level = FAST.level_of(stage)
            cores = 2 if FAST.stages[level] == 1 else 1
            assert FAST.batch[level] * FAST.rows(lengths, stage) <= PART_ROWS * cores


def test_pool_exchanges_one_sample_after_the_other() -> None:
    random, same = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    pool = SamplePool(3, torch.zeros(2, 4), same)
    past: list[Tensor] = []
    for _ in range(60):
        new = torch.randn(5, 2, 4)
        expected = []
        for sample in new:
            shown = sample
            if len(past) < 3:
                past.append(sample)
            elif torch.rand((), generator=random) < 0.5:
                place = int(torch.randint(0, 3, (), generator=random))
                shown, past[place] = past[place], sample
            expected.append(shown)
        torch.testing.assert_close(pool.exchange(new, pool.draw(5)), torch.stack(expected), atol=0, rtol=0)
        torch.testing.assert_close(pool.samples[: pool.filled], torch.stack(past), atol=0, rtol=0)
