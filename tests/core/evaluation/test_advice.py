"""Advice on models: what to do is said where the figures tell it, and nothing where all is well."""

from __future__ import annotations

import pytest

from core.evaluation import advice as words
from core.evaluation.advice import advice
from core.evaluation.grade import grade

GOOD = {"coverage": 0.98, "global_diversity": 1.5, "same_time": 0.1, "between": 0.9, "roughness": 0.9}
MODEL = {"recipe": "fast", "iterations": [2000, 500], "duration": 20.0, "fraction": 1.0, "contacts": ["Foot"]}


def test_nothing_is_said_of_a_good_model() -> None:
    assert grade(GOOD) == "Good"
    assert advice({**MODEL, "quality": GOOD}) == []
    assert advice({**MODEL, "quality": {}}) == []


@pytest.mark.parametrize(
    ("model", "figures", "told"),
    [
        ({}, {"roughness": 1.5}, words.CALMER),
        ({"iterations": [200, 50]}, {"roughness": 1.5}, words.TRAIN_LONGER),
        ({"iterations": [200, 50]}, {"coverage": 0.3}, words.TRAIN_LONGER),
        ({"fraction": 0.4}, {"coverage": 0.3}, words.TRAIN_LONGER),
        ({"duration": 4.0}, {"same_time": 0.9}, words.LONGER_CLIP),
        ({"recipe": "instant", "iterations": [0]}, {"between": 0.3}, words.TRAIN),
        ({}, {"global_diversity": 0.1}, words.STRONGER),
        ({}, {"foot_skating_ratio": 3.0}, words.CLEAN_FEET),
        ({"contacts": []}, {"foot_skating_ratio": 3.0}, words.CHOOSE_FEET),
    ],
)
def test_the_first_advice_fits_what_is_wrong(model: dict[str, object], figures: dict[str, float], told: str) -> None:
    assert advice({**MODEL, **model, "quality": {**GOOD, **figures}})[0] == told


def test_no_word_without_the_figures_that_matter() -> None:
    assert grade({"roughness": 0.9}) == ""
    assert grade({"coverage": 0.98, "global_diversity": 1.5, "roughness": 0.9}) == "Good"
    assert grade({"same_time": 0.99}) == "Poor", "copies are told by that alone"
