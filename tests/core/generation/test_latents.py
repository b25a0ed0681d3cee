"""Noise codes: interpolate seeds, near a variation, and their motions."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.grade import LIMITS, copies, explain, grade
from core.evaluation.metrics import evaluate
from core.generation.generate import Sampler, generate, with_strength
from core.generation.latents import (
    SIMILARITY,
    generate_like,
    interpolate,
    interpolate_seeds,
    latents_of_seed,
    motions_of,
)
from core.matching.instant import instant_model
from core.model.model import Model
from core.model.recipe import FAST
from core.motion.flips import repair_flips
from core.motion.motion import Motion
from core.motion.skeleton import GROUP
from core.runs.quality import with_quality
from core.training.train import train

TINY = replace(FAST, iterations=(2, 2, 2, 2), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)


@pytest.fixture(scope="module")
def model(walker: Motion) -> Model:
    return train(walker, TINY, seed=1)


def test_whole_places_on_the_dial_are_the_seeds(model: Model) -> None:
    frames = 120
    made = motions_of(Sampler(model), [interpolate_seeds(Sampler(model), frames, 3.0)])[0]
    same = Sampler(model).sample(frames, 1, 3)[0]
    np.testing.assert_allclose(made.features, same.features, atol=1e-5)


def test_a_draft_of_trained_stages_is_the_motion_itself(model: Model) -> None:
    codes = [interpolate_seeds(Sampler(model), 120, 3.5)]
    made, draft = (motions_of(Sampler(model), codes, draft=draft)[0] for draft in (False, True))
    np.testing.assert_array_equal(draft.features, made.features)


def test_a_draft_of_matched_stages_is_near_the_motion_and_has_its_length(walker: Motion) -> None:
    instant = instant_model(walker)
    codes = [interpolate_seeds(Sampler(instant), 150, position) for position in (3.5, 8.0)]
    sampler = Sampler(instant)
    made, draft = (motions_of(sampler, codes, draft=draft) for draft in (False, True))
    width = walker.skeleton.joints * GROUP
    near, apart = (
        np.linalg.norm(one.features[:, :width] - other.features[:, :width], axis=1).mean()
        for one, other in ((made[0], draft[0]), (made[0], made[1]))
    )
    assert draft[0].frames == made[0].frames == 150
    assert 0.0 < near < 0.7 * apart


def test_the_dial_moves_evenly_and_keeps_the_strength_of_the_noise(model: Model) -> None:
    frames = 400
    positions = [interpolate_seeds(Sampler(model), frames, 3.0 + k / 8) for k in range(9)]
    for stage in range(model.recipe.stage_count):
        lengths = [float(np.linalg.norm(place[stage])) for place in positions]
        assert min(lengths) > 0.98 * min(lengths[0], lengths[-1])
    steps = [np.linalg.norm(b[0] - a[0]) for a, b in itertools.pairwise(positions)]
    assert max(steps) < 1.3 * min(steps)  # the two ends differ a little in length
    motions = motions_of(Sampler(model), positions)
    moved = [np.abs(b.features - a.features).mean() for a, b in itertools.pairwise(motions)]
    whole = np.abs(motions[-1].features - motions[0].features).mean()
    assert max(moved) < 0.5 * whole


def test_between_ends_where_it_should() -> None:
    random = np.random.default_rng(1)
    one, other = ([random.standard_normal((1, 50)).astype(np.float32)] for _ in range(2))
    np.testing.assert_allclose(interpolate(one, other, 0.0)[0], one[0], atol=1e-6)
    np.testing.assert_allclose(interpolate(one, other, 1.0)[0], other[0], atol=1e-6)
    np.testing.assert_array_equal(interpolate(one, one, 0.5)[0], one[0])


def test_motions_like_one_are_nearer_to_it_than_others(model: Model) -> None:
    first = generate(model, frames=300, seed=4, clean=False)[0].features
    alike = generate_like(model, like=[(4.0, 0)], frames=300, count=4, seed=9, clean=False)
    others = generate(model, frames=300, count=4, seed=9, clean=False)
    distances = [[float(np.abs(m.features - first).mean()) for m in motions] for motions in (alike, others)]
    assert np.mean(distances[0]) < 0.8 * np.mean(distances[1])
    assert min(distances[0]) > 0.0


def test_a_line_of_motions_like_each_other_can_be_followed(model: Model) -> None:
    """Each step moves the first level's noise towards that of the next pair, and takes the finer levels' as it is."""
    sampler, coarse = Sampler(model), model.recipe.stages[0]
    code = latents_of_seed(sampler, 90, 4, 2)
    for seed, variation in ((7, 1), (8, 0)):
        fresh = latents_of_seed(sampler, 90, seed, variation)
        code = [*interpolate(code[:coarse], fresh[:coarse], SIMILARITY), *fresh[coarse:]]
    direct = repair_flips(motions_of(sampler, [code])[0], model.source)
    again = generate_like(model, like=[(4.0, 2), (7.0, 1)], frames=90, count=1, seed=8, clean=False)[0]
    np.testing.assert_allclose(again.features, direct.features, atol=1e-4)


def test_strength_turns_the_noise_up_and_down(model: Model) -> None:
    def spread(coarse: float, fine: float) -> float:
        motions = generate(with_strength(model, coarse, fine), frames=120, count=4, seed=2, clean=False)
        return float(np.std([m.features for m in motions], axis=0).mean())

    usual = spread(1.0, 1.0)
    assert with_strength(model, 1.0, 1.0) is model
    assert spread(0.5, 1.0) < usual < spread(2.0, 1.0)
    assert spread(1.0, 0.0) != usual
    assert spread(0.0, 0.0) < 1e-5


def test_quality_is_measured_and_comes_to_one_word(model: Model) -> None:
    measured = with_quality(model)
    assert set(measured.quality) == {limit.figure for limit in LIMITS}
    figures = evaluate(model.source, generate(model, count=3, seed=1))
    assert measured.quality == pytest.approx({limit.figure: figures[limit.figure] for limit in LIMITS})
    assert len(explain(measured.quality)) == len(LIMITS)
    good = {"coverage": 0.98, "global_diversity": 1.5, "roughness": 0.9, "foot_skating_ratio": 0.5}
    good |= {"same_time": 0.1, "between": 0.9}
    assert grade(good) == "Good"
    assert grade({**good, "roughness": 1.7}) == "Fair"
    assert grade({**good, "global_diversity": 0.01}) == "Poor"
    for copied in ({"same_time": 1.0}, {"between": 0.2}):
        assert copies({**good, **copied})
        assert grade({**good, **copied}) == "Poor"
        assert explain({**good, **copied})[0] == "the variations copy the source"
    assert not copies(good)
    assert grade({}) == ""
