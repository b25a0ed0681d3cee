"""Choice of the level from which on a trained model is better matched, by the figures of a few of its motions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..errors import cancel_check
from ..evaluation.copying import between
from ..evaluation.frechet import frechet_to_source, position_windows, rotation_windows
from ..evaluation.metrics import rotation_features
from ..generation.coupled_levels import coupled_above
from ..generation.generate import generate
from ..model.model import Model
from ..motion.motion import Motion
from .quality import figures_beside

CANDIDATE_LEVELS = (2, 1)
"""Levels, counted from 1, above which all others are tried matched; the fourth alone hardly differs from the third."""

COMPARED_MOTIONS = 2
"""Motions of each candidate, as long as the source."""

COMPARED_ROWS = 2000
"""Rows of the motions of each candidate together, about, where the source is long."""

COMPARED_SEED = 0xFFFFFF00
"""Seed of the compared motions: no variation that a person looks at was used to choose."""

BARS: dict[str, tuple[float, float, float]] = {
    "coverage": (0.98, np.inf, 0.1),
    "window_frechet": (0.0, 1.3, 1.0),
    "rotation_frechet": (0.0, 1.3, 1.0),
    "roughness": (0.9, 1.15, 0.2),
    "jerk_95_ratio": (0.0, 1.35, 0.3),
    "foot_skating_ratio": (0.0, 1.0, 0.5),
    "same_time": (0.0, 0.3, 0.2),
    "between": (0.7, np.inf, 0.2),
}
"""Least and largest value of each figure, and the excess that weighs as much as any other's."""

LIKENESS_WEIGHT = 0.25
"""Weight of the sum of both Fréchet distances beside the excesses."""


LEAST_GAIN = 0.1
"""Distance from the bars that a level must win over the same model matched instead of it: two motions are measured, and
by chance alone a level would go on for a minute or two."""


class LevelChoice:
    """Decides during a training whether further levels are worth their time, and in the end which ones are kept.

    `model` is set once a level has added nothing: the model without that level, whose figures are as good.
    """

    def __init__(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._should_stop, self._check_cancelled = should_stop, cancel_check(should_stop)
        self.model: Model | None = None

    def is_made(self) -> bool:
        """Return whether a level has added nothing, so that the training can end."""
        return self.model is not None

    def compare(self, model: Model) -> None:
        """Compare a model so far of two levels or more with itself without the last of them. Raises Cancelled."""
        if model.matched is None or model.trained_levels < 2:
            return
        lower = coupled_above(model, model.trained_levels - 1, self._check_cancelled)
        one, other = (distance_from_bars(figures_of(each, self._check_cancelled)) for each in (lower, model))
        if one <= other + LEAST_GAIN:
            self.model = lower

    def best(self, trained: Model) -> Model:
        """Return the best of a training's models, given the one with which it ended. Raises Cancelled."""
        if self.model is not None:
            return replace(self.model, seconds=trained.seconds, history=trained.history, fraction=1.0)
        return trained if trained.matched is not None else best_matched(trained, self._should_stop)


def best_matched(model: Model, should_stop: Callable[[], bool] = lambda: False) -> Model:
    """Return a trained model with its upper levels matched from the level on where that is best, or as it is.

    Raises Cancelled soon after `should_stop` says so.
    """
    check_cancelled = cancel_check(should_stop)
    best, least = model, distance_from_bars(figures_of(model, check_cancelled))
    for level in (one for one in CANDIDATE_LEVELS if one < model.recipe.levels):
        candidate = coupled_above(model, level, check_cancelled)
        distance = distance_from_bars(figures_of(candidate, check_cancelled))
        if distance < least:
            best, least = candidate, distance
    return best


def distance_from_bars(figures: dict[str, float]) -> float:
    """Return how far figures are outside their bars, plus their likeness to the source; less is better."""
    distance = LIKENESS_WEIGHT * (figures["window_frechet"] + figures["rotation_frechet"])
    for name, (low, high, unit) in BARS.items():
        if name in figures:
            distance += max(low - figures[name], figures[name] - high, 0.0) / unit
    return distance


def figures_of(model: Model, check_cancelled: Callable[[], None] = lambda: None) -> dict[str, float]:
    """Measure the figures of BARS on a few motions of a model, as long as its source."""
    source = model.source
    count = min(COMPARED_MOTIONS, max(1, COMPARED_ROWS // source.frames))
    motions = generate(model, frames=source.frames, count=count, seed=COMPARED_SEED)
    rows = [_figures(source, motion, check_cancelled) for motion in motions]
    figures = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    if count > 1:
        figures["between"] = between([rotation_features(motion) for motion in motions], rotation_features(source))
    return figures


def _figures(source: Motion, motion: Motion, check_cancelled: Callable[[], None]) -> dict[str, float]:
    return {
        "window_frechet": frechet_to_source(position_windows(source), position_windows(motion)),
        "rotation_frechet": frechet_to_source(rotation_windows(source), rotation_windows(motion)),
        **figures_beside(source, motion, check_cancelled),
    }
