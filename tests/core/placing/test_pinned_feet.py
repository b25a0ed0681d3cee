"""Feet of takes that are led to places: they stand, on the ground and on the belt of a walk in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.directing.compose import compose
from core.directing.direction import Direction, direct
from core.evaluation.artefacts import foot_figures, roughness_figures
from core.matching.instant import instant_model
from core.model.model import Model
from core.motion.feet_cleanup import belt_of, moving_legs
from core.motion.leg_ik import LegIK
from core.motion.motion import Motion
from core.motion.skeleton import BODY
from core.numeric.rotation import Array, held_yaw
from core.placing.pins import pinned
from core.placing.places import Pin, Places
from core.placing.steps import carried
from tests.support.motions import standing_motion, treadmill_motion

ASIDE = np.array([0.05, 0.05, -0.03]) * BODY
"""Way in core units from where a joint is to where it is pinned."""


@pytest.fixture(scope="module")
def in_place() -> Model:
    return instant_model(treadmill_motion())


@pytest.fixture(scope="module")
def standing() -> Motion:
    return standing_motion()


def made(model: Model, **asked: Any) -> Motion:
    return compose(model, direct(model.source, Direction(**asked)), seed=3)[0]


def at_home(model: Model) -> tuple[Any, ...]:
    """A waypoint that every take meets by itself."""
    return ((1, tuple(model.source.origin * model.skeleton.unit), None),)


def pin_of(motion: Motion, bone: str, frame: int, last: int, shift: Array) -> tuple[Any, ...]:
    at = motion.positions()[frame - 1, motion.skeleton.names.index(bone)] + shift
    return (bone, frame, last, tuple(at * motion.skeleton.unit))


def free(motion: Motion) -> Array:
    return np.zeros((motion.frames, motion.skeleton.groups))


def slide(motion: Motion, joint: int) -> float:
    """Return the length in core units of the way that a joint goes in a whole motion."""
    return float(np.linalg.norm(np.diff(motion.positions()[:, joint], axis=0), axis=1).sum())


@pytest.mark.parametrize(("bone", "last"), [("Hips", 120), ("Hips", 135), ("LeftFoot", 120), ("LeftHand", 135)])
def test_a_walk_in_place_keeps_its_belt_while_it_is_led(in_place: Model, bone: str, last: int) -> None:
    source = in_place.source
    assert any(belt_of(source))
    plain = made(in_place, waypoints=at_home(in_place))
    take = made(in_place, pins=(pin_of(plain, bone, 120, last, ASIDE),))
    assert foot_figures(source, take)["foot_skating_ratio"] < 1.2
    assert roughness_figures(plain, take)["roughness"] < 1.2
    turned = np.degrees(held_yaw(take.rotations()[:, 0]) - held_yaw(source.rotations()[:, 0]).mean())
    assert np.abs(turned).max() < 10.0


def test_a_walk_in_place_turns_to_a_heading_that_is_asked_for(in_place: Model) -> None:
    home = at_home(in_place)[0][1]
    take = made(in_place, waypoints=((1, home, None), (150, home, 40.0)))
    assert abs(np.degrees(held_yaw(take.rotations()[:, 0])[149]) - 40.0) < 2.0


def test_a_pin_where_the_joint_is_anyway_changes_nothing(in_place: Model) -> None:
    plain = made(in_place, waypoints=at_home(in_place))
    take = made(in_place, pins=(pin_of(plain, "Head", 100, 100, np.zeros(3)),))
    np.testing.assert_allclose(take.positions(), plain.positions(), atol=0.005 * BODY)


@pytest.mark.parametrize("rows", [1, 15])
def test_a_foot_that_always_stands_stands_at_its_pin_all_the_time(standing: Motion, rows: int) -> None:
    joint = standing.skeleton.names.index("LeftFoot")
    at = standing.positions()[90, joint] + ASIDE
    pin = Pin(joint, 90, np.repeat(at[None], rows, axis=0))
    take = pinned(standing, Places((pin,)), free(standing), standing)
    np.testing.assert_allclose(take.positions()[:, joint], np.repeat(at[None], take.frames, axis=0), atol=0.002 * BODY)
    other = standing.skeleton.names.index("RightFoot")
    np.testing.assert_allclose(take.positions()[:, other], standing.positions()[:, other], atol=0.002 * BODY)
    assert roughness_figures(standing, take)["roughness"] < 1.2
    lower = standing.root_positions()[:, 2] - take.root_positions()[:, 2]
    assert lower.min() > 0.0, "the body comes down for a foothold that the leg does not reach"


def test_other_feet_stand_while_the_hips_are_held(standing: Motion) -> None:
    at = standing.positions()[90, 0] + ASIDE
    take = pinned(standing, Places((Pin(0, 90, np.repeat(at[None], 15, axis=0)),)), free(standing), standing)
    for contact in standing.skeleton.contacts:
        assert slide(take, contact) < 0.01 * BODY


def test_a_leg_comes_as_near_as_it_reaches_and_never_moves_away(standing: Motion) -> None:
    pose = LegIK(standing)
    leg = next(leg for leg in moving_legs(standing) if standing.skeleton.contacts[leg.contact] == leg_end(standing))
    path = pose.path_of(leg_end(standing)).copy()
    target = path.copy()
    target[50:100] += (0.0, 0.3, -0.05)
    target[100:120, 2] += 0.5
    before = pose.local.copy()
    far = np.linalg.norm(target - path, axis=1)
    pose.solve_steadily(leg, target)
    off = np.linalg.norm(pose.path_of(leg_end(standing)) - target, axis=1)
    assert (off <= far + 1e-9).all()
    assert off[100:120].max() < 0.002 * BODY
    reach = np.linalg.norm(target - pose.path_of(leg.movers[0]), axis=1) - 2 * 0.42 / standing.skeleton.unit
    np.testing.assert_allclose(off[50:100], np.maximum(reach[50:100], 0.0), atol=0.01 * BODY)
    np.testing.assert_array_equal(pose.local[:, :50], before[:, :50])


def leg_end(motion: Motion) -> int:
    return motion.skeleton.names.index("LeftFoot")


def test_feet_are_carried_along_while_they_swing() -> None:
    shift = np.outer(np.arange(60.0), (0.01, 0.0, 0.0))
    moved = carried(shift, [(10, 20), (35, 45)])
    assert (np.diff(moved[10:20], axis=0) == 0.0).all()
    assert (np.diff(moved[35:45], axis=0) == 0.0).all()
    np.testing.assert_allclose(moved[[10, 35], 0], shift[[10, 35], 0] + 0.045)
    assert (np.diff(moved[19:36, 0]) > 0.0).all(), "it goes on from stand to stand"
    np.testing.assert_array_equal(carried(shift, []), shift)


def test_a_stretched_leg_finds_its_bend_again(standing: Motion) -> None:
    pose, foot = LegIK(standing), leg_end(standing)
    leg = next(leg for leg in moving_legs(standing) if standing.skeleton.contacts[leg.contact] == foot)
    knee, path = pose.row[leg.movers[1]], pose.path_of(foot).copy()
    before = pose.positions[knee].copy()
    far = path.copy()
    far[60:90, 2] -= 0.3
    pose.solve_steadily(leg, far)
    assert np.abs(pose.positions[knee, 60:90] - before[60:90]).max() > 0.02, "it was stretched"
    pose.solve_steadily(leg, path)
    np.testing.assert_allclose(pose.path_of(foot), path, atol=1e-4)
    np.testing.assert_allclose(pose.positions[knee], before, atol=1e-3)
