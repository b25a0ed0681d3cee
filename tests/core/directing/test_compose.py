"""Compositions with a tiny model: what is kept is kept, what is new joins on, and bad input is told in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cli.main import main
from core.directing.compose import compose
from core.directing.composition import (
    Composition,
    close_loop,
    extend,
    fill_regions,
    free,
    keep_keys,
    keep_parts,
    keep_root_path,
    overlay,
    place_moments,
    restyle,
)
from core.directing.direction import Direction
from core.directing.route import Route
from core.errors import ClipError, ModelError
from core.generation.generate import generate
from core.model.model import Model
from core.model.model_file import save_model
from core.model.recipe import FAST
from core.motion.body_parts import body_halves
from core.motion.bvh import read_bvh
from core.motion.motion import Motion
from core.motion.resampling import resample
from core.motion.skeleton import GROUP
from core.training.train import train

EXACT = 1e-9


@pytest.fixture(scope="module")
def model(make_walker: Callable[..., Motion]) -> Model:
    recipe = replace(FAST, iterations=(30, 30, 20, 20), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    return train(make_walker(6.0), recipe, seed=3)


@pytest.fixture(scope="module", params=[30.0, 24.0, 60.0], ids=["30fps", "24fps", "60fps"])
def source(model: Model, request: pytest.FixtureRequest) -> Motion:
    return resample(model.source, request.param)


def jolts(motion: Motion, edges: list[int]) -> list[float]:
    """Greatest steps, accelerations and jerks of a joint across edges, in its 99th percentiles anywhere."""
    positions, found = motion.positions(), []
    for order in (1, 2, 3):
        sizes = np.linalg.norm(np.diff(positions, order, axis=0), axis=-1)
        limit = np.maximum(np.percentile(sizes, 99, axis=0), 1e-4)
        found.append(max(float((sizes[max(0, e - order) : e] / limit).max()) for e in edges))
    return found


def pace(motion: Motion) -> float:
    return float(np.linalg.norm(np.diff(motion.positions(), axis=0), axis=-1).mean())


def test_kept_parts_are_the_sources_and_the_root_goes_with_the_legs(model: Model, source: Motion) -> None:
    lower = body_halves(source.skeleton)["Lower Body"]
    outcomes = compose(model, keep_parts(source, lower), count=2, seed=4)
    columns = [g * GROUP + k for j in lower for g in [j] for k in range(GROUP)]
    for outcome in outcomes:
        assert (outcome.frames, outcome.fps) == (source.frames, source.fps)
        np.testing.assert_allclose(outcome.features[:, columns], source.features[:, columns], atol=EXACT)
        np.testing.assert_allclose(outcome.positions()[:, lower], source.positions()[:, lower], atol=1e-6)
    arm = source.skeleton.names.index("RightArm") * GROUP
    assert np.abs(outcomes[0].features[:, arm:] - source.features[:, arm:]).max() > 0.01
    assert np.abs(outcomes[0].features - outcomes[1].features).max() > 0.01


def test_upper_body_kept_lets_the_root_go(model: Model, source: Motion) -> None:
    upper = body_halves(source.skeleton)["Upper Body"]
    outcome = compose(model, keep_parts(source, upper), seed=4)[0]
    columns = [j * GROUP + k for j in upper for k in range(GROUP)]
    np.testing.assert_allclose(outcome.features[:, columns], source.features[:, columns], atol=EXACT)
    assert np.abs(outcome.root_positions() - source.root_positions()).max() > 0.01


@pytest.mark.parametrize("seed", [1, 2])
def test_regions_are_new_and_all_else_is_the_source(model: Model, source: Motion, seed: int) -> None:
    second = round(source.fps)
    regions = [(second, second + 8), (2 * second, 3 * second + second // 2)]
    outcome = compose(model, fill_regions(source, regions), seed=seed)[0]
    outside = np.ones(source.frames, dtype=bool)
    for start, stop in regions:
        outside[start:stop] = False
    np.testing.assert_allclose(outcome.positions()[outside], source.positions()[outside], atol=1e-6)
    np.testing.assert_allclose(outcome.rotations()[outside], source.rotations()[outside], atol=1e-6)
    inside = slice(*regions[1])
    assert np.abs(outcome.rotations()[inside] - source.rotations()[inside]).max() > 0.02
    assert max(jolts(outcome, [edge for region in regions for edge in region])) < 6.0


def test_alternatives_differ(model: Model) -> None:
    first, second = compose(model, fill_regions(model.source, [(40, 120)]), count=2, seed=1)
    assert np.abs(first.features[40:120] - second.features[40:120]).max() > 0.02
    np.testing.assert_allclose(first.features[130:, :6], second.features[130:, :6], atol=EXACT)


def test_same_seed_same_outcome(model: Model) -> None:
    task = fill_regions(model.source, [(40, 90)])
    first, again = compose(model, task, seed=6)[0], compose(model, task, count=2, seed=6)[0]
    np.testing.assert_allclose(first.features, again.features, atol=1e-4)


def test_moments_come_in_any_order_and_as_often_as_wanted(model: Model, source: Motion) -> None:
    second = round(source.fps)
    moments = [(3 * second, 4 * second, second), (0, second, 3 * second), (3 * second, 4 * second, 5 * second)]
    outcome = compose(model, place_moments(source, moments, 7 * second), seed=2)[0]
    assert outcome.frames == 7 * second
    for start, stop, at in moments:
        placed = outcome.slice(at, at + stop - start)
        taken = source.slice(start, stop)
        np.testing.assert_allclose(placed.rotations()[:, 1:], taken.rotations()[:, 1:], atol=1e-6)
        turn = placed.rotations()[0, 0] @ taken.rotations()[0, 0].T
        np.testing.assert_allclose(turn[2], [0.0, 0.0, 1.0], atol=1e-6)
        np.testing.assert_allclose(placed.rotations()[:, 0], turn @ taken.rotations()[:, 0], atol=1e-6)
        way, wanted = placed.root_positions(), taken.root_positions() @ turn.T
        np.testing.assert_allclose(way - way[0], wanted - wanted[0], atol=1e-6)


def test_extension_keeps_the_source_and_keeps_moving(model: Model, source: Motion) -> None:
    second = round(source.fps)
    outcome = compose(model, extend(source, second, 4 * second), seed=2)[0]
    assert outcome.frames == source.frames + 5 * second
    kept = slice(second, second + source.frames)
    np.testing.assert_allclose(outcome.positions()[kept], source.positions(), atol=1e-6)
    plain = resample(generate(model, frames=400, count=1, seed=2)[0], source.fps)
    assert pace(outcome.slice(outcome.frames - 2 * second, outcome.frames)) > 0.5 * pace(plain)


@pytest.mark.parametrize("travels", [False, True])
def test_loop_ends_where_it_begins_with_the_same_speed(model: Model, source: Motion, travels: bool) -> None:
    second = round(source.fps)
    outcome = compose(model, close_loop(source, 2 * second, travels), seed=2)[0]
    np.testing.assert_allclose(outcome.rotations()[-1], outcome.rotations()[0], atol=1e-9)
    positions = outcome.positions()
    relative = positions - outcome.root_positions()[:, None] * [1, 1, 0]
    np.testing.assert_allclose(relative[-1], relative[0], atol=1e-9)
    if not travels:
        np.testing.assert_allclose(positions[-1], positions[0], atol=1e-6)
    steps = np.linalg.norm(np.diff(np.diff(positions, axis=0), axis=0), axis=-1)
    at_seam = np.linalg.norm((positions[1] - positions[0]) - (positions[-1] - positions[-2]), axis=-1)
    assert at_seam.max() < 3.0 * np.percentile(steps, 99)


def test_whole_new_loop(model: Model) -> None:
    task = replace(free(model.source), loop=True)
    outcome = compose(model, task, seed=2)[0]
    np.testing.assert_allclose(outcome.positions()[-1], outcome.positions()[0], atol=1e-6)
    assert np.abs(outcome.features - model.source.features).max() > 0.05


def test_keys_are_hit_exactly_or_softly(model: Model, source: Motion) -> None:
    rows = [10, 50, source.frames - 20]
    hard = compose(model, keep_keys(source, rows), seed=5)[0]
    np.testing.assert_allclose(hard.positions()[rows], source.positions()[rows], atol=1e-6)
    loose = compose(model, overlay(keep_keys(source, rows[:1]), keep_keys(source, rows[1:], 0.3)), seed=5)[0]
    np.testing.assert_allclose(loose.rotations()[10], source.rotations()[10], atol=1e-6)
    off = np.abs(loose.rotations()[50] - source.rotations()[50]).max()
    assert off > 1e-3
    assert jolts(hard, [10, 11, 50, 51])[0] < 6.0


def test_masks_combine(model: Model, source: Motion) -> None:
    """Upper body, in a region only, but for one key."""
    lower = body_halves(source.skeleton)["Lower Body"]
    task = overlay(fill_regions(source, [(30, 70)]), keep_parts(source, lower))
    task = overlay(task, keep_keys(source, [50]))
    outcome = compose(model, task, seed=1)[0]
    changed = np.abs(outcome.rotations() - source.rotations()).max(axis=(2, 3)) > 1e-6
    assert not changed[:30].any()
    assert not changed[70:].any()
    assert not changed[50].any()
    assert not changed[:, list(lower)].any()
    assert changed[35:45].any()


def test_restyled_content_moves_with_the_slider(model: Model, make_walker: Callable[..., Motion]) -> None:
    content = make_walker(4.0, start=11.0)
    off = [
        np.abs(compose(model, restyle(content, keep=keep), seed=3)[0].rotations() - content.rotations()).mean()
        for keep in (0.0, 0.5, 1.0)
    ]
    assert off[0] > off[1] > off[2]
    assert off[2] < 0.01
    late = compose(model, restyle(content, entry=4), seed=3)[0]
    assert np.abs(late.rotations() - content.rotations()).mean() < off[0]


def test_root_path_is_kept_under_a_new_body(model: Model, source: Motion) -> None:
    outcome = compose(model, keep_root_path(free(source)), seed=3)[0]
    np.testing.assert_allclose(outcome.root_positions(), source.root_positions(), atol=1e-6)
    assert np.abs(outcome.rotations() - source.rotations()).max() > 0.02


def test_root_follows_a_route(model: Model, source: Motion) -> None:
    turn = np.linspace(0, np.pi, 200)
    route = Route(np.stack([8.0 - 8.0 * np.cos(turn), 8.0 * np.sin(turn)], axis=1))
    outcome = compose(model, replace(free(source), route=route), seed=3)[0]
    path = outcome.root_positions()[:, :2]
    distance = np.linalg.norm(path[:, None] - route.points[None], axis=2).min(1)
    assert distance.max() < 0.35
    assert np.linalg.norm(path[0] - route.points[0]) < 0.35
    with pytest.raises(ClipError, match=r"curve is .* long, but the motion walks"):
        compose(model, replace(free(source), route=Route(route.points[:2] * 1e-3)), seed=3)


def test_without_a_foot_solve_the_kept_is_kept_too(model: Model, source: Motion) -> None:
    outcome = compose(model, fill_regions(source, [(30, 60)]), clean=False)[0]
    np.testing.assert_allclose(outcome.positions()[60:], source.positions()[60:], atol=1e-6)


@pytest.mark.parametrize("entry", [1, 2, 3, 4])
def test_every_level_can_be_entered(model: Model, entry: int) -> None:
    task = replace(fill_regions(model.source, [(30, 90)]), entry=entry)
    outcome = compose(model, task, seed=3)[0]
    np.testing.assert_allclose(outcome.positions()[90:], model.source.positions()[90:], atol=1e-6)


Bad = Callable[[Motion], Composition]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda s: fill_regions(s, []), "no region"),
        (lambda s: fill_regions(s, [(100, 1000)]), "region 101-1000 is not inside"),
        (lambda s: fill_regions(s, [(10, 17)]), "fewer than 8"),
        (lambda s: fill_regions(s, [(10, 40), (39, 60)]), "11-40 and 40-60 overlap"),
        (lambda s: fill_regions(s, [(0, s.frames)]), "whole action"),
        (lambda s: keep_parts(s, []), "No body part is kept"),
        (lambda s: keep_parts(s, range(s.skeleton.joints)), "All body parts are kept"),
        (lambda s: keep_keys(s, []), "No keyframe"),
        (lambda s: keep_keys(s, [s.frames]), "outside"),
        (lambda s: keep_keys(s, [3], 0.0), "above 0"),
        (lambda s: place_moments(s, [(0, 20, 0), (30, 50, 24)], 60), "only 4 frames"),
        (lambda s: place_moments(s, [(0, 20, 50)], 60), "not inside"),
        (lambda s: extend(s, 0, 3), "at least 8"),
        (lambda s: extend(s, 10**8, 0), "too many for .* channels"),
        (lambda s: extend(s, 0, 10**400), "too many for .* channels"),
        (lambda s: place_moments(s, [(0, 20, 0)], 10**8), "too many for .* channels"),
        (lambda s: close_loop(s, 4), "transition has fewer than 8"),
        (lambda s: close_loop(s, s.frames - 3), "transition takes up the whole action"),
        (lambda s: restyle(s, keep=1.5), "between 0 and 1"),
        (lambda s: overlay(free(s), free(s.slice(0, 40))), "one and the same action"),
        (lambda s: Composition(s, np.ones((s.frames, s.skeleton.groups))), "Everything is kept"),
        (free, "Nothing is kept"),
        (lambda s: replace(fill_regions(s, [(20, 40)]), entry=9), "levels 1 to 4"),
    ],
)
def test_bad_input_is_told_in_one_sentence(model: Model, make: Bad, sentence: str) -> None:
    with pytest.raises(ClipError, match=sentence) as told:
        compose(model, make(model.source))
    assert str(told.value).endswith(".")


def test_another_skeleton_is_refused(model: Model) -> None:
    skeleton = replace(model.skeleton, names=tuple(f"{name}.001" for name in model.skeleton.names))
    with pytest.raises(ModelError, match="another skeleton"):
        compose(model, fill_regions(replace(model.source, skeleton=skeleton), [(20, 40)]))


def test_command_line(model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "walk.safetensors"
    save_model(replace(model, name="walk"), path)
    common = ["compose", str(path), "--out", str(tmp_path / "out"), "--json"]
    assert main([*common, "--vary", "Upper Body", "--regions", "31-90", "--count", "2"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["count"] == 2
    assert report["composition"]["regions"] == [[31, 90]]
    written = read_bvh(Path(report["files"][0]))
    np.testing.assert_allclose(written.positions()[:30], model.source.positions()[:30], atol=1e-3)
    assert main([*common, "--moments", "1-40@1,1-40@80", "--length", "150"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 150
    for wrong, sentence in (
        (["--regions", "3-5"], "fewer than 8"),
        (["--keys", "x"], "no list of frames"),
        (["--keep", "Tail"], "Tail"),
        (["--regions", "9"], "no span"),
        ([], "Nothing is kept"),
        (["--count", "0", "--style", "1"], "at least one"),
    ):
        assert main([*common, *wrong]) == 1
        assert sentence in capsys.readouterr().err


def test_directions_survive_json() -> None:
    asked = Direction(keep=("Head",), regions=((3, 40), (60, 90)), moments=((1, 20, 50),), travels=True, style=0.5)
    assert Direction.from_json(json.loads(json.dumps(asked.to_json()))) == asked
    with pytest.raises(ClipError, match="A composition has no setting"):
        Direction.from_json({"colour": 1})
