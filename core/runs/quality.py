"""Quality figures of a trained model, measured on a few variations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..errors import cancel_check
from ..evaluation.artefacts import foot_figures, roughness_figures
from ..evaluation.copying import between, same_time
from ..evaluation.grade import LIMITS
from ..evaluation.metrics import compared_features, coverage, global_diversity, rotation_features
from ..generation.generate import generate
from ..model.model import Model
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample

MEASURED_VARIATIONS = 3
"""Variations that are measured at most."""

MEASURED_ROWS = 3000
"""Rows of variations after which no further one is measured: more would tell little more and keep the user waiting."""


def with_quality(model: Model, should_stop: Callable[[], bool] = lambda: False) -> Model:
    """The model with its figures, measured on a few variations as long as the source; takes seconds.

    Raises Cancelled soon after `should_stop` says so.
    """
    check_cancelled = cancel_check(should_stop)
    check_cancelled()
    source = resample(model.source, RATE)
    count = min(MEASURED_VARIATIONS, -(-MEASURED_ROWS // source.frames))
    samples = generate(model, frames=source.frames, count=count, seed=1)
    samples = [resample(sample, RATE) for sample in samples]
    rows = [_figures(source, sample, check_cancelled) for sample in samples]
    measured = {limit.figure: [row[limit.figure] for row in rows if limit.figure in row] for limit in LIMITS}
    quality = {name: float(np.mean(values)) for name, values in measured.items() if values}
    if len(samples) > 1:
        quality["between"] = between([rotation_features(sample) for sample in samples], rotation_features(source))
    return replace(model, quality=quality)


def _figures(source: Motion, sample: Motion, check_cancelled: Callable[[], None]) -> dict[str, float]:
    """The subset of `metrics.evaluate` used for grading; the full set takes about one minute per minute of motion.

    Raises ClipError for motions of about a second.
    """
    ours, theirs = compared_features(sample), compared_features(source)
    return {
        "global_diversity": global_diversity(theirs, ours, check_cancelled=check_cancelled),
        **figures_beside(source, sample, check_cancelled),
    }


def figures_beside(source: Motion, sample: Motion, check_cancelled: Callable[[], None]) -> dict[str, float]:
    """Measure coverage, copying, roughness and feet of a motion beside its source.

    Repeated cycles have no figure of copying: each cycle is at the same time as another. Raises ClipError for motions
    of about a second.
    """
    figures = {
        "coverage": coverage(compared_features(source), compared_features(sample), check_cancelled=check_cancelled),
        **roughness_figures(source, sample),
        **foot_figures(source, sample),
    }
    if not source.repeats:
        figures["same_time"] = same_time(rotation_features(source), rotation_features(sample), check_cancelled)
    return figures
