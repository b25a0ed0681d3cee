"""Offsets spread over free frames: exact where kept, smooth to the second derivative, gone after a while."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.numeric.blending import DECAY_FRAMES, least_jerk_offsets, near_joins
from core.numeric.smoothing import runs_of


def known(frames: int, spans: list[tuple[int, int]]) -> np.ndarray:
    weights = np.zeros(frames)
    for start, stop in spans:
        weights[start:stop] = 1.0
    return weights


def test_offsets_go_on_smoothly_and_die_away() -> None:
    time = np.arange(200.0)
    offsets = np.stack([1.0 + 0.05 * (time - 60), np.sin(time / 9)], axis=1)
    weights = known(200, [(0, 60)])
    spread = least_jerk_offsets(offsets, weights)
    np.testing.assert_array_equal(spread[:60], offsets[:60])
    assert np.abs(spread[60 + round(10 * DECAY_FRAMES) :]).max() < 0.02
    inner = np.abs(np.diff(offsets[:60], 3, axis=0)).max()
    assert np.abs(np.diff(spread, 3, axis=0))[56:64].max() < 0.05 + inner


def test_drift_goes_evenly_from_one_offset_to_the_next() -> None:
    weights = known(120, [(0, 30), (90, 120)])
    spread = least_jerk_offsets(np.repeat([[0.0], [3.0]], 60, axis=0), weights, drift=True)[:, 0]
    assert np.all(np.diff(spread[29:91]) > -1e-6)
    assert np.diff(spread).max() < 2.0 * 3.0 / 60
    free_end = least_jerk_offsets(np.full((120, 1), 2.0), known(120, [(0, 30)]), drift=True)
    np.testing.assert_allclose(free_end, 2.0, atol=1e-6)


@given(st.floats(0.05, 0.95), st.integers(20, 60))
@settings(max_examples=20, deadline=None)
def test_a_soft_frame_comes_its_share_of_the_way(weight: float, at: int) -> None:
    weights = np.zeros(81)
    weights[at] = weight
    assert least_jerk_offsets(np.ones((81, 1)), weights)[at, 0] == pytest.approx(weight, abs=0.02)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=12), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_exact_frames_stay_exact_and_the_least_energy_is_found(rows: list[int], drift: bool, loop: bool) -> None:
    weights = np.zeros(100)
    weights[rows] = 1.0
    offsets = np.random.default_rng(len(rows)).standard_normal((100, 2))
    spread = least_jerk_offsets(offsets, weights, drift=drift, loop=loop)
    np.testing.assert_allclose(spread[rows], offsets[rows], atol=1e-9)
    steepest = np.abs(np.diff(offsets[sorted(set(rows))], axis=0)).max(initial=1.0)
    assert np.abs(spread).max() < 2.0 * steepest * len(spread), "a drift goes on along a slope, and no faster"


def test_a_circle_goes_on_over_its_seam() -> None:
    weights = known(60, [(20, 40)])
    spread = least_jerk_offsets(np.ones((60, 1)), weights, loop=True)
    turned = np.roll(spread, 30, axis=0)
    np.testing.assert_allclose(turned, least_jerk_offsets(np.ones((60, 1)), np.roll(weights, 30), loop=True), atol=1e-9)


def test_nothing_known_nothing_moved() -> None:
    assert not least_jerk_offsets(np.ones((10, 2)), np.zeros(10)).any()
    assert not near_joins(np.ones(10, dtype=bool), 5.0).any()
    assert runs_of(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
