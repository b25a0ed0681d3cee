"""Trainings that can be used before they end, end early, or train some levels alone: the others are matched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import Cancelled, ModelError
from core.evaluation.advice import MATCHED, advice
from core.generation.coupled_levels import coupled_above
from core.generation.generate import generate
from core.matching.instant import instant_model
from core.model.learned_clips import LearnedClip
from core.model.model import Model
from core.model.model_file import load_model, read_info, save_model
from core.model.recipe import FAST, PAPER
from core.runs import matched_choice
from core.runs.matched_choice import BARS, LEAST_GAIN, LevelChoice, Standing, standing, standing_of
from core.runs.run import run_training, run_with_text
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
    assert len(seen) >= 4  # three of the first level, and the end of each level but the last, unless one adds little
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


def test_a_file_that_comes_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path, told = tmp_path / "walk.safetensors", list[str]()
    (tmp_path / "walk 2.safetensors").write_bytes(b"another person's")

    def show(_: object, text: str) -> None:
        told.append(text)
        path.write_bytes(b"a person's")

    begun, state = begin(walking_motion(4.0), TINY), tmp_path / "walk.training"
    saved = run_with_text(begun, path, state, show, lambda: False, "cpu", overwrite=False)
    assert path.read_bytes() == b"a person's"
    assert (saved.name, load_model(saved).fraction) == ("walk 3.safetensors", 1.0)
    assert (
        told[-1]
        == "“walk.safetensors” has come from elsewhere meanwhile, and stays; the model is “walk 3.safetensors”."
    )


def test_a_training_ends_after_a_level_that_adds_nothing(models: list[Model]) -> None:
    """Models of two iterations a level: the level that is worse than matching is dropped, one that is better kept."""
    above = [model for model in models if model.matched is not None and model.trained_levels >= 2]
    assert above
    for model in above:
        choice = LevelChoice()
        choice.compare(model)
        lower = coupled_above(model, model.trained_levels - 1)
        assert (choice.model is None) == (standing_of(model).distance + LEAST_GAIN < standing_of(lower).distance)
        if choice.model is not None:
            assert choice.model.trained_levels == model.trained_levels - 1


def test_the_best_level_to_match_from_is_chosen_by_figures(models: list[Model]) -> None:
    """A model of eight iterations is rough: matching above the first level, or all, must be better."""
    chosen = LevelChoice().best(models[-1])
    assert chosen.trained_levels < 4
    assert standing_of(chosen).distance < standing_of(models[-1]).distance


def test_a_clip_that_is_nearer_to_the_bars_without_networks_gets_none(models: list[Model], tmp_path: Path) -> None:
    """A level of one iteration makes noise, which matching the clip alone beats; name and history stay."""
    first = models[0]
    instant = instant_model(first.source)
    assert standing_of(instant).distance < standing_of(first).distance
    shown = LevelChoice().shown(first)
    assert (shown.trained_levels, shown.fraction, shown.history) == (0, first.fraction, first.history)
    save_model(shown, tmp_path / "shown.safetensors")
    info = read_info(tmp_path / "shown.safetensors")
    assert (info["recipe"], info["levels"], info["iterations"]) == (FAST.name, [0, 4], list(TINY.iterations))
    assert advice(info)[0] == MATCHED
    loaded = load_model(tmp_path / "shown.safetensors")
    for one, other in zip(generate(loaded, count=2, seed=3), generate(instant, count=2, seed=3), strict=True):
        np.testing.assert_allclose(one.features, other.features, atol=1e-5)


@pytest.mark.parametrize(
    ("without", "trained", "kept", "ends"),
    [
        ((0.0, 0.5), (0.2, 0.1), 1, False),
        ((0.0, 0.5), (0.2, 0.25), 0, True),
        ((0.0, 0.5), (0.2, 0.35), 0, True),
        ((0.0, 0.5), (0.0, 0.55), 1, True),
    ],
)
def test_networks_are_kept_within_the_bars_or_clearly_nearer_to_them(
    models: list[Model],
    monkeypatch: pytest.MonkeyPatch,
    without: tuple[float, float],
    trained: tuple[float, float],
    kept: int,
    ends: bool,
) -> None:
    """Excess and unlikeness of a clip without networks and with its first level; one that wins little is the last."""
    monkeypatch.setattr(
        matched_choice,
        "standing_of",
        lambda model, _check_cancelled: Standing(*(trained if model.trained_levels else without)),
    )
    first = next(model for model in models if model.trained_levels == 1)
    choice = LevelChoice()
    assert choice.shown(first).trained_levels == kept
    choice.compare(first)
    assert choice.is_made() == ends
    assert choice.best(first).trained_levels == kept


def test_networks_stay_where_they_are_asked_for(models: list[Model]) -> None:
    asked = train(walking_motion(4.0), TINY.until(1), device="cpu")
    clip = models[0].source.frames
    several = replace(models[0], clips=(LearnedClip("a", 0, clip // 2), LearnedClip("b", clip // 2, clip)))
    for model in (asked, several):
        choice = LevelChoice()
        choice.compare(model)
        assert not choice.is_made()
        assert choice.shown(model).trained_levels == choice.best(model).trained_levels == 1


def test_a_standing_counts_what_is_outside() -> None:
    near = {"same_time": 0.1, "window_frechet": 0.4, "rotation_frechet": 0.4, "foot_skating_ratio": 0.9}
    kept = dict.fromkeys(BARS, 1.0) | near
    assert standing(kept).distance == pytest.approx(0.2)
    assert standing(kept | {"coverage": 0.88}).distance == pytest.approx(1.2)
    for name, (low, high, unit) in BARS.items():
        if low > 0.0:
            assert standing(kept | {name: low - 2.0 * unit}).distance == pytest.approx(2.2)
        if name in ("roughness", "jerk_95_ratio", "same_time"):
            assert standing(kept | {name: high + 3.0 * unit}).distance == pytest.approx(3.2)
