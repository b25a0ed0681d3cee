"""The noise that a finished model is sampled with is chosen by what it leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.model.model import Model
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.training.calibration import COARSE, COVERED, FINE, ROUGHEST, SLIDING, calibrated, sampled, with_noise
from core.training.train import train


@pytest.fixture(scope="module")
def tiny_model(make_walker: Callable[[float], Motion]) -> Model:
    recipe = replace(FAST, iterations=(30, 20, 20, 20), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    return train(make_walker(3.0), recipe)


def test_a_trained_model_has_the_noise_that_was_chosen(tiny_model: Model) -> None:
    assert tiny_model.recipe.calibrate
    assert tiny_model.sampling_noise == calibrated(tiny_model).sampling_noise


def test_fine_noise_is_the_nearest_to_the_sources_roughness(tiny_model: Model) -> None:
    coarse, fine, *rest = calibrated(tiny_model).sampling_noise
    assert coarse in COARSE
    assert fine in FINE
    assert rest == [fine, fine]
    gaps = {other: abs(sampled(with_noise(tiny_model, coarse, other)).roughness - 1.0) for other in FINE}
    place = FINE.index(fine)
    assert all(gaps[fine] <= gaps[other] for other in FINE[max(place - 1, 0) : place + 2])


def test_coarse_noise_is_the_most_that_keeps_calm_and_likeness(tiny_model: Model) -> None:
    coarse = calibrated(tiny_model).sampling_noise[0]
    fits = []
    for share in COARSE:
        figures = sampled(with_noise(tiny_model, share, FINE[0]))
        calm = figures.roughness <= ROUGHEST and figures.sliding <= SLIDING
        fits.append(calm and figures.coverage >= COVERED)
    assert coarse == (COARSE[fits.index(True)] if any(fits) else COARSE[-1])


def test_more_fine_noise_is_rougher(tiny_model: Model) -> None:
    assert sampled(with_noise(tiny_model, 1.0, 2.0)).roughness > sampled(with_noise(tiny_model, 1.0, 0.0)).roughness
