"""Takes in which the clips of one trained model play when they are told to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.directing.concatenate import mix_named
from core.directing.model_spans import generate_model_spans
from core.directing.timed_clips import ClipSpan
from core.errors import Cancelled, RiffError
from core.generation.generate import Sampler
from core.matching.instant import instant_model, matched_above
from core.model.learned_clips import LearnedClip
from core.model.model import Model
from core.model.model_file import load_model, read_info, save_model
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.training.checkpoint import begin
from core.training.train import resume
from tests.support.motions import bends, bowing_motion, walking_motion

TINY = replace(FAST, iterations=(8, 2, 1, 2))
SPANS = [ClipSpan("Walk", 11, 70), ClipSpan("Bow", 83, 142), ClipSpan("Walk", 167, 226, 1.2)]


@pytest.fixture(scope="module")
def model() -> Model:
    """A tiny training on two clips."""
    whole, clips = mix_named(["Walk", "Bow"], [walking_motion(4.0), bowing_motion()])
    return resume(replace(begin(whole, TINY), name="Both", clips=clips), device="cpu")


def take_of(model: Model, spans: Sequence[ClipSpan] = SPANS, **choices: float) -> Motion:
    return generate_model_spans(Sampler(model, torch=False), spans, seed=3, **choices)[0]  # type: ignore[arg-type]


def test_each_clip_plays_in_its_span(model: Model) -> None:
    take = take_of(model)
    assert take.frames == 216
    bowed = bends(take) > 0.35
    for span in SPANS:
        assert (bowed[span.start - 11 : span.end - 10] == (span.clip == "Bow")).all()


def test_trained_levels_make_the_detail(model: Model) -> None:
    laid_out = take_of(model, entry=0)
    for entry in (1, 3):
        refined = take_of(model, entry=entry)
        assert np.abs(refined.rotations() - laid_out.rotations()).max() > 1e-3
    apart = np.abs(take_of(model, entry=3).features - take_of(model, entry=1).features).max()
    assert apart > 1e-3, "a level that is entered makes the detail from there on alone"


def test_passages_stay_as_they_are_laid_out(model: Model) -> None:
    laid_out, refined = (take_of(model, entry=entry).rotations() for entry in (0, 1))
    arms = [model.skeleton.names.index(name) for name in ("LeftArm", "RightArm", "Head")]
    for one, other in itertools.pairwise(SPANS):
        between = slice(one.end + 1 - SPANS[0].start, other.start - SPANS[0].start)
        np.testing.assert_allclose(refined[between][:, arms], laid_out[between][:, arms], atol=1e-3)


def test_levels_that_are_matched_do_not_hide_the_trained_ones(model: Model) -> None:
    coarse = matched_above(model, 1)
    assert coarse.trained_levels == 1
    np.testing.assert_array_equal(take_of(coarse, entry=3).features, take_of(coarse, entry=1).features)
    assert np.abs(take_of(coarse).features - take_of(coarse, entry=0).features).max() > 1e-3
    bowed = bends(take_of(coarse)) > 0.35
    assert all((bowed[span.start - 11 : span.end - 10] == (span.clip == "Bow")).all() for span in SPANS)
    instant = replace(instant_model(model.source), clips=model.clips)
    np.testing.assert_array_equal(take_of(instant).features, take_of(instant, entry=0).features)


def test_a_take_depends_on_seed_and_number_only(model: Model) -> None:
    sampler = Sampler(model, torch=False)
    one, other = generate_model_spans(sampler, SPANS, seed=3, count=2)
    np.testing.assert_array_equal(one.features, take_of(model).features)
    assert np.abs(one.features - other.features).max() > 0.01


def test_frames_are_those_of_the_rate(model: Model) -> None:
    take = take_of(model, [ClipSpan("Bow", 1, 120), ClipSpan("Walk", 141, 240)], fps=60.0)
    assert (take.frames, take.fps) == (240, 60.0)
    assert (bends(take)[:120] > 0.35).all()
    assert (bends(take)[140:] < 0.35).all()


def test_a_model_knows_its_clips_by_name(model: Model, tmp_path: Path) -> None:
    walk, bow = model.clips
    assert [walk.name, bow.name] == ["Walk", "Bow"]
    played = model.source.slice(bow.start, bow.stop)
    np.testing.assert_allclose(played.rotations()[:, 1:], bowing_motion().rotations()[:, 1:], atol=1e-6)
    save_model(model, tmp_path / "both.safetensors")
    assert load_model(tmp_path / "both.safetensors").clips == model.clips
    assert read_info(tmp_path / "both.safetensors")["clips"] == ["Walk", "Bow"]
    names = [clip.name for clip in mix_named(["Walk", "Walk", "Walk"], [walking_motion(4.0)] * 3)[1]]
    assert names == ["Walk", "Walk.001", "Walk.002"]


@pytest.mark.parametrize(
    "clips",
    [
        [LearnedClip("Walk", 0, 100), LearnedClip("Bow", 90, 120)],
        [LearnedClip("Walk", 0, 100), LearnedClip("Bow", 110, 100_000)],
        [LearnedClip("Walk", 0, 100), LearnedClip("Walk", 110, 150)],
        [LearnedClip("Walk", 50, 51)],
    ],
)
def test_clips_that_cannot_be_are_refused(model: Model, tmp_path: Path, clips: list[LearnedClip]) -> None:
    save_model(replace(model, clips=tuple(clips)), tmp_path / "odd.safetensors")
    with pytest.raises(RiffError, match=r"“odd.safetensors” is damaged .*clips"):
        load_model(tmp_path / "odd.safetensors")


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ([], "There is no span"),
        ([ClipSpan("Run", 5, 60)], "“Both” was not trained on “Run”, which plays at frame 5; it knows “Walk”, “Bow”"),
        ([ClipSpan("Walk", 1, 60), ClipSpan("Bow", 122, 190)], "61 frames, more than a passage lasts"),
        ([ClipSpan("Walk", 1, 50_000_000)], "would have 50,000,000 frames"),
    ],
)
def test_spans_that_cannot_be_played_are_named(model: Model, spans: list[ClipSpan], problem: str) -> None:
    with pytest.raises(RiffError, match=problem):
        take_of(model, spans)


def test_a_take_of_a_few_rows_is_refused(model: Model) -> None:
    with pytest.raises(RiffError, match="only 5 rows at 30 frames a second"):
        take_of(model, [ClipSpan("Walk", 1, 9)], fps=60.0)


def test_a_model_of_one_clip_is_refused() -> None:
    single = instant_model(walking_motion(4.0), "Single")
    with pytest.raises(RiffError, match="“Single” was not trained on several clips"):
        take_of(single)


def test_it_can_be_cancelled(model: Model) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        generate_model_spans(Sampler(model, torch=False), SPANS, check_cancelled=stop)
