"""Trainings that start from a model: what they take over, what they refuse, how they go on after a stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import Cancelled, ModelError
from core.matching.instant import matched_above
from core.model.model import Model
from core.model.model_file import load_model, save_model
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.motion.skeleton import GROUP
from core.training.checkpoint import Checkpoint, begin, load_checkpoint, save_checkpoint
from core.training.session import open_session
from core.training.stage import Stage
from core.training.train import resume, start_level, train
from core.training.warm_start import warm_start_from

TINY = replace(FAST, iterations=(3, 3, 3, 3), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8, warm_share=2 / 3)


@pytest.fixture(scope="module")
def known(walker: Motion) -> Model:
    return replace(train(walker, TINY, seed=1), name="Walk")


@pytest.fixture
def other(make_walker: Callable[..., Motion]) -> Motion:
    """Stick figure at another time of its walk."""
    return make_walker(4.0, 30.0, 5.0)


def test_every_stage_starts_from_the_models(known: Model, other: Motion) -> None:
    begun = begin(other, TINY, 2, known)
    assert begun.recipe.iterations == (2, 2, 2, 2)
    finished: list[Stage] = []
    with open_session(begun, torch.device("cpu"), 1, lambda: False) as session:
        for level in range(4):
            finished += start_level(session, finished, level).stages
    for stage in finished:
        for number, (mine, averaged) in enumerate(zip(stage.generator.layers, stage.averaged.layers, strict=True)):
            weight = known.weights[f"stage{stage.index}.layer{number}.weight"]
            np.testing.assert_array_equal(mine.pairs(), weight)
            np.testing.assert_array_equal(averaged.pairs(), weight)
        critic = known.critics[f"stage{stage.index}.critic3.weight"]
        np.testing.assert_array_equal(stage.critic.layers[3].pairs(), critic.astype(np.float32))


def test_starting_helps(known: Model, walker: Motion) -> None:
    """After the same few steps, what starts from a model of its own clip rebuilds it better than what does not."""
    longer = replace(TINY, iterations=(60, 30, 30, 30), generator_rate=1e-3)
    taught = replace(train(walker, longer, seed=1), name="Walk")
    few = replace(TINY, iterations=(4, 4, 4, 4), warm_share=1.0)
    cold, warm = train(walker, few, seed=2), train(walker, few, seed=2, start_from=taught)
    assert warm.history[-1]["reconstruction"] < 0.7 * cold.history[-1]["reconstruction"]


def test_a_clip_whose_arm_rests_keeps_the_models_groups(known: Model, other: Motion) -> None:
    arm = other.skeleton.names.index("RightArm")
    features = other.features.copy()
    features[:, arm * GROUP : (arm + 1) * GROUP] = features[0, arm * GROUP : (arm + 1) * GROUP]
    resting = replace(other, features=features)
    assert train(resting, TINY, start_from=known).channels.groups == known.channels.groups
    still = train(resting, TINY, seed=1)
    with pytest.raises(ModelError, match="has not learned to move “RightArm”"):
        train(other, TINY, start_from=still)


def test_refuses_other_skeletons_and_sizes(known: Model, other: Motion) -> None:
    renamed = replace(other.skeleton, names=("Pelvis", *other.skeleton.names[1:]))
    with pytest.raises(ModelError, match="does not know “Pelvis”"):
        warm_start_from(known, renamed, TINY)
    with pytest.raises(ModelError, match="contacts are others"):
        warm_start_from(known, other.skeleton.with_contacts(other.skeleton.contacts[:1]), TINY)
    with pytest.raises(ModelError, match="not of the recipe's size"):
        train(other, replace(TINY, hidden=(64, 32, 32)), start_from=known)


def test_critics_are_optional_in_files(known: Model, tmp_path: Path) -> None:
    save_model(known, tmp_path / "with.safetensors")
    save_model(replace(known, critics={}), tmp_path / "without.safetensors")
    both = [load_model(tmp_path / name) for name in ("with.safetensors", "without.safetensors")]
    for name, value in known.critics.items():
        np.testing.assert_array_equal(both[0].critics[name], value)
    assert not both[1].critics
    start = warm_start_from(both[1], known.skeleton, known.recipe)
    assert set(start.weights) == set(known.weights)


def test_a_stopped_one_goes_on_to_the_same_model(known: Model, other: Motion, tmp_path: Path) -> None:
    begun = begin(other, TINY, 3, known)
    whole = resume(begun)
    kept: list[Checkpoint] = []
    with pytest.raises(Cancelled):
        resume(
            begun, should_stop=lambda: bool(kept) and kept[-1].step >= 3, on_snapshot=kept.append, snapshot_seconds=0.0
        )
    save_checkpoint(kept[-1], tmp_path / "state")
    again = resume(load_checkpoint(tmp_path / "state"))
    for mine, theirs in ((whole.weights, again.weights), (whole.critics, again.critics)):
        for name, value in mine.items():
            np.testing.assert_array_equal(value, theirs[name])


def test_levels_that_a_model_matches_start_from_the_level_below(known: Model, other: Motion) -> None:
    begun = begin(other, TINY, 2, matched_above(known, 2))
    assert begun.start is not None
    finished: list[Stage] = []
    with open_session(begun, torch.device("cpu"), 1, lambda: False) as session:
        for level in range(4):
            finished += start_level(session, finished, level).stages
    first = known.recipe.first_stage(2)
    for stage in finished:
        weight = known.weights[f"stage{stage.index}.layer0.weight"]
        assert np.array_equal(stage.generator.layers[0].pairs(), weight) == (stage.index < first)
    model = train(other, TINY, seed=2, start_from=matched_above(known, 2))
    assert model.trained_levels == 4


def test_a_model_of_a_long_clip_starts_one_of_a_short_clip(known: Model, make_walker: Callable[..., Motion]) -> None:
    brief = begin(make_walker(2.1, 30.0, 1.0), TINY, 2, known)
    assert brief.recipe.stages == known.recipe.stages
    assert brief.recipe.lengths(64)[0] > 50
