"""Tiny real trainings: they learn, they stop, they repeat; what moves between levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import Cancelled, ClipError
from core.generation.generate import Sampler, generate
from core.generation.noise import noise_code
from core.model.recipe import FAST, GANIMATOR, PAPER, Recipe
from core.motion.motion import Motion
from core.motion.resampling import resample
from core.system.threads import one_thread
from core.training.checkpoint import Checkpoint
from core.training.progress import Progress
from core.training.session import open_session
from core.training.time_estimate import expected_seconds, probe_recipe
from core.training.train import iterate_level, iterate_stages, start_level, train

TINY = replace(FAST, iterations=(2, 2, 2, 2), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)


def test_lengths_of_salsa_are_the_papers() -> None:
    assert PAPER.lengths(648) == [129, 172, 229, 305, 406, 541, 648]


def test_reconstruction_improves(walker: Motion) -> None:
    recipe = replace(TINY, iterations=(60, 40, 30, 30), generator_rate=1e-3)
    messages: list[Progress] = []
    model = train(walker, recipe, messages.append, seed=1)
    source = resample(walker, 30).features
    rebuilt = Sampler(model).reconstruction().features
    untrained = Sampler(train(walker, TINY, seed=1)).reconstruction().features
    assert np.abs(rebuilt - source).mean() < 0.4 * np.abs(untrained - source).mean()
    assert messages[-1].step == messages[-1].steps == 160
    assert messages[-1].fraction == pytest.approx(1.0)
    assert [m.level for m in messages] == sorted(m.level for m in messages)
    assert set(messages[-1].losses) == {"critic", "adversarial", "reconstruction", "contact"}


@pytest.mark.parametrize(
    "recipe",
    [
        TINY,
        replace(PAPER, iterations=(2, 1, 1, 1), batch=(2, 2, 2, 2), pool=3),
        replace(GANIMATOR, iterations=(1, 1, 1, 1)),
    ],
    ids=lambda r: r.name,
)
def test_same_seed_same_model_and_same_motions(walker: Motion, recipe: Recipe) -> None:
    first, again, other = (train(walker, recipe, seed=seed) for seed in (4, 4, 5))
    for name, value in first.weights.items():
        np.testing.assert_array_equal(value, again.weights[name])
    one = generate(first, frames=90, count=1, seed=8)[0]
    three = generate(first, frames=90, count=3, seed=8)
    np.testing.assert_allclose(one.features, three[0].features, atol=1e-5)
    assert np.abs(three[0].features - three[1].features).max() > 1e-3
    assert any(np.abs(value - other.weights[name]).max() > 0 for name, value in first.weights.items())


def test_one_thread_and_two_learn_alike(walker: Motion) -> None:
    one, two = (train(walker, TINY, seed=2, threads=threads) for threads in (1, 2))
    for name, value in one.weights.items():
        np.testing.assert_allclose(value, two.weights[name], atol=1e-4)


@pytest.mark.parametrize("frames", [60, 1000])
def test_a_variation_is_the_same_to_the_bit_whatever_is_made_beside_it(walker: Motion, frames: int) -> None:
    model = train(walker, TINY)
    for torch_too in (True, False):
        sampler = Sampler(model, torch=torch_too)
        many = sampler.sample(frames, 7, 3)
        (one,) = sampler.sample(frames, 1, 3)
        assert np.array_equal(many[0].features, one.features)
        lengths = enumerate(model.recipe.lengths(frames))
        with one_thread():
            (last,) = sampler.motions([noise_code(3, 6, stage, length)[None] for stage, length in lengths])
        assert np.array_equal(many[6].features, last.features)


def test_generates_any_length(walker: Motion) -> None:
    model = train(walker, TINY)
    for frames in (30, 91, 400):
        motion = generate(model, frames=frames)[0]
        assert motion.frames == frames
        assert np.isfinite(motion.features).all()
    assert generate(model)[0].frames == model.source.frames


def test_transfer_moves_the_first_two_layers_only(walker: Motion) -> None:
    with (
        open_session(Checkpoint(walker, TINY), torch.device("cpu"), 1, lambda: False) as session,
        open_session(Checkpoint(walker, replace(TINY, transfer=0)), torch.device("cpu"), 1, lambda: False) as plain,
    ):
        finished = start_level(session, [], 0).stages
        above = start_level(session, finished, 1).stages
        untouched = start_level(plain, start_level(plain, [], 0).stages, 1).stages
    for below, stage, fresh in zip(finished, above, untouched, strict=True):
        for number, layer in enumerate(stage.generator.layers):
            source = below.generator if number < 2 else fresh.generator
            np.testing.assert_array_equal(layer.pairs(), source.layers[number].pairs())
        for mine, theirs in zip(stage.critic.parameters(), fresh.critic.parameters(), strict=True):
            torch.testing.assert_close(mine, theirs)


def test_lower_levels_stay_frozen(walker: Motion) -> None:
    with open_session(Checkpoint(walker, TINY), torch.device("cpu"), 1, lambda: False) as session:
        finished = start_level(session, [], 0).stages
        before = [parameter.clone() for stage in finished for parameter in stage.generator.parameters()]
        iterate_level(session, start_level(session, finished, 1))
    after = [parameter for stage in finished for parameter in stage.generator.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_stops_when_asked(walker: Motion) -> None:
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        train(walker, TINY.scaled(50), seen.append, lambda: bool(seen))
    assert seen[-1].step < 5


def test_expected_seconds_grow_with_the_recipe(walker: Motion) -> None:
    probe = Checkpoint(walker, probe_recipe(FAST))
    with open_session(probe, torch.device("cpu"), 1, lambda: False) as session:
        short, long = (expected_seconds(session, FAST.scaled(factor), iterate_stages) for factor in (1, 20))
    assert 0 < short < long


def test_frame_rates_give_the_same_training_clip(make_walker: Callable[..., Motion]) -> None:
    lengths = set()
    for fps in (24, 25, 30, 50, 60, 120):
        clip = Checkpoint(make_walker(4.0, float(fps)), TINY)
        with open_session(clip, torch.device("cpu"), 1, lambda: False) as session:
            source = session.source
        travelled = np.linalg.norm(np.diff(source.root_positions()[:, :2], axis=0), axis=1).sum()
        assert travelled * source.skeleton.unit == pytest.approx(2.4, rel=0.02)
        lengths.add(source.frames)
    assert lengths == {121}


def test_refuses_short_and_still_clips(make_walker: Callable[..., Motion], walker: Motion) -> None:
    with pytest.raises(ClipError, match=r"lasts 1\.0 s"):
        train(make_walker(1.0), TINY)
    still = replace(walker, features=np.repeat(walker.features[:1], walker.frames, axis=0))
    with pytest.raises(ClipError, match="No bone rotates"):
        train(still, TINY)
