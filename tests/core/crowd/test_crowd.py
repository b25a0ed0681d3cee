"""Crowds: the most different are chosen, nobody walks through anybody, places are what was asked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from core.crowd.candidates import CandidatePool
from core.crowd.crowd import Crowd, CrowdSpec, block_members
from core.crowd.placement import PATH_ROWS, Floor, Spot, place_members, sampled, turned
from core.crowd.selection import choose_apart, choose_members, closest_pairs, from_source, local_distance
from core.crowd.similarity import WindowDescriptor
from core.crowd.spots import GroundSurface, along, grid
from core.crowd.terrain import over_ground
from core.crowd.trajectories import Span, clearance, floor_height, forward_of, seen_during, trajectory_of
from core.errors import ClipError
from core.evaluation.metrics import local_diversity, rotation_features
from core.generation.generate import generate
from core.model.model import Model
from core.model.recipe import FAST
from core.motion.motion import RATE, Motion
from core.numeric.rotation import Array
from core.training.train import train

FRAMES = 90


def smallest_gap(paths: Sequence[Array]) -> float:
    """Return the smallest distance of two paths (T, 2) at the same row."""
    return min(float(np.linalg.norm(a - b, axis=1).min()) for a, b in itertools.combinations(paths, 2))


@pytest.fixture(scope="module")
def model(make_walker: Callable[..., Motion]) -> Model:
    recipe = replace(FAST, iterations=(30, 30, 20, 20), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    return train(make_walker(6.0), recipe, seed=3)


def test_the_choice_is_nearly_the_best_there_is() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        points = random.random((9, 2))
        distances = np.linalg.norm(points[:, None] - points, axis=2)
        best = max(
            min(distances[a, b] for a, b in itertools.combinations(rows, 2))
            for rows in itertools.combinations(range(9), 4)
        )
        chosen = choose_apart(distances, 4)
        smallest = min(distances[a, b] for a, b in itertools.combinations(chosen, 2))
        assert len(set(chosen)) == 4
        assert smallest >= 0.5 * best  # Gonzalez's bound; exchanges only raise it


def test_the_choice_keeps_away_from_those_that_are_there() -> None:
    points = np.array([[0.0], [0.1], [5.0], [5.1], [9.0]])
    distances = np.abs(points - points.T)
    assert sorted(choose_apart(distances, 2, taken=1)) in ([2, 4], [3, 4])
    assert choose_apart(distances, 0, taken=2) == []
    with pytest.raises(ValueError, match="fewer"):
        choose_apart(distances, 5, taken=1)


def test_nobody_is_closer_to_another_than_to_the_source() -> None:
    """The source is the origin. Far out there is room for any two, but as far from the source as nobody may be."""
    random = np.random.default_rng(4)
    ring = random.normal(size=(120, 2))
    ring *= (random.choice([1.0, 1.1, 6.0], 120) / np.linalg.norm(ring, axis=1))[:, None]
    distances = np.linalg.norm(ring[:, None] - ring, axis=2)
    asked: list[tuple[int, int]] = []

    def exact(pairs: Sequence[tuple[int, int]]) -> list[float]:
        asked.extend(pairs)
        return [float(distances[pair]) for pair in pairs]

    rough = distances * random.uniform(0.9, 1.1, distances.shape)
    chosen = choose_members(np.maximum(rough, rough.T), np.linalg.norm(ring, axis=1), 5, exact)
    assert len(set(chosen)) == 5
    assert np.linalg.norm(ring[chosen], axis=1).max() < 1.2
    among = distances[np.ix_(chosen, chosen)]
    assert among[~np.eye(5, dtype=bool)].min() > 1.0
    assert 0 < len(asked) < 120


def test_closest_pairs() -> None:
    points = np.array([[0.0], [4.0], [4.5], [9.0]])
    assert closest_pairs(np.abs(points - points.T), 2) == [(1, 2), (0, 1)]


def test_a_lens_sees_a_twin_that_comes_later() -> None:
    random = np.random.default_rng(2)
    motion = np.cumsum(random.standard_normal((200, 12)), axis=0)
    others = np.stack([motion[20:120], motion[60:160], motion[20:120] + 10.0 * random.standard_normal(12)])
    lens = WindowDescriptor(motion, 30.0)
    seen = lens.describe(others)
    distances = lens.distances(seen.views)
    assert np.allclose(distances, distances.T)
    assert np.allclose(np.diag(distances), 0.0, atol=1e-2)
    assert distances[0, 1] < 0.5 * distances[0, 2]
    with pytest.raises(ClipError, match="shorter"):
        lens.describe(others[:, :5])


def test_long_motions_are_chosen_in_smaller_blocks() -> None:
    """Candidates of a block, or all members, do not take gigabytes."""

    def most(count: int, frames: int) -> int:
        skeleton = SimpleNamespace(channels=400)
        pool = SimpleNamespace(rows=frames, model=SimpleNamespace(skeleton=skeleton), coarse_share=0.4)
        return block_members(cast(CandidatePool, pool), CrowdSpec(count, frames, 1, pool=4.0))

    assert most(1000, 250) == most(500, 2000) == 100
    assert most(10, 20_000) == 10
    with pytest.raises(ClipError, match=r"1000 members .* of 100,000 frames take more memory .* at most 13, or"):
        most(1000, 100_000)


def circle(radius: float, rotations: float = 1.0, rows: int = 120) -> np.ndarray:
    at = np.linspace(0.0, 2.0 * np.pi * rotations, rows)
    return radius * np.stack([np.cos(at) - 1.0, np.sin(at)], axis=1)


def test_nobody_comes_too_near_at_any_time() -> None:
    random = np.random.default_rng(3)
    paths = [circle(random.uniform(0.5, 2.0), random.choice([-1.0, 1.0])) for _ in range(40)]
    floor = Floor(1.0)
    spots = (Spot((*place[:2], 0.0)) for place in grid(40, 2.2, np.zeros(3)))
    placed = place_members(floor, paths, np.zeros(40), spots, random)
    assert len(placed) == 40
    assert len({one.member for one in placed}) == 40
    walked = [turned(paths[p.member], np.array([p.heading]))[0] + np.array(p.spot.place[:2]) for p in placed]
    assert smallest_gap(walked) > 0.97  # between the rows that are looked at a little may be missing
    plain = [path + np.array(p.spot.place[:2]) for p, path in zip(placed, paths, strict=True)]
    assert smallest_gap(plain) < 0.9  # without choosing they do run through each other


def test_who_finds_no_room_is_left_out() -> None:
    floor = Floor(1.0)
    floor.add(np.zeros((PATH_ROWS, 2)))
    spots = iter([Spot((0.5, 0.0, 0.0)), Spot((3.0, 0.0, 0.0))])
    placed = place_members(floor, [np.zeros((10, 2))] * 2, np.zeros(2), spots, np.random.default_rng(0))
    assert [one.spot.place[0] for one in placed] == [3.0]


def test_headings_stay_within_their_spread() -> None:
    spots = iter([Spot((float(4 * k), 0.0, 0.0), 1.0, 0.1) for k in range(30)])
    paths = [sampled(np.linspace([0.0, 0.0], [1.0, 0.0], 20))] * 30
    placed = place_members(Floor(0.5), paths, np.full(30, 0.7), spots, np.random.default_rng(0))
    assert all(abs(one.heading - 1.0) <= 0.1 for one in placed)
    assert len({one.heading for one in placed}) > 20


def test_a_grid_goes_on_behind() -> None:
    positions = np.array(list(itertools.islice(grid(9, 2.0, np.array([5.0, 0.0, 1.0])), 12)))
    assert np.allclose(positions[:9].mean(axis=0), [5.0, 0.0, 1.0])
    gaps = np.linalg.norm(positions[:, None] - positions, axis=2)[~np.eye(12, dtype=bool)]
    assert gaps.min() == pytest.approx(2.0)
    assert positions[9:, 1].max() < positions[:9, 1].min()


def test_along_lines() -> None:
    lines = [np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]]), np.array([[4.0, 0.0, 0.0], [4.0, 4.0, 2.0]])]
    found = list(itertools.islice(along(lines, 5, np.random.default_rng(0)), 5))
    assert found[0][0] == pytest.approx([(4.0 + np.sqrt(20.0)) / 10.0, 0.0, 0.0])
    assert found[0][1] == pytest.approx(0.0)
    assert found[-1][1] == pytest.approx(np.pi / 2)
    assert list(along([], 5, np.random.default_rng(0))) == []


def square(size: float, height: float = 0.0) -> np.ndarray:
    corners = size * np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) + np.array([0.0, 0.0, height])
    return np.array([corners[[0, 1, 2]], corners[[0, 2, 3]]])


def test_a_surface_is_where_its_faces_look_up() -> None:
    wall = square(10.0)[:, :, [0, 2, 1]][:, ::-1]
    surface = GroundSurface(np.concatenate([square(10.0, 2.0), wall, square(10.0)[:, ::-1]]), 0.1)
    assert surface.area == pytest.approx(100.0)
    positions = np.array(list(surface.scatter(50, np.random.default_rng(0))))
    assert np.allclose(positions[:, 2], 2.0)
    assert (positions[:, :2] > 0).all()
    assert (positions[:, :2] < 10).all()
    inside = np.linspace([1.0, 1.0], [9.0, 9.0], 30)
    assert surface.covers(np.stack([inside, inside + 2.0])).tolist() == [True, False]
    assert GroundSurface(wall, 0.1).area == 0.0


def test_a_surface_knows_its_heights() -> None:
    slope = square(10.0)
    slope[..., 2] = 0.3 * slope[..., 0] + 0.1 * slope[..., 1]
    surface = GroundSurface(np.concatenate([slope, square(4.0, 6.0)]), 0.1)
    positions = np.array([[8.0, 1.0], [5.0, 9.5], [2.0, 2.0], [11.0, 5.0]])
    assert surface.heights(positions) == pytest.approx([2.5, 2.45, 6.0, np.nan], abs=0.01, nan_ok=True)


def test_feet_stand_on_a_slope(make_walker: Callable[..., Motion]) -> None:
    """The body rises with the ground; standing feet go on standing, on the ground under them."""
    motion = make_walker(3.0)
    walked = over_ground(motion, lambda positions: 0.2 * positions[..., 0])
    before, after = motion.positions(), walked.positions()
    feet = list(motion.skeleton.contacts)
    off = after[:, feet] - before[:, feet] - np.array([0.0, 0.0, 0.2]) * before[:, feet, :1]
    assert np.abs(off).max() < 0.03
    rise = after[:, 0, 2] - before[:, 0, 2]
    assert np.abs(rise - 0.2 * before[:, 0, 0]).max() < 0.03
    assert over_ground(motion, lambda positions: np.full(positions.shape[:-1], np.nan)) is motion


def test_crowds_of_other_lengths_meet_in_time() -> None:
    path = np.linspace([0.0, 0.0], [99.0, 0.0], PATH_ROWS)
    seen = seen_during(path, Span(11, 100, False), Span(1, 50, False))
    assert seen[:, 0] == pytest.approx(np.clip(np.linspace(-10.0, 39.0, PATH_ROWS), 0.0, None))
    twice = seen_during(path, Span(1, 100, True), Span(1, 200, False))
    assert twice[:, 0] == pytest.approx(np.minimum(np.linspace(0.0, 199.0, PATH_ROWS) % 100.0, 99.0))


def test_members_stay_on_the_surface() -> None:
    surface = GroundSurface(square(6.0), 0.05)
    floor = Floor(1.0, surface.covers)
    random = np.random.default_rng(4)
    spots = (Spot((float(x), float(y), float(z))) for x, y, z in surface.scatter(100, random))
    paths = [circle(0.6)] * 100
    placed = place_members(floor, paths, np.zeros(100), spots, random)
    assert 8 < len(placed) < 60
    walked = np.array([turned(circle(0.6), np.array([p.heading]))[0] + p.spot.place[:2] for p in placed])
    assert walked.min() > -0.06
    assert walked.max() < 6.06
    assert smallest_gap(list(walked)) > 0.97


def test_what_a_motion_says_about_its_place(model: Model) -> None:
    source = model.source
    forward = forward_of(source)
    assert np.linalg.norm(forward) == pytest.approx(1.0)
    assert forward[2] == 0.0
    course = trajectory_of(source, forward)
    assert course.path.shape == (source.frames, 3)
    assert np.allclose(course.path, source.root_positions() * source.skeleton.unit)
    lowest = source.positions()[..., 2].min() * source.skeleton.unit
    assert floor_height(source, lowest) == lowest
    assert floor_height(source, lowest + 1e3) == pytest.approx(lowest, abs=0.2 * source.skeleton.unit)
    assert 0.1 < clearance(source) / source.skeleton.unit < 4.0


def test_a_member_can_be_made_again(model: Model) -> None:
    pool = CandidatePool(model, FRAMES, RATE)
    outlines = pool.outline([(5, k) for k in range(6)])
    made = pool.finish(outlines.pick([4, 1]))
    again = generate(model, frames=FRAMES, count=5, seed=5)
    assert np.abs(made[0].features - again[4].features).max() < 1e-4
    assert np.abs(made[1].features - again[1].features).max() < 1e-4


def test_the_outline_shows_the_course(model: Model) -> None:
    """The motion furthest from the others as an outline is not among the nearest when finished."""
    pool = CandidatePool(model, FRAMES, RATE)
    outlines = pool.outline([(1, k) for k in range(12)])
    courses = pool.coarse_rotations(outlines)
    motions = pool.finish(outlines)
    early, late = [], []
    for a, b in itertools.combinations(range(12), 2):
        early.append(np.linalg.norm(courses[a] - courses[b]))
        late.append(np.linalg.norm(rotation_features(motions[a]) - rotation_features(motions[b])))
    assert np.corrcoef(early, late)[0, 1] > 0.8


def test_rates_and_lengths(model: Model) -> None:
    for fps, frames in ((24.0, 60), (60.0, 121), (29.97, 47)):
        pool = CandidatePool(model, frames, fps)
        made = pool.finish(pool.outline([(1, 0), (1, 1)]))
        assert all(motion.fps == fps and motion.frames >= frames for motion in made)
    with pytest.raises(ClipError, match="one second"):
        CandidatePool(model, 20, 30.0)


def test_loops_close(model: Model) -> None:
    pool = CandidatePool(model, 46, RATE, loop=True)
    (loop,) = pool.finish(pool.outline([(1, 3)]))
    rotations, positions = loop.rotations(), loop.positions()
    assert np.abs(rotations[0] - rotations[-1]).max() < 1e-6
    assert np.abs(positions[0] - positions[-1]).max() < 1e-6
    step = np.abs(positions[1] - positions[0]).max()
    assert np.abs(positions[-1] - positions[-2]).max() < 3.0 * max(step, 0.02)


def people(model: Model, wish: CrowdSpec, taken: list[tuple[int, int]] | None = None, distance: float = 2.0) -> Crowd:
    pool = CandidatePool(model, wish.frames + wish.phase, RATE)
    spots = (Spot((float(x), float(y), 0.0)) for x, y, _ in grid(wish.count, 1.5 * distance, np.zeros(3)))
    crowd = Crowd(pool, wish, Floor(distance), spots, 1.0)
    crowd.members = [member for block in crowd.blocks(taken or []) for member in block]  # type: ignore[attr-defined]
    return crowd


def test_a_crowd(model: Model) -> None:
    unit = model.skeleton.unit
    crowd = people(model, CrowdSpec(8, FRAMES, seed=3, phase=20, uneven=0.2), distance=4.0 * unit)
    members = crowd.members  # type: ignore[attr-defined]
    assert len(members) == 8
    assert crowd.next == 24
    assert len({member.key for member in members}) == 8
    assert all(0 <= member.offset <= 20 and 0.8 <= member.scale <= 1.2 for member in members)
    walked = []
    for member in members:
        path = member.course.path[member.offset : member.offset + FRAMES]
        path = member.scale * (path - member.pivot)[:, :2]
        walked.append(
            turned(path, np.array([member.placed.heading - member.course.facing]))[0] + member.placed.spot.place[:2]
        )
    assert smallest_gap(walked) > 3.9 * unit
    again = people(model, CrowdSpec(8, FRAMES, seed=3, phase=20, uneven=0.2), distance=4.0 * unit)
    assert [m.key for m in again.members] == [m.key for m in members]  # type: ignore[attr-defined]


def test_more_candidates_make_neighbours_more_different(model: Model) -> None:
    def smallest(pool: float, seed: int) -> float:
        crowd = people(model, CrowdSpec(6, FRAMES, seed=seed, pool=pool))
        motions = [member.motion for member in crowd.members]  # type: ignore[attr-defined]
        found = min(local_distance(a, b) for a, b in itertools.combinations(motions, 2))
        assert crowd.figures.smallest == pytest.approx(found)
        assert crowd.figures.unplaced == 0
        return found

    seeds = range(2, 6)
    assert np.mean([smallest(6.0, seed) for seed in seeds]) > np.mean([smallest(1.0, seed) for seed in seeds])


def test_who_joins_differs_from_who_is_there(model: Model) -> None:
    first = people(model, CrowdSpec(4, FRAMES, seed=2))
    taken = [member.key for member in first.members]  # type: ignore[attr-defined]
    more = people(model, CrowdSpec(3, FRAMES, seed=2, first=first.next), taken)
    keys = [member.key for member in more.members]  # type: ignore[attr-defined]
    assert not set(keys) & set(taken)
    assert more.next == first.next + 9


def test_distance_from_the_source(model: Model) -> None:
    motion: Motion = generate(model, frames=FRAMES, count=1, seed=1)[0]
    expected = local_diversity(rotation_features(model.source), rotation_features(motion))
    assert from_source(motion, model.source) == pytest.approx(expected)
    assert from_source(model.source, model.source) == pytest.approx(0.0, abs=1e-5)


def test_the_lens_sees_how_far_the_source_is(model: Model) -> None:
    made = rotation_features(generate(model, frames=model.source.frames, count=1, seed=1)[0])
    source = rotation_features(model.source)
    lens = WindowDescriptor(source, model.source.fps)
    own, other = (lens.from_source(motion.astype(np.float32)) for motion in (source, made))
    assert own == pytest.approx(0.0, abs=1e-2)
    assert other > 10.0 * own


def test_who_moves_as_the_source_never_does_is_not_taken(model: Model) -> None:
    def furthest(pool: float) -> float:
        crowd = people(model, CrowdSpec(6, FRAMES, seed=2, pool=pool))
        return max(from_source(member.motion, model.source) for member in crowd.members)  # type: ignore[attr-defined]

    every = generate(model, frames=FRAMES, count=24, seed=2)
    assert furthest(4.0) < max(from_source(motion, model.source) for motion in every)
