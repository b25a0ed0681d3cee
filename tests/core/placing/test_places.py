"""Pins and waypoints on motions made in code: bodies, feet and the root are where they are asked to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core.directing.compose import compose
from core.directing.direction import Direction, direct
from core.errors import ClipError
from core.evaluation.artefacts import foot_figures, roughness_figures
from core.generation.generate import Sampler
from core.matching.instant import instant_model
from core.model.model import Model
from core.model.recipe import FAST
from core.motion.motion import Motion, from_transforms
from core.motion.skeleton import BODY, build_skeleton
from core.numeric.rotation import Array, angle_between, held_yaw, rotation_from_vector
from core.placing.pins import pinned
from core.placing.place_text import parse_pins, parse_waypoints
from core.placing.places import Pin, Places, longest_way
from core.training.train import train

NEAR = 0.005 * BODY


@pytest.fixture(scope="module", params=["instant", "trained"])
def model(request: pytest.FixtureRequest, make_walker: Callable[..., Motion]) -> Model:
    source = make_walker(8.0)
    if request.param == "instant":
        return instant_model(source)
    recipe = replace(FAST, iterations=(30, 30, 20, 20), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    return train(source, recipe, seed=3)


def made(model: Model, **asked: Any) -> Motion:
    return compose(model, direct(model.source, Direction(**asked)), seed=5)[0]


def start_of(model: Model) -> tuple[Any, ...]:
    """A waypoint that every take meets by itself."""
    return ((1, tuple(model.source.origin * model.skeleton.unit), None),)


def place_of(motion: Motion, bone: str, frame: int) -> Array:
    return motion.positions()[frame - 1, motion.skeleton.names.index(bone)] * motion.skeleton.unit


@pytest.mark.parametrize(
    ("bone", "shift"),
    [
        ("LeftHand", (0.1, 0.1, 0.1)),
        ("Head", (0.05, 0.05, -0.05)),
        ("Hips", (0.04, 0.0, -0.06)),
        ("RightFoot", (0.03, 0.08, 0.0)),
    ],
)
def test_a_pinned_joint_is_there_and_the_take_stays_as_it_was(model: Model, bone: str, shift: Any) -> None:
    plain = made(model, waypoints=start_of(model))
    wanted = place_of(plain, bone, 120) + np.array(shift) * plain.skeleton.unit
    take = made(model, pins=((bone, 120, 120, tuple(wanted)),))
    unit = take.skeleton.unit
    assert np.linalg.norm(place_of(take, bone, 120) - wanted) / unit < NEAR
    assert roughness_figures(plain, take)["roughness"] < 1.2
    source = model.source
    slides = [foot_figures(source, motion)["foot_skating"] for motion in (take, plain, source)]
    assert slides[0] < max(1.2 * slides[2], 1.2 * slides[1])


def test_the_other_foot_stands_while_one_is_pinned(walker: Motion) -> None:
    joint = walker.skeleton.names.index("LeftFoot")
    standing = walker.contact_labels()[:, list(walker.skeleton.contacts).index(joint)] < 0.5
    row = int(np.flatnonzero(standing[20:])[3]) + 20
    at = walker.positions()[row, joint] + np.array((0.04, 0.08, 0.06))
    take = pinned(walker, Places((Pin(joint, row, at[None]),)), free(walker), walker)
    other = [j for j in walker.skeleton.contacts if walker.skeleton.names[j].startswith("Right")]
    np.testing.assert_allclose(take.positions()[:, other], walker.positions()[:, other], atol=0.01 * BODY)
    far = np.abs(take.features - walker.features).max(axis=1) > 1e-4
    assert 0 < np.abs(np.flatnonzero(far) - row).max() < 50, "it fades"


def free(motion: Motion) -> Array:
    return np.zeros((motion.frames, motion.skeleton.groups))


def test_the_body_helps_the_arm(walker: Motion) -> None:
    joint = walker.skeleton.names.index("LeftHand")
    at = walker.positions()[45, joint] + np.array((0.0, 0.25, -0.2))
    take = pinned(walker, Places((Pin(joint, 45, at[None]),)), free(walker), walker)
    turned = angle_between(take.rotations()[45], walker.rotations()[45])
    assert min(turned[walker.skeleton.names.index(bone)] for bone in ("LeftArm", "Spine")) > 0.01
    assert np.linalg.norm(take.root_positions()[45] - walker.root_positions()[45]) > 0.001


def test_who_holds_on_with_a_hand_does_not_lean_over(make_walker: Callable[..., Motion]) -> None:
    """A second of a walk in which a hand stays where it is: the arm gives way, and the course does."""
    model = instant_model(make_walker(8.0))
    plain = made(model, waypoints=start_of(model))
    for bone in ("LeftHand", "RightHand"):
        wanted = place_of(plain, bone, 120) + np.array((0.1, 0.0, 0.2)) * plain.skeleton.unit
        take = made(model, pins=((bone, 120, 150, tuple(wanted)),))
        assert max(np.linalg.norm(place_of(take, bone, frame) - wanted) for frame in range(120, 151)) < NEAR
        assert leaning(take) < leaning(model.source) + np.radians(25.0)


def leaning(motion: Motion) -> float:
    """The largest angle of the way from the hips to the head to the vertical, in radians."""
    names, positions = motion.skeleton.names, motion.positions()
    way = positions[:, names.index("Head")] - positions[:, 0]
    return float(np.arccos(way[:, 2] / np.linalg.norm(way, axis=1)).max())


def test_a_pinned_direction_is_met(model: Model) -> None:
    plain = made(model, waypoints=start_of(model))
    turn = (np.cos(0.4), 0.0, 0.0, np.sin(0.4))
    take = made(model, pins=(("Head", 100, 104, tuple(place_of(plain, "Head", 102)), turn),))
    wanted = rotation_from_vector(np.array([0.0, 0.0, 0.8]))
    head = take.skeleton.names.index("Head")
    found = np.eye(3)
    for joint in [*reversed(take.skeleton.ancestors(head)), head]:
        found = found @ take.rotations()[101, joint]
    assert float(angle_between(found, wanted)) < np.radians(2.0)


def test_waypoints_are_met_to_the_frame_with_standing_feet(model: Model) -> None:
    source, unit = model.source, model.skeleton.unit
    reach, start = 0.8 * longest_way(source, 90), source.origin
    places = [start + reach * np.array([0.5, 0.5]), start + reach * np.array([1.2, 0.3])]
    asked = tuple(
        (frame, tuple(at * unit), degrees) for frame, at, degrees in zip((100, 200), places, (None, 60.0), strict=True)
    )
    take = made(model, waypoints=asked)
    for (frame, _, _), at in zip(asked, places, strict=True):
        assert np.linalg.norm(take.root_positions()[frame - 1, :2] - at) < 0.02 * BODY
    assert abs(np.degrees(held_yaw(take.rotations()[:, 0])[199]) - 60.0) < 2.0
    assert foot_figures(source, take)["foot_skating_ratio"] < 1.2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"pins": (("Tail", 5, 5, (0, 0, 1)),)}, "Riff has not learned “Tail”, which is pinned at frame 5"),
        ({"pins": (("Head", 0, 5, (0, 0, 1)),)}, "“Head” at frame 0 is outside the take's frames 1-241"),
        ({"pins": (("Head", 9, 5, (0, 0, 1)),)}, "ends at frame 5, before its first frame 9"),
        ({"pins": (("Head", 5, 5, (0, 0, float("nan"))),)}, "“Head” at frame 5 has no valid place"),
        ({"pins": (("Head", 5, 9, (0, 0, 1)), ("Head", 9, 9, (0, 1, 1)))}, "Two pins hold “Head” at frame 9"),
        ({"pins": (("Head", 60, 60, (0, 1, 5)),)}, "“Head” cannot reach its pin at frame 60: "),
        ({"pins": (("Head", 5, 5, (0, 0, 1)),), "regions": ((60, 90),)}, "“Head” is pinned at frame 5, where"),
        ({"pins": (("Head", 5, 5, (0, 0, 1)),), "loop": True}, "A loop has no pins"),
        ({"waypoints": ((30, (0, 9)),)}, "The waypoint at frame 30 is "),
        ({"pins": (("Head", 5, 5, (0, 0, 1), (1, 0, 0, float("inf"))),)}, "“Head” at frame 5 has no valid direction"),
        ({"waypoints": ((30, (0, 0), float("nan")),)}, "The waypoint at frame 30 has no valid heading"),
        ({"waypoints": ((30, (0, 0), 1e300),)}, "The waypoint at frame 30 has no valid heading"),
        ({"waypoints": ((300, (0, 0)),)}, "The waypoint at frame 300 is outside"),
        ({"waypoints": ((90, (0, 0)), (90, (0, 1)))}, "at frame 90; remove one"),
        ({"waypoints": ((90, (0, 0)),), "regions": ((60, 90),)}, "Waypoints lead the root, whose path is kept"),
    ],
)
def test_one_sentence_names_what_is_wrong(model: Model, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ClipError, match=r"^[^\n]+$") as error:
        made(model, **asked)
    assert said in str(error.value)


def test_the_missing_distance_is_the_real_one(walker: Motion) -> None:
    joint = walker.skeleton.names.index("Head")
    at = walker.positions()[45, joint] + np.array((0.0, 0.0, 1.0))
    with pytest.raises(ClipError) as error:
        pinned(walker, Places((Pin(joint, 45, at[None]),)), free(walker), walker)
    missing = float(str(error.value).split(": ")[1].split()[0]) / walker.skeleton.unit
    # The knees of this walk are almost straight: it cannot rise by more than the legs are bent.
    assert 0.6 < missing <= 1.0 + 1e-9


def test_takes_are_the_same_again_and_differ(model: Model) -> None:
    pins = (("LeftHand", 90, 90, (0.3, 1.8, 1.0)),)
    composition = direct(model.source, Direction(pins=pins))
    both = compose(model, composition, count=2, seed=2)
    again = compose(model, composition, count=1, seed=2, first=1, sampler=Sampler(model))[0]
    np.testing.assert_array_equal(both[1].features, again.features)
    assert np.abs(both[0].features - both[1].features).max() > 0.05


def test_texts_are_read() -> None:
    assert parse_pins("hand.L@60=0.3,0.2,1.1; head@-10--5=0,0,1.7,1,0,0,0") == (
        ("hand.L", 60, 60, ((0.3, 0.2, 1.1),), ()),
        ("head", -10, -5, ((0.0, 0.0, 1.7),), ((1.0, 0.0, 0.0, 0.0),)),
    )
    assert parse_waypoints("90=1.5,0.2; -3=2,0,45;") == ((90, (1.5, 0.2), None), (-3, (2.0, 0.0), 45.0))
    for text in ("hand@60", "@60=1,2,3", "hand@a=1,2,3", "hand@60=1,2"):
        with pytest.raises(ClipError, match="is no pin"):
            parse_pins(text)


@settings(max_examples=25, deadline=None)
@given(seed=some.integers(0, 10_000), joints=some.integers(3, 14), size=some.floats(0.01, 500.0))
def test_any_tree_meets_a_place_that_its_pose_can_have(seed: int, joints: int, size: float) -> None:
    """A random tree of any size, pinned where another pose of it would bring a joint."""
    random = np.random.default_rng(seed)
    parents = [-1, *(int(random.integers(0, joint)) for joint in range(1, joints))]
    rest = random.normal(size=(joints, 3)) * 0.3
    for joint in range(1, joints):
        rest[joint] += rest[parents[joint]]
    skeleton = build_skeleton([f"bone {joint}" for joint in range(joints)], parents, rest * size)
    time = np.linspace(0.0, 12.0, 240)
    swings = random.normal(size=(1, joints, 3)) * 0.5 * np.sin(time[:, None, None] + random.normal(size=(1, joints, 1)))
    root = np.stack([np.sin(time), np.cos(time), 0.5 + 0.0 * time], axis=1)
    motion = from_transforms(skeleton, rotation_from_vector(swings), root, 30.0)
    other = from_transforms(
        skeleton, rotation_from_vector(swings + 0.3 * random.normal(size=(1, joints, 3))), root, 30.0
    )
    joint = int(random.integers(0, joints))
    take = pinned(motion, Places((Pin(joint, 120, other.positions()[120, joint][None]),)), free(motion), motion)
    assert np.linalg.norm(take.positions()[120, joint] - other.positions()[120, joint]) < NEAR
    assert (
        np.abs(np.diff(take.positions(), 2, axis=0)).max()
        < 3.0 * np.abs(np.diff(motion.positions(), 2, axis=0)).max() + 0.1
    )
    np.testing.assert_allclose(take.positions()[[0, -1]], motion.positions()[[0, -1]], atol=0.03)
