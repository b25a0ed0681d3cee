"""Calibration of the sampling noise of each level: the most variety at bounded roughness, foot skating and coverage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..evaluation.artefacts import MIN_FOOT_SPEED, foot_skating, roughness_figures
from ..evaluation.metrics import COVERAGE_WINDOW_ROWS, compared_features, coverage
from ..generation.generate import Sampler
from ..model.model import Model
from ..motion.feet_cleanup import clean_feet
from ..motion.flips import repair_flips

COARSE_SHARES = (1.5, 1.25, 1.0, 0.85)
FINE_SHARES = (0.1, 0.2, 0.3, 0.45, 0.6)
"""Shares of σ_i that are tried at the first level, and at all above it."""

MAX_ROUGHNESS = 1.05
MAX_RAW_SKATING = 2.8
MIN_COVERAGE = 0.99
"""Bounds on a share of the first level, but for the least: roughness and, before clean-up, foot skating, both relative
to the source's, and coverage of the source.
"""

MAX_SAMPLES = 4
MAX_ROWS = 6000
"""Motions that are measured at each setting, and how many rows of them are enough where the source is long."""

FIRST_SEED = 0xFFFFFFFF
"""Seeds from here down, which nobody is likely to look at: no variation is judged by what was used to choose."""


@dataclass(frozen=True)
class Sampled:
    """Figures of a few motions: roughness and foot skating over the source's, and coverage of the source.

    Skating is that before the clean-up of feet, the others are those of motions as users get them.
    """

    roughness: float
    sliding: float
    coverage: float

    @property
    def calm_and_like(self) -> bool:
        """Return whether roughness, foot skating and coverage are within their bounds."""
        return self.roughness <= MAX_ROUGHNESS and self.sliding <= MAX_RAW_SKATING and self.coverage >= MIN_COVERAGE


def calibrated(model: Model, check_cancelled: Callable[[], None] = lambda: None) -> Model:
    """The model with as much coarse noise as it bears, then the fine noise that is nearest to the source's roughness.

    Fine noise makes variations differ a little more and shake more, coarse noise makes them differ a lot, and how much
    of both a model bears depends on the clip. `check_cancelled` is called often and may raise.
    """

    def figures(coarse: float, fine: float) -> Sampled:
        return sampled(with_noise(model, coarse, fine), check_cancelled)

    return with_noise(model, *choose_noise(figures))


def choose_noise(figures: Callable[[float, float], Sampled]) -> tuple[float, float]:
    """Choose the shares of σ_i at the first level and above it by the figures of motions that are sampled so."""
    for coarse in COARSE_SHARES:
        calmest = figures(coarse, FINE_SHARES[0])
        if calmest.calm_and_like:
            break
    best, gap = FINE_SHARES[0], abs(calmest.roughness - 1.0)
    for fine in FINE_SHARES[1:]:
        if calmest.roughness >= 1.0 or (wide := abs(figures(coarse, fine).roughness - 1.0)) > gap:
            break
        best, gap = fine, wide
    return coarse, best


def with_noise(model: Model, coarse: float, fine: float) -> Model:
    """The model as it is sampled with these shares of σ_i at the first level and at all above it."""
    noise = (coarse, *(fine,) * (model.recipe.levels - 1))
    return replace(model, sampling_noise=noise)


def sampled(model: Model, check_cancelled: Callable[[], None] = lambda: None) -> Sampled:
    """Measure a few motions of a model, twice as long as its source."""
    source, sampler = model.source, Sampler(model)
    features, figures = compared_features(source), []
    reference = max(foot_skating(source), MIN_FOOT_SPEED)
    frames = 2 * source.frames
    for number in range(min(MAX_SAMPLES, -(-MAX_ROWS // frames))):
        check_cancelled()
        (raw,) = sampler.sample(frames, 1, FIRST_SEED - number)
        motion = repair_flips(raw, source)
        cleaned = clean_feet(motion, source)
        covered = 1.0
        if source.frames > COVERAGE_WINDOW_ROWS:
            covered = coverage(features, compared_features(cleaned), check_cancelled=check_cancelled)
        roughness = roughness_figures(source, cleaned)["roughness"]
        figures.append((roughness, foot_skating(motion) / reference, covered))
    return Sampled(*(float(value) for value in np.mean(figures, axis=0)))
