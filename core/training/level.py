"""One level in training: the stages that train together, and the samples of the frozen levels that feed them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..networks.pyramid import resize, run_stages
from .cuda_graphs import RecordedStep
from .session import Session
from .stage import Stage
from .stage_io import StageInputs

DRAWN_TOGETHER = 8
"""Samples of a bank whose noise is drawn together."""

MAX_BANK_FRAMES = 72_000
"""Frames that a bank holds at most, 125 MB of a human: 48 samples of a clip of a minute, fewer of a longer one."""

CACHED_FRAMES = 2600
"""Frames that go through the frozen stages together on a CPU: what the layers keep of more falls out of its cache."""


class FrozenLevels:
    """Samples of the levels below one at work, for its first stage: a bank made in advance, or fresh ones each time.

    `finished` are the stages of all lower levels; `code` (1, C, T) is their reconstruction of the clip.
    """

    def __init__(
        self,
        session: Session,
        finished: Sequence[Stage],
        level: int,
        bank: Tensor | None = None,
        cached_frames: int = CACHED_FRAMES,
    ) -> None:
        self.session, self.level, self.finished, self.cached_frames = session, level, list(finished), cached_frames
        recipe, pyramid = session.recipe, session.pyramid
        self.batch = recipe.batch[level]
        first = recipe.first_stage(level)
        self.length = pyramid.lengths[first]
        self.rows = recipe.rows(pyramid.lengths, first)
        self.bank = bank
        self._recorded_samples = RecordedStep(self._from_noise, session.new_recorder)
        self.code = pyramid.code
        if level:
            noises: list[Tensor | None] = [pyramid.code, *[None] * (first - 1)]
            self.code = resize(self._run(torch.zeros_like(pyramid.code), noises), self.length)
            if recipe.bank and bank is None:
                self.bank = self._make_bank()

    def draw(self, times: int) -> StageInputs:
        """Inputs for `times` steps of the level's first stage."""
        return StageInputs([self._batch() for _ in range(times)], self.code)

    def _make_bank(self) -> Tensor:
        rounds = bank_size(self.session.recipe.bank, self.length) // DRAWN_TOGETHER
        bank = self.code.new_empty(rounds * DRAWN_TOGETHER, self.code.shape[1], self.length)
        for number in range(rounds):
            part = bank[number * DRAWN_TOGETHER : (number + 1) * DRAWN_TOGETHER]
            part.copy_(self._fresh(part))
        return bank

    def _batch(self) -> Tensor:
        if not self.level:
            return self.session.pyramid.clips[0].new_zeros(self.batch, self.code.shape[1], self.rows)
        random, spare = self.session.random, self.length - self.rows
        starts = torch.randint(0, spare + 1, (self.batch,), generator=random).tolist()
        if self.bank is None:
            samples = list(self._fresh(self.code.new_empty(self.batch, self.code.shape[1], self.length)))
        else:
            numbers = torch.randint(0, len(self.bank), (self.batch,), generator=random).tolist()
            samples = [self.bank[k] for k in numbers]
        return torch.stack([one[:, start : start + self.rows] for one, start in zip(samples, starts, strict=True)])

    def _fresh(self, result: Tensor) -> Tensor:
        """New samples (B, C, T), in `result` or instead of it; as many at a time as suit the cache of a CPU."""
        pyramid, count = self.session.pyramid, len(result)
        self.session.check_cancelled()
        noises = [stage.noise(pyramid.clips[stage.index].expand(count, -1, -1)) for stage in self.finished]
        if self.session.new_recorder is not None:
            return self._recorded_samples(noises)[0]
        step = max(1, self.cached_frames // self.length) if result.device.type == "cpu" else count
        for start in range(0, count, step):
            part = slice(start, min(start + step, count))
            self.session.check_cancelled()
            base = result.new_zeros(part.stop - start, result.shape[1], pyramid.lengths[0])
            result[part] = resize(self._run(base, [noise[part] for noise in noises]), self.length)
        return result

    def _from_noise(self, noises: Sequence[Tensor]) -> list[Tensor]:
        lengths = self.session.pyramid.lengths[: len(self.finished)]
        base = noises[0].new_zeros(len(noises[0]), self.code.shape[1], lengths[0])
        samples = run_stages([stage.averaged for stage in self.finished], lengths, noises, base)
        return [resize(samples, self.length)]

    def _run(self, base: Tensor, noises: Sequence[Tensor | None]) -> Tensor:
        """Run the frozen stages one after the other; raise Cancelled between two of them."""
        for stage, noise in zip(self.finished, noises, strict=True):
            self.session.check_cancelled()
            base = run_stages([stage.averaged], [self.session.pyramid.lengths[stage.index]], [noise], base)
        return base


def bank_size(wanted: int, length: int) -> int:
    """Samples of a bank of this many frames each, in whole rounds: as many as wanted, or as MAX_BANK_FRAMES hold."""
    most = max(DRAWN_TOGETHER, MAX_BANK_FRAMES // length)
    return -(-min(wanted, most) // DRAWN_TOGETHER) * DRAWN_TOGETHER


@dataclass
class LevelRun:
    """A level at work; each stage's `inputs` are what the stage below made an iteration earlier."""

    stages: list[Stage]
    frozen: FrozenLevels
    inputs: list[StageInputs]

    @property
    def level(self) -> int:
        return self.frozen.level

    def next_inputs(self, number: int, samples: list[Tensor], rebuilt: Tensor) -> None:
        """Feed stage `number` of the level with samples (B, C, T) and the reconstruction of the stage below."""
        self.inputs[number] = _resized(self.stages[number], samples, rebuilt)


def first_inputs(session: Session, stages: Sequence[Stage], frozen: FrozenLevels) -> list[StageInputs]:
    """Inputs of a level's stages before the first iteration: what the fresh networks below make. Raises Cancelled."""
    inputs = [frozen.draw(session.recipe.critic_steps + 1)]
    for stage, above in itertools.pairwise(stages):
        samples = []
        for base in inputs[-1].random:
            session.check_cancelled()
            with torch.no_grad():
                samples.append(stage.generator.refine(base, stage.noise(base)))
        inputs.append(_resized(above, samples, stage.real))
    return inputs


def _resized(stage: Stage, samples: list[Tensor], rebuilt: Tensor) -> StageInputs:
    return StageInputs([stage.fit(sample) for sample in samples], resize(rebuilt, stage.real.shape[-1]))
