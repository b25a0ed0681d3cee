"""Choice of the levels that a trained model keeps, by the figures of a few of its motions; the others are matched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import cancel_check
from ..evaluation.copying import between, random_distance
from ..evaluation.frechet import frechet_to_source, position_windows, rotation_windows
from ..evaluation.metrics import global_diversity, rotation_features
from ..generation.coupled_levels import coupled_above
from ..generation.generate import generate
from ..matching.instant import instant_model, without_networks
from ..model.model import Model
from ..motion.motion import Motion
from .quality import figures_beside

CANDIDATE_LEVELS = (2, 1)
"""Levels, counted from 1, above which all others are tried matched; the fourth alone hardly differs from the third."""

COMPARED_LENGTHS = (1, 2)
"""Lengths of the compared motions, in lengths of the source; the second only where it fits COMPARED_ROWS."""

COMPARED_MOTIONS = 6
"""Motions of each candidate and length at most."""

COMPARED_ROWS = 2000
"""Rows of the motions of each candidate and length together, about: fewer motions of a long source."""

COMPARED_SEED = 0xFFFFFF00
"""Seed of the compared motions: no variation that a person looks at was used to choose."""

BARS: dict[str, tuple[float, float, float]] = {
    "coverage": (0.98, np.inf, 0.1),
    "rotation_share": (0.27, np.inf, 0.1),
    "window_frechet": (0.0, 1.25, 1.0),
    "rotation_frechet": (0.0, 1.25, 1.0),
    "roughness": (0.92, 1.13, 0.2),
    "jerk_95_ratio": (0.0, 1.3, 0.3),
    "foot_skating_ratio": (0.0, 0.98, 0.5),
    "same_time": (0.0, 0.28, 0.2),
    "between": (0.75, np.inf, 0.2),
}
"""Least and largest value of each figure, a little within the bars of variations, since few are measured; and the
excess that weighs as much as any other's."""

UNLIKENESS_WEIGHT = 0.25
"""Weight of the sum of both Fréchet distances beside the excesses."""

LEAST_GAIN = 0.1
"""Distance from the bars that a level must win over the same model matched instead of it, for another one to be worth
its time, and networks over none: few motions are measured, two of a long clip, and chance alone wins less."""


@dataclass(frozen=True)
class Standing:
    """Sum of how far a model's figures are outside BARS, and its weighted Fréchet distances from the source."""

    excess: float
    unlikeness: float

    @property
    def distance(self) -> float:
        """Sum of both; less is better."""
        return self.excess + self.unlikeness


class LevelChoice:
    """Decides during a training whether further levels are worth their time, and in the end which ones are kept.

    `model` is set once a level has added too little: the model with which the training ends. A model has no networks at
    all where some figure is outside its bar and they win less than LEAST_GAIN over the clip without them: but not a
    model of several clips, which networks tell apart, nor one that is to be trained up to a certain level.
    """

    def __init__(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._check_cancelled = cancel_check(should_stop)
        self.model: Model | None = None
        self._instant: Model | None = None
        self._standings: dict[Model, Standing] = {}

    def is_made(self) -> bool:
        """Return whether a level has added too little, so that the training can end."""
        return self.model is not None

    def compare(self, model: Model) -> None:
        """Compare a model of finished levels with itself without the last of them. Raises Cancelled."""
        levels = model.trained_levels
        if levels > 1:
            lower = coupled_above(model, levels - 1, self._check_cancelled)
            if self._distance(lower) <= self._distance(model) + LEAST_GAIN:
                self.model = lower
        elif _can_go_without(model) and self._distance(self._bare(model)) <= self._distance(model) + LEAST_GAIN:
            self.model = model  # a further level would hardly pay; whether this one is kept, its standing decides

    def shown(self, model: Model) -> Model:
        """Return a model so far as it is best handed on. Raises Cancelled."""
        return replace(self._or_without_networks(self.model or model), fraction=model.fraction)

    def best(self, trained: Model) -> Model:
        """Return the best of a training's models, given the one with which it ended. Raises Cancelled."""
        best = self.model or trained
        if best.matched is None:
            levels = [level for level in CANDIDATE_LEVELS if level < trained.recipe.levels]
            matched = [coupled_above(trained, level, self._check_cancelled) for level in levels]
            best = min([trained, *matched], key=self._distance)
        best = self._or_without_networks(best)
        return replace(best, seconds=trained.seconds, history=trained.history, fraction=1.0)

    def _or_without_networks(self, model: Model) -> Model:
        if not _can_go_without(model) or not self._standing(model).excess:
            return model
        if self._distance(model) + LEAST_GAIN < self._distance(self._bare(model)):
            return model
        return without_networks(model, self._bare(model))

    def _bare(self, model: Model) -> Model:
        """Return the instant model of the clip, made once."""
        if self._instant is None:
            self._instant = instant_model(model.source, model.name, check_cancelled=self._check_cancelled)
        return self._instant

    def _distance(self, model: Model) -> float:
        return self._standing(model).distance

    def _standing(self, model: Model) -> Standing:
        """Return the standing of a model, measured once."""
        if model not in self._standings:
            self._standings[model] = standing_of(model, self._check_cancelled)
        return self._standings[model]


def _can_go_without(model: Model) -> bool:
    return not model.clips and all(model.recipe.iterations)


def standing_of(model: Model, check_cancelled: Callable[[], None] = lambda: None) -> Standing:
    """Measure the motions of a model, the mean of COMPARED_LENGTHS."""
    lengths = [one for one in COMPARED_LENGTHS if one == 1 or one * model.source.frames <= COMPARED_ROWS]
    measured = [standing(figures_of(model, check_cancelled, length)) for length in lengths]
    return Standing(
        float(np.mean([one.excess for one in measured])), float(np.mean([one.unlikeness for one in measured]))
    )


def standing(figures: dict[str, float]) -> Standing:
    """Return how far figures are outside BARS, and how unlike the source they are."""
    excess = 0.0
    for name, (low, high, unit) in BARS.items():
        if name in figures:
            excess += max(low - figures[name], figures[name] - high, 0.0) / unit
    return Standing(excess, UNLIKENESS_WEIGHT * (figures["window_frechet"] + figures["rotation_frechet"]))


def figures_of(model: Model, check_cancelled: Callable[[], None] = lambda: None, length: int = 1) -> dict[str, float]:
    """Measure the figures of BARS on a few motions of a model, `length` times as long as its source."""
    source, frames = model.source, length * model.source.frames
    count = min(COMPARED_MOTIONS, max(1, COMPARED_ROWS // frames))
    motions = generate(model, frames=frames, count=count, seed=COMPARED_SEED)
    rows = [_figures(source, motion, check_cancelled) for motion in motions]
    figures = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    if count > 1:
        figures["between"] = between([rotation_features(motion) for motion in motions], rotation_features(source))
    return figures


def _figures(source: Motion, motion: Motion, check_cancelled: Callable[[], None]) -> dict[str, float]:
    rotations = rotation_features(source)
    diversity = global_diversity(rotations, rotation_features(motion), check_cancelled=check_cancelled)
    return {
        "rotation_share": diversity / max(random_distance(rotations), 1e-9),
        "window_frechet": frechet_to_source(position_windows(source), position_windows(motion)),
        "rotation_frechet": frechet_to_source(rotation_windows(source), rotation_windows(motion)),
        **figures_beside(source, motion, check_cancelled),
    }
