"""How good a trained model is: its figures measured once, when training ends, and what they come to in one word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import TrainingStopped
from ..model.model import Model
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample
from .artefacts import foot_figures, roughness_figures
from .metrics import compared_features, coverage, global_diversity

SAMPLES = 3
ROWS = 3000
"""Variations that are measured, and how many rows of them are enough where the source is long; more would tell little
more and keep the person waiting."""


@dataclass(frozen=True)
class Limit:
    """A figure within `good` (low, high) is good, within `fair` it will do; `text` says what it is about."""

    figure: str
    good: tuple[float, float]
    fair: tuple[float, float]
    text: str


LIMITS = (
    Limit("coverage", (0.9, 1.0), (0.7, 1.0), "{:.0%} of the source's moves appear"),
    Limit("global_diversity", (0.4, 9.0), (0.2, 99.0), "difference from the source {:.2f} (0 is a copy)"),
    Limit("roughness", (0.0, 1.3), (0.0, 2.0), "roughness {:.2f} times the source's"),
    Limit("foot_skating_ratio", (0.0, 1.3), (0.0, 2.5), "foot sliding {:.2f} times the source's"),
)
"""What an animator would look at first; salsa and walk of the benchmark are good by these, the sample dance fair."""


def verdict(figures: dict[str, float]) -> str:
    """Good, Fair or Poor, by the worst figure; empty where nothing was measured."""
    known = [limit for limit in LIMITS if limit.figure in figures]
    if not known:
        return ""
    if all(limit.good[0] <= figures[limit.figure] <= limit.good[1] for limit in known):
        return "Good"
    if all(limit.fair[0] <= figures[limit.figure] <= limit.fair[1] for limit in known):
        return "Fair"
    return "Poor"


def explain(figures: dict[str, float]) -> list[str]:
    """The figures behind the word, a line each."""
    return [limit.text.format(figures[limit.figure]) for limit in LIMITS if limit.figure in figures]


def with_quality(model: Model, should_stop: Callable[[], bool] = lambda: False) -> Model:
    """The same model with its figures, measured on a few variations as long as the source; takes seconds.

    Raises TrainingStopped soon after `should_stop` says so.
    """
    from ..generation.generate import generate

    def ask_stop() -> None:
        if should_stop():
            raise TrainingStopped("Training was cancelled.")

    ask_stop()
    source = resample(model.source, RATE)
    samples = generate(model, count=min(SAMPLES, -(-ROWS // source.frames)), seed=1)
    rows = [_figures(source, resample(sample, RATE), ask_stop) for sample in samples]
    quality = {limit.figure: [row[limit.figure] for row in rows if limit.figure in row] for limit in LIMITS}
    return replace(model, quality={name: float(np.mean(values)) for name, values in quality.items() if values})


def _figures(source: Motion, sample: Motion, ask_stop: Callable[[], None]) -> dict[str, float]:
    """What `evaluate` says of one sample, but only what is looked at; that of other figures takes minutes for minutes.

    Raises ClipError for motions of about a second.
    """
    ours, theirs = compared_features(sample), compared_features(source)
    return {
        "coverage": coverage(theirs, ours, ask_stop=ask_stop),
        "global_diversity": global_diversity(theirs, ours, ask_stop=ask_stop),
        **roughness_figures(source, sample),
        **foot_figures(source, sample),
    }
