"""Choice of a variation's first noise: the best of a few, the same however it is asked for, and who has none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.evaluation.shortfall import Shortfall
from core.generation.generate import Sampler, generate, with_strength
from core.generation.noise import noise_code
from core.generation.noise_choice import MAX_CHOICE_ROWS
from core.matching.instant import instant_model, matched_above
from core.model.model import Model
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.training.train import train
from tests.support.motions import walking_motion


def test_chosen_variations_fall_less_short() -> None:
    """Shortfalls of whole variations, though the choice saw those of half the length."""
    source = walking_motion(6.0)
    model, shortfall = instant_model(source, "walker"), Shortfall(source)
    one, best = (Sampler(model, choices=choices).sample(source.frames, 16, 3) for choices in (1, 3))
    means = [float(np.mean([shortfall.of(motion) for motion in motions])) for motions in (one, best)]
    assert means[1] < 0.7 * means[0]


def test_a_choice_does_not_depend_on_how_it_is_asked_for(instant_walker: Model) -> None:
    """Alone or with others, by this sampler or the next, at any strength."""
    lengths, keys = instant_walker.lengths, [(5, number) for number in range(6)]
    together = Sampler(instant_walker).codes(keys, 0, lengths)
    again = Sampler(instant_walker)
    for number in (4, 1, 4):
        np.testing.assert_array_equal(again.code(5, number, 0, lengths), together[number])
    weaker = Sampler(with_strength(instant_walker, 0.4, 0.2))
    np.testing.assert_array_equal(weaker.codes(keys, 0, lengths), together)
    np.testing.assert_array_equal(again.code(5, 2, 1, lengths), noise_code(5, 2, 1, lengths[1]))


def test_a_second_is_long_enough_and_a_long_motion_has_no_choice(instant_walker: Model) -> None:
    assert Sampler(instant_walker).sample(30, 1, 0)[0].frames == 30
    lengths = instant_walker.recipe.lengths(MAX_CHOICE_ROWS + 1)
    np.testing.assert_array_equal(
        Sampler(instant_walker).code(1, 0, 0, lengths), Sampler(instant_walker, choices=1).code(1, 0, 0, lengths)
    )


def test_networks_choose_below_matched_levels_and_published_recipes_never(long_walker: Motion) -> None:
    recipe = replace(FAST, iterations=(2, 1, 1, 1), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8, calibrate=False)
    trained = train(long_walker, recipe)
    matched = matched_above(trained, 1)
    codes = [noise_code(7, 0, 0, trained.lengths[0], again) for again in range(3)]
    np.testing.assert_array_equal(Sampler(trained).code(7, 0, 0, trained.lengths), codes[0])
    chosen = [Sampler(matched).code(7, number, 0, matched.lengths) for number in range(4)]
    others = [noise_code(7, number, 0, matched.lengths[0], again) for number in range(4) for again in range(3)]
    assert all(any(np.array_equal(one, other) for other in others) for one in chosen)
    np.testing.assert_array_equal(generate(matched, seed=7)[0].features, generate(matched, seed=7, count=3)[0].features)
