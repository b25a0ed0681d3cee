"""Takes of a walker with the timing and the course of a body of four legs, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.driving.drive import MOST_STRETCH, drive, leg_length
from core.driving.facing import Course, facing, steadied
from core.driving.roles import pair_by_role, parse_pairs, roles_of
from core.errors import Cancelled, ClipError
from core.matching.instant import instant_model
from core.model.model import Model
from core.model.recipe import RECIPES
from core.motion.contacts import with_found_contacts
from core.motion.feet_cleanup import belt_of
from core.motion.motion import Motion, from_transforms, with_contact_labels
from core.motion.resampling import resample
from core.motion.skeleton import build_skeleton
from core.numeric.distances import frame_distances
from core.numeric.rotation import axis_rotation
from core.training.train import train

BEAST = {
    "Pelvis": ("", (0.0, 0.0, 1.6)),
    "Neck": ("Pelvis", (0.0, 1.2, 0.2)),
    "Skull": ("Neck", (0.0, 0.4, 0.4)),
    **{
        f"{leg}{part}{side}": (
            {"Thigh": "Pelvis", "Shank": f"{leg}Thigh{side}", "Paw": f"{leg}Shank{side}"}[part],
            (sign * 0.3, y, -0.1) if part == "Thigh" else (0.0, 0.0, -0.7),
        )
        for leg, y in (("Fore", 1.1), ("Hind", -0.1))
        for side, sign in (("Left", 1.0), ("Right", -1.0))
        for part in ("Thigh", "Shank", "Paw")
    },
}
"""Name, parent and offset in metres of a beast that looks along +Y, its left at +X as that of the walker."""

PERIOD, STRIDE = 1.4, 0.9
"""Seconds and metres of a step of the beast."""

PAIRS = [("Hips", "Pelvis"), ("Head", "Skull"), ("LeftFoot", "HindPawLeft"), ("RightFoot", "HindPawRight")]


def beast_that_walks(seconds: float = 8.0, fps: float = 30.0, pause: float = 0.0, turn: float = 0.0) -> Motion:
    """A beast whose thighs swing as it goes on, in a curve of `turn` radians, and that halts for `pause` seconds."""
    names = list(BEAST)
    parents = [names.index(parent) if parent else -1 for parent, _ in BEAST.values()]
    rest = np.array([offset for _, offset in BEAST.values()])
    for joint in range(1, len(names)):
        rest[joint] += rest[parents[joint]]
    skeleton = build_skeleton(names, parents, rest)
    time = np.arange(round(seconds * fps) + 1) / fps
    begin = 0.5 * (seconds - pause)
    gone = np.where(time < begin, time, np.maximum(begin, time - pause))
    heading = turn * gone / gone[-1]
    speed = STRIDE / PERIOD * np.gradient(gone, time)
    steps = speed[:, None] * np.stack([-np.sin(heading), np.cos(heading)], axis=1) / fps
    root = np.concatenate([np.cumsum(steps, axis=0), np.full((len(time), 1), 1.6)], axis=1)
    rotations = np.broadcast_to(np.eye(3), (len(time), len(names), 3, 3)).copy()
    rotations[:, 0] = axis_rotation(2, heading)
    for leg, shift in (("Fore", np.pi), ("Hind", 0.0)):
        for side, half in (("Left", 0.0), ("Right", np.pi)):
            swing = 0.32 * np.sin(2 * np.pi * gone / PERIOD + shift + half)
            lift = np.maximum(0.0, np.cos(2 * np.pi * gone / PERIOD + shift + half))
            rotations[:, names.index(f"{leg}Thigh{side}")] = axis_rotation(0, swing + 0.25 * lift)
            rotations[:, names.index(f"{leg}Shank{side}")] = axis_rotation(0, -0.5 * lift)
    return with_found_contacts(from_transforms(skeleton, rotations, root / skeleton.unit, fps))


def held_in_place(motion: Motion) -> Motion:
    """The motion on a treadmill."""
    features, root = motion.features.copy(), motion.skeleton.root_channel
    features[:, root : root + 2] = 0.0
    return with_contact_labels(replace(motion, features=features))


@pytest.fixture(scope="module")
def model(make_walker: Callable[..., Motion]) -> Model:
    return instant_model(make_walker(8.0))


def ahead(motion: Motion, bone: str) -> np.ndarray:
    """Distance of a joint ahead of the root, as the body faces, by its own spread."""
    course = Course.of(motion)
    way = motion.positions()[:, motion.skeleton.names.index(bone), :2] - course.plane
    along = way[:, 0] * np.cos(course.heading) + way[:, 1] * np.sin(course.heading)
    return np.asarray((along - along.mean()) / along.std())


def test_feet_step_when_the_driver_steps(model: Model) -> None:
    driver = beast_that_walks(pause=1.5)
    for variation in (0.0, 0.5):
        take = drive(model, driver, PAIRS, seed=3, variation=variation)[0]
        assert (take.frames, take.fps) == (driver.frames, driver.fps)
        for own, other in PAIRS[2:]:
            assert np.mean(ahead(take, own) * ahead(driver, other)) > 0.75
    speed = np.linalg.norm(np.diff(Course.of(take).plane, axis=0), axis=1)
    assert speed[105:135].min() < 0.35 * np.median(speed[20:80])  # the halt


def test_the_root_goes_the_course_of_the_driver_at_its_own_size(model: Model) -> None:
    driver = beast_that_walks(turn=1.5)
    for scale, size in ((1.0, 1.0), (0.5, 0.5)):
        take = drive(model, driver, PAIRS, scale=scale, variation=0.0)[0]
        by_legs = size * leg_length(model.source) / leg_length(driver)
        wanted, made = Course.of(driver), Course.of(take)
        way = by_legs * (wanted.plane - wanted.plane[0])
        assert np.abs(made.plane - take.origin - way).max() < 0.03 * np.linalg.norm(way[-1])
        assert np.abs(made.heading - wanted.heading).max() < 0.1
    free = drive(model, driver, PAIRS, variation=0.0)[0]
    length = np.linalg.norm(np.diff(Course.of(free).plane, axis=0), axis=1).sum()
    own = np.linalg.norm(np.diff(Course.of(model.source).plane, axis=0), axis=1).sum()
    assert length <= 2.1 * MOST_STRETCH * own  # at double tempo at most


def test_poses_are_the_clips_own(model: Model) -> None:
    take = drive(model, beast_that_walks(), PAIRS, variation=0.0, clean=False)[0]
    width = 6 * take.skeleton.joints
    own, made = model.source.features[:, 6:width], take.features[:, 6:width]
    apart = float(np.median(frame_distances(own, own)))
    assert np.percentile(frame_distances(made, own).min(1), 90) < 0.15 * apart


def test_standing_feet_stand(model: Model) -> None:
    def slides(motion: Motion) -> float:
        feet = list(motion.skeleton.contacts)
        steps = np.linalg.norm(np.diff(motion.positions()[:, feet], axis=0)[..., :2], axis=2)
        standing = (motion.contact_labels()[1:] > 0.5) & (motion.contact_labels()[:-1] > 0.5)
        return float(steps[standing].mean())

    driver = beast_that_walks()
    raw, clean = (drive(model, driver, PAIRS, variation=0.0, clean=clean)[0] for clean in (False, True))
    assert slides(clean) < 0.3 * slides(raw)


def test_variations_differ_and_stay_the_same_for_a_seed(model: Model) -> None:
    driver = beast_that_walks(3.0)
    one, other = drive(model, driver, PAIRS, count=2, seed=7, variation=0.6)
    assert np.abs(one.features - other.features).max() > 0.01
    again = drive(model, driver, PAIRS, count=1, seed=7, variation=0.6)[0]
    np.testing.assert_array_equal(one.features, again.features)


def test_a_trained_model_is_driven(make_walker: Callable[..., Motion]) -> None:
    trained = train(make_walker(3.0), RECIPES["paper"].scaled(0.0001))
    assert trained.matched is None
    take = drive(trained, beast_that_walks(4.0, fps=24.0), PAIRS)[0]
    assert (take.frames, take.fps) == (97, 24.0)
    assert np.isfinite(take.features).all()


def test_a_cycle_is_repeated_for_a_longer_take(model: Model) -> None:
    cycle = beast_that_walks(PERIOD)
    assert drive(model, cycle, PAIRS)[0].frames == cycle.frames
    long = drive(model, cycle, PAIRS, frames=200)[0]
    assert long.frames == 200
    repeated = beast_that_walks(199 / 30.0)
    assert np.mean(ahead(long, "LeftFoot") * ahead(repeated, "HindPawLeft")) > 0.75
    with pytest.raises(ClipError, match="does not repeat"):
        drive(model, beast_that_walks(3.1, pause=1.0, turn=0.7), PAIRS, frames=200)


def test_a_driver_of_another_rate_and_a_driver_in_place(model: Model) -> None:
    driver = beast_that_walks(4.0, fps=60.0)
    assert drive(model, driver, PAIRS)[0].frames == driver.frames
    in_place = drive(model, held_in_place(driver), PAIRS)[0]
    path = Course.of(resample(in_place, 30.0)).plane
    assert np.ptp(path, axis=0).max() < 0.3


def test_bones_are_paired_by_what_they_are(model: Model) -> None:
    beast = beast_that_walks(2.0).skeleton
    assert set(pair_by_role(model.skeleton, beast)) == set(PAIRS)
    assert {ours: theirs for theirs, ours in pair_by_role(beast, model.skeleton)} == dict(PAIRS)
    assert {"Left Fore Foot", "Left Front Foot"} & set(roles_of(beast))
    assert parse_pairs("Hips = Pelvis, Head=Skull,") == (("Hips", "Pelvis"), ("Head", "Skull"))
    with pytest.raises(ClipError, match="“Hips” is no pair of bones; write it like"):
        parse_pairs("Hips")


def test_bodies_face_where_their_sides_say(make_walker: Callable[..., Motion]) -> None:
    walker = make_walker(3.0)
    ways = np.unwrap(facing(walker))
    assert np.abs(ways + np.pi / 2.0).max() < 0.3  # its left is at +X
    straight = np.stack([np.linspace(0.0, 3.0, 40), np.linspace(1.0, -1.0, 40)], axis=1)
    np.testing.assert_allclose(steadied(straight, 6.0), straight, atol=1e-9)


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        (PAIRS[:1], "Only one bone is paired.*“Head”, “LeftFoot”, “RightFoot” could be paired"),
        ([], "No bone is paired"),
        ([*PAIRS, ("Horn", "Neck")], "“Horn” is not learned"),
        ([*PAIRS, ("Spine", "Tail")], "The driver has no bone “Tail”"),
        ([*PAIRS, ("Head", "Neck")], "“Head” is paired with both “Skull” and “Neck”"),
        ([*PAIRS, ("Spine", "Skull")], "“Skull” of the driver is paired with both “Head” and “Spine”"),
        ([*PAIRS, PAIRS[0]], "“Hips” and “Pelvis” are paired twice"),
    ],
)
def test_pairs_that_cannot_be_followed(model: Model, pairs: list[tuple[str, str]], problem: str) -> None:
    with pytest.raises(ClipError, match=problem):
        drive(model, beast_that_walks(2.0), pairs)


def test_drivers_that_cannot_be_followed(model: Model) -> None:
    beast = beast_that_walks(4.0)
    still = replace(beast, features=np.repeat(beast.features[:1] * 1.0, beast.frames, axis=0))
    root = still.skeleton.root_channel
    still.features[:, root : root + 2] = 0.0
    with pytest.raises(ClipError, match="None of the paired bones moves"):
        drive(model, still, PAIRS)
    with pytest.raises(ClipError, match="The driver is the clip that was learned"):
        drive(model, model.source, [(name, name) for name in ("Hips", "Head", "LeftFoot", "RightFoot")])
    with pytest.raises(ClipError, match="has 5 frames; it takes at least 8"):
        drive(model, beast.slice(0, 5), PAIRS)
    with pytest.raises(ClipError, match="at least one motion"):
        drive(model, beast, PAIRS, count=0)
    with pytest.raises(ClipError, match="from 0 to 1"):
        drive(model, beast, PAIRS, variation=1.5)
    for scale in (-1.0, 1e30, float("nan")):
        with pytest.raises(ClipError, match="The scale of the course must be a number from 0 to 100"):
            drive(model, beast, PAIRS, scale=scale)


def test_a_clip_that_steps_in_place_does_not_travel_unasked(make_walker: Callable[..., Motion]) -> None:
    walker = make_walker(4.0)
    still = replace(walker, features=walker.features.copy())
    channel = still.skeleton.root_channel
    still.features[:, channel : channel + 2] = 0.0
    for leg in ("Left", "Right"):
        foot = still.skeleton.names.index(f"{leg}UpLeg") * 6
        still.features[:, foot : foot + 12] = still.features[:1, foot : foot + 12]
    model = instant_model(with_found_contacts(still))
    with pytest.raises(ClipError, match=r"own steps go .*% of the driver's way; choose a clip that steps more"):
        drive(model, beast_that_walks(4.0), PAIRS)
    assert drive(model, beast_that_walks(4.0), PAIRS, scale=0.2)[0].frames == 121
    # a driver in place asks for no way
    driver = held_in_place(beast_that_walks(4.0))
    assert any(belt_of(driver))
    take = drive(model, driver, PAIRS)[0]
    assert np.ptp(Course.of(take).plane, axis=0).max() < 0.1


def test_a_search_can_be_stopped(model: Model) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        drive(model, beast_that_walks(2.0), PAIRS, check_cancelled=stop)
