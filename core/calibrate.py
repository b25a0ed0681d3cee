"""How much noise the finer levels get when a model is sampled: as much as leaves the motion as smooth as its source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .clean_feet import clean_feet
from .flips import repair_flips
from .generate import Sampler
from .model import Model
from .quality import roughness_figures

FINE = (0.6, 0.45, 0.3, 0.2, 0.1)
"""Shares of σ_i that are tried for the levels above the first, from much to little."""

SAMPLES = 3
SEED = 0xFFFFFFFF
"""A seed that nobody is likely to look at, so that no variation is measured that was used to choose."""


def calibrated(model: Model) -> Model:
    """The model with the most fine noise at which its motions are no rougher than the source, or with the least.

    Noise of fine levels makes variations differ a little more and shake more; how much more depends on the clip.
    """
    for share in FINE:
        candidate = with_fine_noise(model, share)
        if mean_roughness(candidate) <= 1.0:
            break
    return candidate


def with_fine_noise(model: Model, share: float) -> Model:
    """The model as it is sampled with this share of σ_i at all levels above the first."""
    first, *rest = model.recipe.sampling_noise
    return replace(model, recipe=replace(model.recipe, sampling_noise=(first, *(share for _ in rest))))


def mean_roughness(model: Model) -> float:
    """Roughness of a few motions as users get them, over that of the source."""
    source = model.source
    motions = [repair_flips(motion, source) for motion in Sampler(model).sample(2 * source.frames, SAMPLES, SEED)]
    figures = [roughness_figures(source, clean_feet(motion, source))["roughness"] for motion in motions]
    return float(np.mean(figures))
