"""The noise that a finished model is sampled with is chosen by what it leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.calibrate import NOISES, calibrated, mean_roughness, with_noise
from core.model import Model
from core.motion import Motion
from core.recipe import FAST
from core.train import train


@pytest.fixture(scope="module")
def tiny_model(make_walker: Callable[[float], Motion]) -> Model:
    recipe = replace(FAST, iterations=(30, 20, 20, 20), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    return train(make_walker(3.0), recipe)


def test_the_choice_is_nearest_to_the_sources_roughness(tiny_model: Model) -> None:
    chosen = calibrated(tiny_model)
    coarse, fine = chosen.recipe.sampling_noise[:2]
    assert (coarse, fine) in NOISES
    assert chosen.recipe.sampling_noise == (coarse, *(fine,) * (FAST.levels - 1))
    gap = abs(mean_roughness(chosen) - 1.0)
    place = NOISES.index((coarse, fine))
    neighbours = NOISES[max(place - 1, 0) : place + 2]
    assert all(gap <= abs(mean_roughness(with_noise(tiny_model, *noise)) - 1.0) for noise in neighbours)


def test_more_fine_noise_is_rougher(tiny_model: Model) -> None:
    assert mean_roughness(with_noise(tiny_model, 1.0, 2.0)) > mean_roughness(with_noise(tiny_model, 1.0, 0.0))


def test_a_trained_model_has_the_noise_that_was_chosen(tiny_model: Model) -> None:
    assert tiny_model.recipe.calibrate
    assert tiny_model.recipe.sampling_noise == calibrated(tiny_model).recipe.sampling_noise
