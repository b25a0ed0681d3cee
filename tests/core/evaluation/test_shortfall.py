"""Shortfall: the figures of `evaluate`, and more of it for worse motions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.metrics import evaluate
from core.evaluation.shortfall import RANGES, Range, Shortfall
from core.generation.generate import generate
from core.model.model import Model
from core.motion.motion import Motion
from core.motion.resampling import resample


def test_a_figure_is_measured_in_widths_from_its_range() -> None:
    one = Range(0.9, 1.1, 0.5)
    assert [one.shortfall(value) for value in (0.4, 0.9, 1.0, 1.1, 1.35)] == pytest.approx([1.0, 0.0, 0.0, 0.0, 0.5])


def test_figures_are_those_of_evaluate(long_walker: Motion, instant_walker: Model) -> None:
    (sample,) = generate(instant_walker, frames=200, seed=4)
    ours, theirs = Shortfall(long_walker).figures(sample), evaluate(long_walker, [sample])
    assert set(ours) == set(RANGES)
    for name in set(RANGES) - {"coverage"}:  # that of `evaluate` has the contacts, too
        assert ours[name] == pytest.approx(theirs[name], rel=1e-6), name
    assert ours["coverage"] >= theirs["coverage"]


def test_a_copy_a_frozen_and_a_trembling_motion_fall_short(long_walker: Motion, instant_walker: Model) -> None:
    shortfall = Shortfall(long_walker)
    (sample,) = generate(instant_walker, frames=long_walker.frames, seed=4)
    frozen = replace(long_walker, features=np.repeat(long_walker.features[:1], long_walker.frames, axis=0))
    noise = np.random.default_rng(0).normal(scale=0.1, size=long_walker.features.shape)
    trembling = replace(long_walker, features=sample.features + noise)
    for worse in (long_walker, frozen, trembling):
        assert shortfall.of(worse) > shortfall.of(sample) + 0.3


def test_lower_rates_have_about_the_same_figures(long_walker: Motion, instant_walker: Model) -> None:
    (sample,) = generate(instant_walker, frames=long_walker.frames, seed=4)
    whole = Shortfall(long_walker).figures(sample)
    half = Shortfall(resample(long_walker, 15.0)).figures(resample(sample, 15.0))
    assert half["rotation_share"] == pytest.approx(whole["rotation_share"], rel=0.25)
    assert half["roughness"] == pytest.approx(whole["roughness"], rel=0.25)
    assert half["coverage"] == pytest.approx(whole["coverage"], abs=0.05)
