"""Trainings that can be used before they end, end early, or train some levels alone: the others are matched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import Cancelled, ModelError
from core.generation.coupled_levels import coupled_above
from core.generation.generate import generate
from core.model.model import Model
from core.model.model_file import load_model, read_info, save_model
from core.model.recipe import FAST, PAPER
from core.runs.matched_choice import BARS, LEAST_GAIN, LevelChoice, best_matched, distance_from_bars, figures_of
from core.runs.run import run_training
from core.training.checkpoint import begin
from core.training.train import train
from tests.support.motions import walking_motion

TINY = replace(FAST, iterations=(8, 2, 1, 2))


@pytest.fixture(scope="module")
def models() -> list[Model]:
    """The models that a tiny training hands on, and the finished one."""
    handed: list[Model] = []
    model = train(walking_motion(4.0), TINY, on_model=handed.append, device="cpu")
    return [*handed, model]


def test_models_on_the_way_are_complete(models: list[Model], tmp_path: Path) -> None:
    *handed, finished = models
    assert len(handed) == 3 + 3, "three in the first level, one after each level but the last"
    assert [model.trained_levels for model in handed] == [1, 1, 1, 1, 2, 3]
    fractions = [model.fraction for model in handed]
    assert fractions == sorted(fractions)
    assert 0.0 < fractions[0] < fractions[-1] < 1.0
    assert (finished.fraction, finished.trained_levels, finished.matched) == (1.0, 4, None)
    for number, model in enumerate(handed):
        save_model(model, tmp_path / f"{number}.safetensors")
        info = read_info(tmp_path / f"{number}.safetensors")
        assert info["levels"] == [model.trained_levels, 4]
        assert info["fraction"] == model.fraction
        motion = generate(load_model(tmp_path / f"{number}.safetensors"), frames=90, torch=False)[0]
        assert np.isfinite(motion.features).all()


def test_handing_on_models_does_not_change_the_training(models: list[Model]) -> None:
    plain = train(walking_motion(4.0), TINY, device="cpu")
    for name, weights in models[-1].weights.items():
        np.testing.assert_array_equal(plain.weights[name], weights)


@pytest.mark.parametrize(("steps", "levels"), [(1, 1), (8, 1), (9, 2), (11, 3)])
def test_a_training_that_ends_early_keeps_what_is_trained(steps: int, levels: int) -> None:
    done: list[int] = []

    def is_enough() -> bool:
        return bool(done) and done[-1] >= steps

    model = train(
        walking_motion(4.0), TINY, lambda p: done.append(p.step), device="cpu", report_seconds=0.0, is_enough=is_enough
    )
    assert model.trained_levels == levels
    assert done[-1] == steps
    assert np.isfinite(generate(model, frames=90)[0].features).all()


def test_levels_can_be_left_to_matching() -> None:
    model = train(walking_motion(4.0), TINY.until(2), device="cpu")
    assert (model.trained_levels, model.fraction) == (2, 1.0)
    assert model.recipe.iterations == (8, 2, 0, 0)
    whole = train(walking_motion(4.0), TINY, device="cpu")
    for name, weights in model.weights.items():
        np.testing.assert_array_equal(whole.weights[name], weights)
    with pytest.raises(ModelError, match="levels 1 to 4"):
        TINY.until(5)
    assert FAST.until(4) == FAST


class Heard(list[tuple[str, Any]]):
    def __call__(self, kind: str, value: Any) -> None:
        self.append((kind, value))

    def values(self, kind: str) -> list[Any]:
        return [value for one, value in self if one == kind]


def test_the_model_so_far_lies_where_the_finished_one_will(tmp_path: Path) -> None:
    path, heard = tmp_path / "walk.safetensors", Heard()
    seen: list[float] = []

    def hear(kind: str, value: Any) -> None:
        heard(kind, value)
        if kind == "interim":
            seen.append(load_model(path).fraction)

    run_training(
        begin(walking_motion(4.0), TINY), path, hear, lambda: False, device="cpu", estimate=False, interim=True
    )
    assert seen == heard.values("interim")
    assert len(seen) >= 5  # three of the first level, and the end of each level but the last, unless one adds nothing
    assert load_model(path).fraction == 1.0
    assert load_model(path).quality


def test_a_cancelled_training_leaves_no_model(tmp_path: Path) -> None:
    path, heard = tmp_path / "walk.safetensors", Heard()
    with pytest.raises(Cancelled):
        run_training(
            begin(walking_motion(4.0), TINY),
            path,
            heard,
            lambda: len(heard.values("interim")) > 1,
            device="cpu",
            estimate=False,
            interim=True,
        )
    assert heard.values("interim")
    assert not path.exists()


def test_without_asking_no_model_is_there_before_the_end(tmp_path: Path) -> None:
    path, heard = tmp_path / "walk.safetensors", Heard()
    recipe = replace(PAPER.scaled(0.0005), calibrate=False)
    run_training(begin(walking_motion(4.0), recipe), path, heard, lambda: False, device="cpu", estimate=False)
    assert heard.values("interim") == []
    assert load_model(path).matched is None, "a published recipe was matched unasked"


def test_a_training_ends_after_a_level_that_adds_nothing(models: list[Model]) -> None:
    """Models of two iterations a level: the level that is worse than matching is dropped, one that is better kept."""
    above = [model for model in models if model.matched is not None and model.trained_levels >= 2]
    assert above
    for model in above:
        choice = LevelChoice()
        choice.compare(model)
        lower = coupled_above(model, model.trained_levels - 1)
        better = distance_from_bars(figures_of(model)) + LEAST_GAIN < distance_from_bars(figures_of(lower))
        assert (choice.model is None) == better
        if choice.model is not None:
            assert choice.model.trained_levels == model.trained_levels - 1


def test_the_best_level_to_match_from_is_chosen_by_figures(models: list[Model]) -> None:
    """A model of eight iterations is rough: matching above the first level must be better."""
    chosen = best_matched(models[-1])
    assert chosen.trained_levels < 4
    before, after = (distance_from_bars(figures_of(model)) for model in (models[-1], chosen))
    assert after < before


def test_distance_from_bars_counts_what_is_outside() -> None:
    kept = dict.fromkeys(BARS, 1.0) | {"same_time": 0.1, "window_frechet": 0.4, "rotation_frechet": 0.4}
    assert distance_from_bars(kept) == pytest.approx(0.2)
    assert distance_from_bars(kept | {"coverage": 0.88}) == pytest.approx(1.2)
    assert distance_from_bars(kept | {"roughness": 0.7}) == pytest.approx(1.2)
    assert distance_from_bars(kept | {"same_time": 0.9}) == pytest.approx(3.2)
