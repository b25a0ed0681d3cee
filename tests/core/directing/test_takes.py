"""Paths of the root in whole variations: back to the start, in place, along the source's path; instant and trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.directing.root_paths import ROOT_PATHS
from core.directing.takes import generate_takes, returns, travels, with_root_path
from core.errors import ClipError
from core.evaluation.artefacts import foot_figures
from core.generation.generate import generate
from core.matching.instant import instant_model
from core.model.model import Model
from core.model.recipe import FAST
from core.motion.headings import turn_motion
from core.motion.motion import Motion, with_contact_labels
from core.training.train import train


def walk_round(walk: Motion) -> Motion:
    """A walk that is bent to a circle and ends where it starts."""
    turned = turn_motion(walk, np.linspace(0.0, 2.0 * np.pi, walk.frames))
    return with_contact_labels(turned)


@pytest.fixture(scope="module", params=["instant", "trained"])
def model(request: pytest.FixtureRequest, make_walker: Callable[..., Motion]) -> Model:
    """A model of a walk on a circle."""
    source = walk_round(make_walker(12.0))
    if request.param == "instant":
        return instant_model(source)
    recipe = replace(FAST, iterations=(30, 30, 20, 20), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    return train(source, recipe, seed=3)


def gap(motion: Motion) -> float:
    path = motion.root_positions()[:, :2]
    return float(np.linalg.norm(path[-1] - path[0]))


def test_takes_of_a_source_that_returns_do_too(model: Model) -> None:
    assert returns(model.source)
    free = generate_takes(model, root="free", count=3, seed=4)
    takes = generate_takes(model, count=3, seed=4)
    assert max(map(gap, free)) > 0.5
    assert max(map(gap, takes)) < 1e-6
    for take, other in zip(takes, free, strict=True):
        walked = np.linalg.norm(np.diff(take.root_positions()[:, :2], axis=0), axis=1).sum()
        assert walked > 0.5 * np.linalg.norm(np.diff(other.root_positions()[:, :2], axis=0), axis=1).sum()
        skating = [foot_figures(model.source, one)["foot_skating_ratio"] for one in (take, other)]
        assert skating[0] < max(1.5 * skating[1], 1.0), "the way back is walked, not slid"


def test_a_short_part_of_a_round_does_not_return(model: Model) -> None:
    takes, free = (generate_takes(model, root=root, count=4, frames=60, seed=4) for root in ("auto", "free"))
    for one, other in zip(takes, free, strict=True):
        np.testing.assert_array_equal(one.features, other.features)
    assert max(map(gap, takes)) > 0.3


def test_a_source_that_goes_away_gives_takes_that_do(make_walker: Callable[..., Motion]) -> None:
    model = instant_model(make_walker(6.0))
    assert not returns(model.source)
    np.testing.assert_array_equal(generate_takes(model, seed=2)[0].features, generate(model, seed=2)[0].features)


def test_in_place_the_root_stays_above_its_start(model: Model) -> None:
    for held in generate_takes(model, root="place", count=2, seed=4, fps=24.0):
        assert np.ptp(held.root_positions()[:, :2], axis=0).max() < 1e-9
    (free,) = generate_takes(model, root="free", seed=4, fps=24.0)
    held = with_root_path(free, model.source, "place")
    np.testing.assert_allclose(held.root_positions()[:, :2], np.tile(free.origin, (free.frames, 1)), atol=1e-9)
    np.testing.assert_array_equal(held.root_positions()[:, 2], free.root_positions()[:, 2])
    np.testing.assert_array_equal(held.rotations(), free.rotations())


@pytest.mark.parametrize(("frames", "fps"), [(None, 30.0), (180, 24.0), (900, 60.0)])
def test_along_the_path_the_root_goes_where_the_source_goes(model: Model, frames: int | None, fps: float) -> None:
    assert travels(model.source)
    course = model.source.root_positions()[:, :2]
    middle, radius = course.mean(0), np.linalg.norm(course - course.mean(0), axis=1).mean()
    for take in generate_takes(model, root="source", frames=frames, fps=fps, count=2, seed=4):
        away = np.linalg.norm(take.root_positions()[:, :2] - middle, axis=1)
        assert np.abs(away - radius).max() < 0.2 * radius
        assert take.fps == fps
        assert frames is None or take.frames == frames


def test_a_dance_on_the_spot_keeps_the_places_of_its_source(make_walker: Callable[..., Motion]) -> None:
    walk = make_walker(8.0)
    features, channel = walk.features.copy(), walk.skeleton.root_channel
    times = np.arange(walk.frames) / walk.fps
    features[:, channel] = 0.01 * np.cos(6.0 * times)
    features[:, channel + 1] = 0.02 * np.sin(5.0 * times)
    model = instant_model(with_contact_labels(replace(walk, features=features)))
    assert not travels(model.source)
    take = generate_takes(model, root="source", frames=400)[0]
    whole = model.source.root_positions()[:, :2]
    np.testing.assert_allclose(take.root_positions()[: len(whole), :2], whole, atol=1e-6)
    assert take.frames == 400, "it begins again where it has ended"


def test_loops_go_in_place_and_along_the_path(model: Model) -> None:
    place = generate_takes(model, root="place", loop=True, frames=90, seed=1)[0]
    assert np.ptp(place.root_positions()[:, :2], axis=0).max() < 1e-9
    along = generate_takes(model, root="source", loop=True, seed=1)[0]
    assert gap(along) < 1e-6
    np.testing.assert_allclose(along.rotations()[0], along.rotations()[-1], atol=1e-6)


def test_takes_do_not_depend_on_their_number_and_like_works(model: Model) -> None:
    for root in ROOT_PATHS:
        two = generate_takes(model, root=root, count=2, seed=7, frames=300)
        np.testing.assert_allclose(
            generate_takes(model, root=root, count=1, seed=7, frames=300)[0].features, two[0].features, atol=1e-5
        )
        assert np.abs(two[0].rotations() - two[1].rotations()).max() > 0.01
        near = generate_takes(model, root=root, like=[(7.0, 0)], seed=8, frames=300)[0]
        assert near.frames == 300


def test_another_path_is_refused(model: Model) -> None:
    with pytest.raises(ClipError, match="not “home”"):
        generate_takes(model, root="home")
