"""The noise that a finished model is sampled with is chosen by what it leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.calibrate import FINE, calibrated, mean_roughness, with_fine_noise
from core.model import Model
from core.motion import Motion
from core.recipe import FAST
from core.train import train


@pytest.fixture(scope="module")
def tiny_model(make_walker: Callable[[float], Motion]) -> Model:
    recipe = replace(FAST, iterations=(30, 20, 20, 20), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    return train(make_walker(3.0), recipe)


def test_the_choice_is_no_rougher_than_the_source_or_the_calmest(tiny_model: Model) -> None:
    chosen = calibrated(tiny_model)
    share = chosen.recipe.sampling_noise[1]
    assert share in FINE
    assert chosen.recipe.sampling_noise == (FAST.sampling_noise[0], *(share,) * (FAST.levels - 1))
    assert mean_roughness(chosen) <= 1.0 or share == FINE[-1]
    louder = [other for other in FINE if other > share]
    assert all(mean_roughness(with_fine_noise(tiny_model, other)) > 1.0 for other in louder)


def test_more_fine_noise_is_rougher(tiny_model: Model) -> None:
    assert mean_roughness(with_fine_noise(tiny_model, 2.0)) > mean_roughness(with_fine_noise(tiny_model, 0.0))


def test_the_models_noise_is_what_was_chosen(tiny_model: Model) -> None:
    assert tiny_model.recipe.sampling_noise == calibrated(tiny_model).recipe.sampling_noise
    assert replace(tiny_model.recipe, sampling_noise=FAST.sampling_noise).calibrate
