"""How much noise each level gets when a model is sampled: as much as makes the motion as lively as its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .clean_feet import clean_feet
from .flips import repair_flips
from .generate import Sampler
from .model import Model
from .quality import roughness_figures

NOISES = ((1.0, 0.1), (1.0, 0.2), (1.0, 0.3), (1.0, 0.45), (1.0, 0.6), (1.25, 0.6), (1.5, 0.6))
"""Shares of σ_i at the first level and above it that are tried, from calm to lively."""

SAMPLES = 4
SEED = 0xFFFFFFFF
"""Seeds from here down, which nobody is likely to look at: no variation is judged by what was used to choose."""


def calibrated(model: Model, ask_stop: Callable[[], None] = lambda: None) -> Model:
    """The model with the noise at which its motions come nearest to the source's roughness.

    Fine noise makes variations differ a little more and shake more, and how much more depends on the clip; a clip that
    hardly moves, like an idle, wants more coarse noise to vary at all. `ask_stop` is called often and may raise.
    """
    best, gap = model, float("inf")
    for coarse, fine in NOISES:
        candidate = with_noise(model, coarse, fine)
        roughness = mean_roughness(candidate, ask_stop)
        if abs(roughness - 1.0) >= gap:
            break
        best, gap = candidate, abs(roughness - 1.0)
        if roughness >= 1.0:
            break
    return best


def with_noise(model: Model, coarse: float, fine: float) -> Model:
    """The model as it is sampled with these shares of σ_i at the first level and at all above it."""
    noise = (coarse, *(fine,) * (model.recipe.levels - 1))
    return replace(model, recipe=replace(model.recipe, sampling_noise=noise))


def mean_roughness(model: Model, ask_stop: Callable[[], None] = lambda: None) -> float:
    """Roughness of a few motions as users get them, over that of the source."""
    source, sampler = model.source, Sampler(model)
    figures = []
    for number in range(SAMPLES):
        ask_stop()
        (motion,) = sampler.sample(2 * source.frames, 1, SEED - number)
        cleaned = clean_feet(repair_flips(motion, source), source)
        figures.append(roughness_figures(source, cleaned)["roughness"])
    return float(np.mean(figures))
