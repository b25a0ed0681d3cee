"""The noise that a finished model is sampled with is chosen by what it leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.generation.generate import Sampler
from core.model.model import Model
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.training.calibration import FINE_SHARES, Sampled, calibrated, choose_noise, sampled, with_noise
from core.training.train import train


@pytest.fixture(scope="module")
def tiny_model(make_walker: Callable[[float], Motion]) -> Model:
    recipe = replace(FAST, iterations=(30, 20, 20, 20), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    return train(make_walker(3.0), recipe)


def test_a_trained_model_has_the_noise_that_was_chosen(tiny_model: Model) -> None:
    assert tiny_model.recipe.calibrate
    assert tiny_model.sampling_noise == calibrated(tiny_model).sampling_noise


@pytest.mark.parametrize(
    ("figures", "chosen"),
    [
        (lambda coarse, fine: Sampled(0.8 + fine, 1.0, 1.0), (1.5, 0.2)),
        (lambda coarse, fine: Sampled(0.95 * coarse + 0.1 * fine, 1.0, 1.0), (1.0, 0.45)),
        (lambda coarse, fine: Sampled(0.7 + fine, 2.0 * coarse, 1.0), (1.25, 0.3)),
        (lambda coarse, fine: Sampled(0.7 + fine, 1.0, 1.0 if coarse < 1.0 else 0.9), (0.85, 0.3)),
        (lambda coarse, fine: Sampled(2.0 + fine, 5.0, 0.5), (0.85, 0.1)),
        (lambda coarse, fine: Sampled(1.02 - 0.1 * fine, 1.0, 1.0), (1.5, 0.1)),
    ],
    ids=["nearest roughness", "too rough", "slides", "leaves parts out", "nothing fits", "rough already"],
)
def test_the_most_coarse_noise_that_fits_then_the_nearest_fine_noise(
    figures: Callable[[float, float], Sampled], chosen: tuple[float, float]
) -> None:
    assert choose_noise(figures) == chosen


def roughness_on_other_seeds(model: Model) -> float:
    """Mean second difference of rotations over the source's, by a formula and by seeds that nothing was chosen by."""

    def shaking(motion: Motion) -> float:
        return float(np.abs(np.diff(motion.rotations(), 2, axis=0)).mean())

    sampler = Sampler(model)
    motions = [sampler.sample(2 * model.source.frames, 1, seed)[0] for seed in range(100, 106)]
    return float(np.mean([shaking(motion) for motion in motions])) / shaking(model.source)


def test_what_was_chosen_is_about_as_rough_as_the_source_as_noise_can_make_it(tiny_model: Model) -> None:
    coarse, chosen, *_ = tiny_model.sampling_noise
    gaps = {fine: abs(roughness_on_other_seeds(with_noise(tiny_model, coarse, fine)) - 1.0) for fine in FINE_SHARES}
    assert gaps[chosen] <= min(gaps.values()) + 0.05
    assert max(gaps.values()) > gaps[chosen], "the noise makes no difference here"


def test_more_fine_noise_is_rougher(tiny_model: Model) -> None:
    assert sampled(with_noise(tiny_model, 1.0, 2.0)).roughness > sampled(with_noise(tiny_model, 1.0, 0.0)).roughness
