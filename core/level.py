"""The stages of one level, trained together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .iteration import Bases, Task
from .networks.pyramid import resize
from .stage import Stage
from .supply import Supply
from .threads import Workers

if TYPE_CHECKING:
    from .train import Training


class LevelRun:
    """The stages of one level at work; a stage is fed with what the one below made an iteration earlier."""

    def __init__(
        self, training: Training, stages: list[Stage], supply: Supply, feeds: list[Bases] | None = None
    ) -> None:
        self.workers, self.stages, self.supply, self.ask_stop = training.workers, stages, supply, training.ask_stop
        self.draws = training.recipe.critic_steps + 1
        self.feeds = feeds or self._first_feeds()

    def _first_feeds(self) -> list[Bases]:
        feeds = [self.supply.draw(self.draws)]
        for here, above in itertools.pairwise(self.stages):
            made = [self._first_made(here, base) for base in feeds[-1].random]
            feeds.append(_lift(above, made, here.real))
        return feeds

    @torch.no_grad()
    def _first_made(self, stage: Stage, base: Tensor) -> Tensor:
        self.ask_stop()
        return stage.generator.refine(base, stage.noise(base))

    def iterate(self) -> None:
        """One iteration of every stage; two stages, or the parts of a single one, run side by side where that pays."""
        with self.workers.lap():
            self.feeds[0] = self.supply.draw(self.draws)
            results = iterate_stages(self.workers, self.ask_stop, self.stages, self.feeds)
            for number, (made, rebuilt) in enumerate(results[:-1]):
                self.feeds[number + 1] = _lift(self.stages[number + 1], made, rebuilt)


def iterate_stages(
    workers: Workers, ask_stop: Callable[[], None], stages: Sequence[Stage], feeds: Sequence[Bases]
) -> list[tuple[list[Tensor], Tensor]]:
    """One iteration of each stage: two stages side by side, or the parts of a single one. Raises TrainingStopped."""

    def run(task: Task) -> tuple[list[Tensor], Tensor]:
        ask_stop()
        return task()

    if len(stages) == 1:
        return [stages[0].iterate(feeds[0], lambda tasks: workers.map(run, tasks))]
    pairs = list(zip(stages, feeds, strict=True))
    return workers.map(lambda pair: pair[0].iterate(pair[1], lambda tasks: [run(task) for task in tasks]), pairs)


def _lift(above: Stage, made: list[Tensor], rebuilt: Tensor) -> Bases:
    return Bases([above.fit(sample) for sample in made], resize(rebuilt, above.real.shape[-1]))
