"""The stages of one level, trained together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..networks.pyramid import resize, run_stages
from .cuda_graphs import RecordedStep
from .stage import Stage
from .stage_io import StageInputs, Task
from .workers import Workers

if TYPE_CHECKING:
    from .train import Training


class LevelRun:
    """The stages of one level at work; a stage is fed with what the one below made an iteration earlier."""

    def __init__(
        self, training: Training, stages: list[Stage], supply: FrozenLevels, feeds: list[StageInputs] | None = None
    ) -> None:
        self.workers, self.stages, self.supply, self.check_cancelled = (
            training.workers,
            stages,
            supply,
            training.check_cancelled,
        )
        self.draws = training.recipe.critic_steps + 1
        self.feeds = feeds or self._first_feeds()

    def _first_feeds(self) -> list[StageInputs]:
        feeds = [self.supply.draw(self.draws)]
        for here, above in itertools.pairwise(self.stages):
            made = [self._first_made(here, base) for base in feeds[-1].random]
            feeds.append(_lift(above, made, here.real))
        return feeds

    @torch.no_grad()
    def _first_made(self, stage: Stage, base: Tensor) -> Tensor:
        self.check_cancelled()
        return stage.generator.refine(base, stage.noise(base))

    def iterate(self) -> None:
        """One iteration of every stage; two stages, or the parts of a single one, run side by side where that pays."""
        with self.workers.lap():
            self.feeds[0] = self.supply.draw(self.draws)
            results = iterate_stages(self.workers, self.check_cancelled, self.stages, self.feeds)
            for number, (made, rebuilt) in enumerate(results[:-1]):
                self.feeds[number + 1] = _lift(self.stages[number + 1], made, rebuilt)


def iterate_stages(
    workers: Workers, check_cancelled: Callable[[], None], stages: Sequence[Stage], feeds: Sequence[StageInputs]
) -> list[tuple[list[Tensor], Tensor]]:
    """One iteration of each stage: two stages side by side, or the parts of a single one. Raises TrainingStopped."""

    def run(task: Task) -> tuple[list[Tensor], Tensor]:
        check_cancelled()
        return task()

    if len(stages) == 1:
        return [stages[0].iterate(feeds[0], lambda tasks: workers.map(run, tasks))]
    pairs = list(zip(stages, feeds, strict=True))
    return workers.map(lambda pair: pair[0].iterate(pair[1], lambda tasks: [run(task) for task in tasks]), pairs)


def _lift(above: Stage, made: list[Tensor], rebuilt: Tensor) -> StageInputs:
    return StageInputs([above.fit(sample) for sample in made], resize(rebuilt, above.real.shape[-1]))


TOGETHER = 8
"""Samples of a bank whose noise is drawn together."""


BANK_FRAMES = 72_000
"""Frames that a bank holds at most, 125 MB of a human: 48 samples of a clip of a minute, fewer of a longer one."""


CHUNK = 2600
"""Frames that go through the frozen stages together on a CPU: what the layers keep of more falls out of its cache."""


class FrozenLevels:
    """Samples of the frozen levels for a level's first stage."""

    def __init__(self, training: Training, level: int, bank: Tensor | None = None) -> None:
        self.training, self.recipe, self.level = training, training.recipe, level
        self.batch = self.recipe.batch[level]
        self.first = self.recipe.first_stage(level)
        pyramid = training.pyramid
        self.length = pyramid.lengths[self.first]
        self.rows = self.recipe.rows(pyramid.lengths, self.first)
        self.bank = bank
        self._samples = RecordedStep(self._from_noise, training.new_recorder)
        self.code = pyramid.code
        if level:
            noises: list[Tensor | None] = [pyramid.code, *[None] * (self.first - 1)]
            self.code = resize(self._run(torch.zeros_like(pyramid.code), noises), self.length)
            if self.recipe.bank and bank is None:
                self.bank = self._made_bank()

    def draw(self, times: int) -> StageInputs:
        """Bases for `times` steps of the level's first stage."""
        return StageInputs([self._batch() for _ in range(times)], self.code)

    def _made_bank(self) -> Tensor:
        rounds = bank_size(self.recipe.bank, self.length) // TOGETHER
        bank = self.code.new_empty(rounds * TOGETHER, self.code.shape[1], self.length)
        for number in range(rounds):
            part = bank[number * TOGETHER : (number + 1) * TOGETHER]
            part.copy_(self._fresh(part))
        return bank

    def _batch(self) -> Tensor:
        if not self.first:
            return self.training.pyramid.clips[0].new_zeros(self.batch, self.code.shape[1], self.rows)
        random, spare = self.training.random, self.length - self.rows
        starts = torch.randint(0, spare + 1, (self.batch,), generator=random).tolist()
        if self.bank is None:
            whole = self._fresh(self.code.new_empty(self.batch, self.code.shape[1], self.length))
            chosen = list(whole)
        else:
            chosen = [self.bank[k] for k in torch.randint(0, len(self.bank), (self.batch,), generator=random).tolist()]
        return torch.stack([row[:, start : start + self.rows] for row, start in zip(chosen, starts, strict=True)])

    def _fresh(self, result: Tensor) -> Tensor:
        """New samples (B, C, T), in `result` or instead of it; as many at a time as suit the cache of a CPU."""
        stages, pyramid = self.training.stages[: self.first], self.training.pyramid
        count = len(result)
        self.training.check_cancelled()
        noises = [stage.noise(pyramid.clips[stage.index].expand(count, -1, -1)) for stage in stages]
        if self.training.new_recorder is not None:
            return self._samples(noises)[0]
        step = max(1, CHUNK // self.length) if result.device.type == "cpu" else count
        for start in range(0, count, step):
            part = slice(start, min(start + step, count))
            self.training.check_cancelled()
            base = result.new_zeros(part.stop - start, result.shape[1], pyramid.lengths[0])
            result[part] = resize(self._run(base, [noise[part] for noise in noises]), self.length)
        return result

    def _from_noise(self, noises: Sequence[Tensor]) -> list[Tensor]:
        stages, lengths = self.training.stages[: self.first], self.training.pyramid.lengths[: self.first]
        base = noises[0].new_zeros(len(noises[0]), self.code.shape[1], lengths[0])
        made = run_stages([stage.averaged for stage in stages], lengths, noises, base)
        return [resize(made, self.length)]

    def _run(self, base: Tensor, noises: Sequence[Tensor | None]) -> Tensor:
        """The frozen stages, one after the other; raises TrainingStopped between two of them."""
        for stage, noise in zip(self.training.stages[: self.first], noises, strict=True):
            self.training.check_cancelled()
            length = self.training.pyramid.lengths[stage.index]
            base = run_stages([stage.averaged], [length], [noise], base)
        return base


def bank_size(wanted: int, length: int) -> int:
    """Samples of a bank of this many frames each, in whole rounds: as many as wanted, or as BANK_FRAMES hold."""
    most = max(TOGETHER, BANK_FRAMES // length)
    return -(-min(wanted, most) // TOGETHER) * TOGETHER
