"""Complete models of an unfinished training: levels that are not trained are matched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..generation.coupled_levels import coupled_above
from ..model.model import Model
from ..networks.networks import arrays_of
from .checkpoint import Checkpoint
from .progress_reporter import ProgressReporter
from .session import Session
from .stage import Stage

FIRST_LEVEL_SHARES = (0.1, 0.3, 0.6)
"""Shares of the first level's iterations after which a model is handed on, beside the end of each level."""

MIN_LEVEL_SHARE = 0.5
"""Share of a level's iterations from which on a training that ends early keeps it; the first level is always kept."""


class Interim:
    """Hands on models while a training runs, and asks whether it is good enough to end.

    `on_model` gets each model, with its `fraction` of the training, and `on_level` before it that of a finished level.
    `is_enough` is asked after each iteration.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        reporter: ProgressReporter,
        on_model: Callable[[Model], None] | None,
        on_level: Callable[[Model], None] | None,
        is_enough: Callable[[], bool] | None,
    ) -> None:
        self._checkpoint, self._reporter, self._on_model, self._on_level = checkpoint, reporter, on_model, on_level
        self.is_enough = is_enough or (lambda: False)
        whole = reporter.iterations[0]
        self._due = [step for step in (round(share * whole) for share in FIRST_LEVEL_SHARES) if step > reporter.step]

    def offer(self, session: Session, stages: Sequence[Stage]) -> None:
        """Hand on the model of the first level's stages if one is due."""
        if self._due and self._reporter.step >= self._due[0]:
            self._due = [step for step in self._due if step > self._reporter.step]
            self._hand_on(session, stages, [self._on_model])

    def end_level(self, session: Session, stages: Sequence[Stage]) -> None:
        """Hand on the model of finished levels."""
        self._hand_on(session, stages, [self._on_level, self._on_model])

    def _hand_on(
        self, session: Session, stages: Sequence[Stage], receivers: Sequence[Callable[[Model], None] | None]
    ) -> None:
        """Hand on the model of these stages, with the others matched."""
        if any(receivers):
            model = self.completed(session, self.model_of(session, stages))
            model = replace(model, fraction=min(self._reporter.fraction, 0.99))
        for receive in filter(None, receivers):
            receive(model)

    def completed(self, session: Session, model: Model) -> Model:
        """Return a model with its missing levels matched; one that has all weights stays as it is."""
        levels = model.recipe.whole_levels(
            sum(f"stage{stage}.layer0.weight" in model.weights for stage in range(model.recipe.stage_count))
        )
        if levels == model.recipe.levels:
            return model
        return coupled_above(model, levels, session.check_cancelled)

    def keeps(self, level: int) -> bool:
        """Return whether enough of a level, counted from 0, is trained to be kept."""
        iterations = self._reporter.iterations[level]
        return level == 0 or self._reporter.iterations_left(level) <= (1.0 - MIN_LEVEL_SHARE) * iterations

    def model_of(self, session: Session, stages: Sequence[Stage]) -> Model:
        """Return the model with the weights of the first stages, on the CPU; those of others are missing."""
        weights: dict[str, NDArray[np.float32]] = {}
        critics: dict[str, NDArray[np.float32]] = {}
        for stage in stages:
            weights |= arrays_of(stage.averaged, f"stage{stage.index}.layer")
            critics |= arrays_of(stage.critic, f"stage{stage.index}.critic")
        reporter, checkpoint = self._reporter, self._checkpoint
        return Model(
            checkpoint.name,
            session.channels,
            session.recipe,
            session.source,
            checkpoint.motion.fps,
            tuple(session.pyramid.amplitudes),
            session.pyramid.code.cpu().numpy(),
            weights,
            session.seed,
            reporter.spent,
            str(session.device),
            list(reporter.history),
            rig=checkpoint.rig,
            critics={name: value.astype(np.float16) for name, value in critics.items()},
            clips=checkpoint.clips,
        )
