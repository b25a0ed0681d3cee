"""The papers' figures against GANimator's own numbers, and each trivial cheat against the figures that catch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.measuring.cheats import (
    flipped_labels,
    frozen_pose,
    shuffled_chunks,
    with_limb_turned,
    with_noise,
    zeroed_labels,
)
from core.errors import ClipError
from core.evaluation.copying import between, same_time
from core.evaluation.frechet import frechet_distance
from core.evaluation.metrics import (
    coverage,
    evaluate,
    global_diversity,
    harmonic_mean,
    intra_diversity,
    local_diversity,
    rotation_features,
)
from core.motion.motion import Motion
from core.motion.resampling import resample
from core.numeric import distances as matching
from core.numeric.distances import RowDistances, best_patchwork, frame_distances, nearest_windows
from tests.support.motions import walking_motion

BOUNDS = {
    "coverage": (0.95, 1.0),
    "rotation_global_diversity": (0.1, 10.0),
    "novelty": (0.1, 10.0),
    "copied_share": (0.0, 0.9),
    "jitter_share": (0.0, 0.5),
    "same_time": (0.0, 0.4),
    "window_frechet": (0.0, 1.0),
    "roughness": (0.8, 1.25),
    "largest_jump_ratio": (0.0, 1.5),
    "foot_skating_ratio": (0.0, 1.5),
    "low_foot_speed_ratio": (0.0, 1.5),
    "contact_share_ratio": (0.8, 1.25),
    "contact_agreement": (0.9, 1.0),
}
"""Ranges of a good sample's figures; every cheat leaves at least one of these ranges."""


ORACLE = Path(__file__).with_name("metrics_oracle.npz")
"""Channels of the sample dance, motions made from them, and their figures: `bench/oracle/make_metrics_oracle.py`."""


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_equal_to_ganimators_evaluation(case: str, clip_path: Callable[[str], Path]) -> None:
    oracle = np.load(clip_path("metrics_oracle.npz"))
    assert_figures(oracle, case, oracle[f"{case}_source"], oracle[f"{case}_generated"])


@pytest.mark.parametrize("case", ["reordered", "stretched", "strange"])
def test_equal_to_the_plain_restatement(case: str) -> None:
    oracle = np.load(ORACLE)
    source, generated = (oracle["step"] * oracle[f"{case}_{kind}"] for kind in ("source", "generated"))
    assert_figures(oracle, case, source, generated)


def test_the_oracle_tells_figures_apart() -> None:
    """Its figures are no limits, which wrong code may meet by chance: some windows are covered, others are not."""
    oracle = np.load(ORACLE)
    for name in ("coverage", "coverage_tight"):
        assert any(0.0 < float(oracle[f"{case}_{name}"]) < 1.0 for case in ("reordered", "stretched", "strange")), name


def assert_figures(oracle: Any, case: str, source: np.ndarray, generated: np.ndarray) -> None:
    ours = {
        "coverage": coverage(source, generated),
        "coverage_tight": coverage(source, generated, threshold=0.9),
        "global_diversity": global_diversity(source, generated),
        "local_diversity": local_diversity(source, generated),
    }
    for name, value in ours.items():
        assert value == pytest.approx(float(oracle[f"{case}_{name}"]), abs=1e-6), name


def test_patchwork_is_the_best_of_all() -> None:
    """Against a direct search over all splits and all places, on a small table."""
    random = np.random.default_rng(5)
    for length, width, piece in ((11, 7, 3), (9, 9, 4), (12, 9, 5)):
        table = random.random((length, width))
        best = [0.0] + [np.inf] * length
        for end in range(piece, length + 1):
            for begin in range(end - piece + 1):
                for at in range(width - (end - begin) + 1):
                    run = table[np.arange(begin, end), np.arange(at, at + end - begin)].sum()
                    best[end] = min(best[end], best[begin] + run)
        rows = best_patchwork(table, piece)
        assert table[np.arange(length), rows].sum() == pytest.approx(best[length])
        lengths = np.diff(np.flatnonzero(np.concatenate([[True], np.diff(rows) != 1, [True]])))
        assert lengths.min() >= piece


@pytest.mark.parametrize("fewest", [1, 7, 50])
def test_tables_in_blocks_say_what_the_whole_one_says(fewest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few rows are there at a time, windows and patchworks are those of the whole table."""
    random = np.random.default_rng(fewest)
    a, b = random.normal(size=(61, 9)), random.normal(size=(47, 9))
    whole = frame_distances(a, b)
    windows = np.array(
        [min(sum(whole[i + step, k + step] for step in range(11)) for k in range(37)) / 11 for i in range(50)]
    )
    patchwork = best_patchwork(whole, 13)
    monkeypatch.setattr(matching, "BLOCK_NUMBERS", 1)
    monkeypatch.setattr(matching, "MIN_BLOCK_ROWS", fewest)
    assert nearest_windows(RowDistances(a, b), 11) == pytest.approx(windows)
    assert nearest_windows(RowDistances(b, a).T, 11) == pytest.approx(windows)
    assert (best_patchwork(RowDistances(a, b), 13) == patchwork).all()
    assert RowDistances(a, b).along(patchwork) == pytest.approx(whole[np.arange(61), patchwork])


def test_a_long_comparison_can_be_stopped(walker: Motion) -> None:
    rows, asked = np.repeat(walker.features, 40, axis=0), 0

    class Stopped(Exception):
        pass

    def check_cancelled() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise Stopped

    for figure in (coverage, global_diversity):
        asked = 0
        with pytest.raises(Stopped):
            figure(rows, rows, check_cancelled=check_cancelled)


def test_padding_channels_do_not_matter(walker: Motion) -> None:
    source, sample = walker.features[:60], walker.features[20:90] + 0.3
    wide = [np.concatenate([rows, np.zeros((len(rows), 12))], axis=1) for rows in (source, sample)]
    assert global_diversity(source, sample) == pytest.approx(global_diversity(*wide))
    assert coverage(source, sample) == coverage(*wide)


def test_frame_distances_are_euclidean() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(5, 8)) + 100, random.normal(size=(6, 8)) + 100
    assert np.allclose(frame_distances(a, b), np.linalg.norm(a[:, None] - b[None], axis=-1))


def test_intra_diversity_is_zero_only_for_a_still_motion(walker: Motion) -> None:
    assert intra_diversity(np.repeat(walker.features[:1], 60, axis=0)) == pytest.approx(0.0, abs=1e-5)
    assert intra_diversity(walker.features) > 0.5


def test_frechet_distance_of_known_gaussians() -> None:
    """Independent normal columns: |μ difference|² + Σ (σa - σb)²."""
    random = np.random.default_rng(1)
    rows = random.normal(size=(4000, 3))
    rows = (rows - rows.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    other = rows * [2.0, 1.0, 0.5] + [0.0, 3.0, 0.0]
    assert frechet_distance(rows, other) == pytest.approx(9.0 + 1.0 + 0.25, rel=1e-6)
    assert frechet_distance(rows, rows) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("first", "second"), [(12, 9), (9, 40), (40, 30)])
def test_frechet_distance_is_that_of_the_covariances(first: int, second: int) -> None:
    """tr(Ca^½ Cb Ca^½)^½ by the eigenvalues of Ca Cb, for fewer rows than columns and for more."""
    random = np.random.default_rng(2)
    a, b = random.normal(size=(first, 20)), random.normal(size=(second, 20)) * 1.5 + 0.3
    one, two = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    cross = np.sqrt(np.maximum(np.linalg.eigvals(one @ two).real, 0.0)).sum()
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(one) + np.trace(two) - 2.0 * cross
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-5)
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)


def test_harmonic_mean_follows_the_published_table() -> None:
    names = ("coverage", "global_diversity", "local_diversity", "window_frechet", "inter_diversity")
    published = [
        ((0.95, 1.02, 0.96, 1.15, 1.49), 2.12, 0.50),
        ((0.94, 1.42, 1.00, 1.08, 1.43), 1.93, 0.58),
        ((0.89, 1.46, 1.35, 1.99, 1.75), 1.57, 0.52),
    ]
    means = []
    for row, difference, mean in published:
        figures = dict(zip(names, row, strict=True)) | {"intra_diversity_difference": difference}
        means.append(harmonic_mean(figures))
        assert means[-1] == pytest.approx(mean, abs=0.06)
    assert np.argsort(means).tolist() == np.argsort([mean for _, _, mean in published]).tolist()


@pytest.fixture(scope="module")
def source(make_walker: Callable[..., Motion]) -> Motion:
    return make_walker(seconds=9.0)


def outside(source: Motion, sample: Motion) -> set[str]:
    figures = evaluate(source, [sample])
    return {name for name, (low, high) in BOUNDS.items() if not low <= figures[name] <= high}


def test_more_of_the_same_walk_is_within_all_bounds(source: Motion, make_walker: Callable[..., Motion]) -> None:
    """The walker walks on, with arm gestures in an order that the source has not."""
    assert outside(source, make_walker(seconds=18.0, start=40.0)) == set()


def test_copy_is_caught(source: Motion) -> None:
    assert {"rotation_global_diversity", "novelty", "copied_share"} <= outside(source, source)


def test_shuffled_chunks_are_caught(source: Motion) -> None:
    caught = outside(source, shuffled_chunks(source))
    assert {"largest_jump_ratio", "copied_share"} <= caught


def test_white_noise_is_caught(source: Motion) -> None:
    caught = outside(source, with_noise(source, deviation=0.0))
    assert {"roughness", "jitter_share", "window_frechet", "low_foot_speed_ratio"} <= caught


def test_smooth_noise_is_caught(source: Motion, make_walker: Callable[..., Motion]) -> None:
    noisy = with_noise(source, deviation=5.0)
    assert {"foot_skating_ratio", "low_foot_speed_ratio", "window_frechet"} <= outside(source, noisy)
    honest = make_walker(seconds=18.0, start=40.0)
    cheat, real = (evaluate(source, [sample]) for sample in (noisy, honest))
    assert cheat["rotation_global_diversity"] > real["rotation_global_diversity"], "what the papers would report"
    kept, kept_of_real = (figures["novelty"] / figures["rotation_global_diversity"] for figures in (cheat, real))
    assert kept < 0.5 * kept_of_real


def test_frozen_pose_is_caught(source: Motion) -> None:
    assert {"coverage", "roughness", "window_frechet"} <= outside(source, frozen_pose(source, frame=100))


def test_a_copy_is_caught_by_its_time_whatever_is_laid_on_it(source: Motion) -> None:
    """Small noise and a limb held otherwise are far from the source in the sum of all joints, and nothing new."""
    for cheat in (with_noise(source, deviation=5.0, degrees=3.0), with_limb_turned(source)):
        figures = evaluate(source, [cheat, cheat])
        assert figures["rotation_global_diversity"] > 0.3, "what the papers would praise"
        assert figures["same_time"] > 0.9
        assert figures["between"] < 0.01


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(0, 90), st.integers(40, 90))
def test_the_source_is_at_the_same_time_however_often_it_is_repeated(times: int, start: int, length: int) -> None:
    rows = rotation_features(walking_motion(3.0))
    assert same_time(rows, np.concatenate([rows] * times)) == 1.0
    piece = np.roll(rows, -start, axis=0)[:length]
    assert same_time(rows, piece) == 1.0
    assert same_time(rows, rows[::-1]) < 0.6


def test_variations_that_are_one_are_not_between(walker: Motion) -> None:
    rows = rotation_features(walker)
    assert between([rows, rows[:50]], rows) == pytest.approx(0.0, abs=1e-6)
    shuffled = [np.random.default_rng(seed).permutation(rows) for seed in range(4)]
    assert between(shuffled, rows) == pytest.approx(1.0, abs=0.05)
    with pytest.raises(ValueError, match="two"):
        between([rows], rows)


def test_flipped_contact_labels_are_caught(source: Motion) -> None:
    assert {"foot_skating_ratio", "contact_agreement"} <= outside(source, flipped_labels(source))
    assert "contact_share_ratio" in outside(source, zeroed_labels(source))


def test_one_sample_twice_has_no_inter_diversity(walker: Motion) -> None:
    assert evaluate(walker, [walker, walker])["inter_diversity"] == pytest.approx(0.0, abs=1e-5)
    assert "inter_diversity" not in evaluate(walker, [walker])


def test_rate_does_not_matter(walker: Motion, make_walker: Callable[..., Motion]) -> None:
    fast = make_walker(fps=60.0)
    assert evaluate(fast, [fast])["roughness"] == pytest.approx(1.0)
    figures, slow = evaluate(walker, [fast]), evaluate(walker, [resample(walker, 30.0)])
    assert figures["foot_skating_source"] == pytest.approx(slow["foot_skating_source"])
    assert figures["coverage"] == 1.0
    assert figures["foot_skating_ratio"] < 1.5


def test_skeleton_without_contacts_has_no_figures_of_feet(walker: Motion) -> None:
    bare = walker.skeleton.with_contacts(())
    labels = range(walker.skeleton.joints * 6, walker.skeleton.root_channel)
    motion = Motion(np.delete(walker.features, labels, axis=1), bare, walker.fps, walker.origin)
    figures = evaluate(motion, [motion])
    assert "foot_skating" not in figures
    assert figures["coverage"] == 1.0


def test_what_cannot_be_compared_is_refused(walker: Motion) -> None:
    with pytest.raises(ClipError, match="no sample"):
        evaluate(walker, [])
    with pytest.raises(ClipError, match="different skeletons"):
        evaluate(walker, [replace(walker, skeleton=walker.skeleton.with_contacts(()))])
    with pytest.raises(ClipError, match="too short"):
        evaluate(walker, [walker.slice(0, 20)])
    with pytest.raises(ClipError, match="too short"):
        best_patchwork(np.ones((50, 40)), 30)


def test_figures_of_a_dance(clip: Callable[[str], Motion]) -> None:
    """On a real clip: the copy is clean, and noise that the papers' figures praise is not."""
    dance = resample(clip("salsa"), 30.0)
    copy, noisy = evaluate(dance, [dance]), evaluate(dance, [with_noise(dance, deviation=5.0, degrees=3.0)])
    assert copy["coverage"] == 1.0
    assert copy["novelty"] == pytest.approx(0.0, abs=1e-4)
    assert copy["foot_skating"] == pytest.approx(0.072, abs=0.01), "0.13 m/s for a body of 1.8 m"
    assert noisy["coverage"] > 0.95
    assert noisy["global_diversity"] > 0.5
    assert noisy["novelty"] < 0.3 * noisy["global_diversity"]
    assert noisy["foot_skating_ratio"] > 2.0
