"""Matched levels above trained networks: their coupling is measured on what the networks make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import Cancelled
from core.evaluation.copying import random_distance
from core.evaluation.metrics import global_diversity, rotation_features
from core.generation.coupled_levels import coupled_above
from core.generation.generate import Sampler, generate
from core.matching.coupling import CYCLE_MATCHING, MAX_COUPLING, MIN_COUPLING_ABOVE
from core.matching.matcher import Matcher
from core.model.model import Model
from core.model.recipe import FAST
from core.training.train import train
from tests.support.motions import walking_motion


@pytest.fixture(scope="module")
def trained() -> Model:
    """All levels of a walk and wave of 6 s, a few iterations each."""
    return train(walking_motion(6.0), replace(FAST.scaled(0.02), hidden=(32, 32, 32)), seed=1)


def difference(model: Model, seed: int = 5) -> float:
    """Distance of a model's variations to the best patchwork of the clip, in distances of two of its frames."""
    clip = rotation_features(model.source)
    samples = generate(model, frames=model.source.frames, count=4, seed=seed)
    return float(np.mean([global_diversity(clip, rotation_features(one)) for one in samples])) / random_distance(clip)


@pytest.mark.parametrize("level", [1, 2])
def test_levels_above_are_matched_with_a_coupling_of_their_own(trained: Model, level: int) -> None:
    above = coupled_above(trained, level)
    assert above.matched is not None
    assert above.trained_levels == level
    assert MIN_COUPLING_ABOVE <= above.matched.coupling <= MAX_COUPLING
    first = trained.recipe.first_stage(level)
    kinds = [isinstance(one, Matcher) for one in Sampler(above).generators]
    assert kinds == [stage >= first for stage in range(len(kinds))]
    again = coupled_above(trained, level)
    assert again.matched == above.matched, "deterministic"


def test_variations_are_loosened_only_as_far_as_they_need(trained: Model) -> None:
    """Whole bodies at one end, parts that nearly go their own ways at the other: what is chosen lies between."""
    above = coupled_above(trained, 1)
    assert above.matched is not None

    def coupled(coupling: float) -> float:
        assert above.matched is not None
        return difference(replace(above, matched=replace(above.matched, coupling=coupling)))

    tight, loose = coupled(MAX_COUPLING), coupled(MIN_COUPLING_ABOVE)
    assert tight < loose
    assert tight - 0.02 <= difference(above) <= loose + 0.02


def test_cycles_keep_the_coupling_of_cycles_and_sway(trained: Model) -> None:
    cycle = replace(trained, source=replace(trained.source, cycle_seconds=1.0))
    assert cycle.source.repeats
    above = coupled_above(cycle, 1)
    assert above.matched is not None
    assert (above.matched.coupling, above.matched.sway) == (CYCLE_MATCHING.coupling, CYCLE_MATCHING.sway)


def test_it_can_be_cancelled_and_knows_its_levels(trained: Model) -> None:
    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        coupled_above(trained, 1, cancel)
    with pytest.raises(ValueError, match="levels 1 to 4"):
        coupled_above(trained, 5)
    assert coupled_above(trained, 4).matched is not None
