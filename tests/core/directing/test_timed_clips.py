"""Takes in which clips play when they are told to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.directing.concatenate import on_one_skeleton
from core.directing.timed_clips import ClipSpan, check_spans, generate_spans, parse_clip_spans
from core.errors import ClipError, ModelError
from core.matching.instant import instant_model
from core.model.model import Model
from tests.support.motions import bends, bowing_motion, walking_motion

SPANS = [ClipSpan("Walk", 11, 70), ClipSpan("Bow", 83, 142), ClipSpan("Walk", 167, 226)]


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    walk, bow = on_one_skeleton([walking_motion(4.0), bowing_motion()])
    return {"Walk": instant_model(walk), "Bow": instant_model(bow)}


def test_each_clip_plays_in_its_span(models: dict[str, Model]) -> None:
    take = generate_spans(models, SPANS, seed=3)[0]
    assert take.frames == 216
    bowed = bends(take) > 0.35
    for span in SPANS:
        assert (bowed[span.start - 11 : span.end - 10] == (span.clip == "Bow")).all()
    path = take.root_positions()[:, 1]
    size = walking_motion(4.0).root_positions()[:, 1]
    pace = np.ptp(size) / 4.0
    assert path[59] - path[0] > 0.7 * pace * 2.0
    assert abs(path[131] - path[72]) < 0.2 * pace * 2.0


def test_passages_have_no_jump(models: dict[str, Model]) -> None:
    for take in generate_spans(models, SPANS, seed=1, count=2):
        speeds = np.linalg.norm(np.diff(take.positions(), axis=0), axis=2).max(1)
        clips = [np.linalg.norm(np.diff(model.source.positions(), axis=0), axis=2).max() for model in models.values()]
        assert speeds.max() < 1.5 * max(clips)


def test_a_variation_depends_on_seed_and_number_only(models: dict[str, Model]) -> None:
    one, other = generate_spans(models, SPANS, seed=4, count=2)
    np.testing.assert_array_equal(one.features, generate_spans(models, SPANS, seed=4)[0].features)
    assert np.abs(one.features - other.features).max() > 0.01


def test_speed_and_rate(models: dict[str, Model]) -> None:
    slow, fast = (
        generate_spans(models, [ClipSpan("Walk", 1, 121, speed)], fps=60.0, seed=2)[0] for speed in (1.0, 2.0)
    )
    assert slow.frames == fast.frames == 121
    assert slow.fps == 60.0
    ways = [np.ptp(one.root_positions()[:, 1]) for one in (slow, fast)]
    assert 1.7 < ways[1] / ways[0] < 2.3


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ([], "no span"),
        ([ClipSpan("Run", 5, 60)], "no clip “Run” to play at frame 5"),
        ([ClipSpan("Walk", 5, 11)], "5-11 .“Walk”. has fewer than 8 frames"),
        ([ClipSpan("Walk", 1, 60, 9.0)], "speed of the span 1-60"),
        ([ClipSpan("Walk", 1, 60), ClipSpan("Bow", 60, 90)], "1-60 .“Walk”. and 60-90 .“Bow”. overlap"),
        ([ClipSpan("Walk", 1, 60), ClipSpan("Bow", 66, 90)], "only 5 frames to pass over; leave 6"),
        ([ClipSpan("Walk", 1, 60), ClipSpan("Bow", 122, 190)], "61 frames, more than a passage lasts"),
    ],
)
def test_spans_that_cannot_be_played_are_named(models: dict[str, Model], spans: list[ClipSpan], problem: str) -> None:
    with pytest.raises(ClipError, match=problem):
        check_spans(spans, 30.0, list(models))


def test_models_of_other_skeletons_are_refused(models: dict[str, Model]) -> None:
    walk = walking_motion(4.0)
    parents = (-1, 0, 0, *walk.skeleton.parents[3:])
    other = replace(walk, skeleton=replace(walk.skeleton, parents=parents))
    with pytest.raises(ModelError, match="“Bow” is of another skeleton than “Walk”"):
        generate_spans({"Walk": models["Walk"], "Bow": instant_model(other)}, SPANS)


def test_spans_in_words() -> None:
    spans = parse_clip_spans("Walk@1-120, Hip Hop.001@136-260x1.5")
    assert spans == (ClipSpan("Walk", 1, 120), ClipSpan("Hip Hop.001", 136, 260, 1.5))
    with pytest.raises(ClipError, match="“Walk” does not say"):
        parse_clip_spans("Walk")
