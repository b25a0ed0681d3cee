"""Passages from one take into another: at their place, no faster than the clips where a take allows it."""

from __future__ import annotations

import numpy as np
import pytest

from core.directing.passages import Poses, fits, joined, paces
from core.motion.motion import Motion, from_transforms
from core.numeric.rotation import axis_rotation
from tests.support.motions import walking_motion

PASSAGE, ROWS = 30, 90


def with_jump(motion: Motion, row: int, angle: float) -> Motion:
    """Return a motion whose left arm is turned from a row on, between two frames."""
    rotations = motion.rotations()
    arm = motion.skeleton.names.index("LeftArm")
    rotations[row:, arm] = rotations[row:, arm] @ axis_rotation(1, np.array(angle))
    return from_transforms(motion.skeleton, rotations, motion.root_positions(), motion.fps)


@pytest.fixture(scope="module")
def walk() -> Motion:
    return walking_motion(9.0)


@pytest.fixture
def takes(walk: Motion) -> tuple[Motion, Motion, Motion]:
    """A take of 120 rows, one that fits its last rows best but for a jump, and a calm one out of step."""
    one = walk.slice(0, 120)
    jumping = with_jump(walk, 118, 3.0).slice(120 - PASSAGE, 120 - PASSAGE + ROWS)
    return one, jumping, walk.slice(120 - PASSAGE + 12, 120 - PASSAGE + 12 + ROWS)


def test_a_passage_that_is_too_fast_gives_way_to_one_that_fits_less(
    walk: Motion, takes: tuple[Motion, Motion, Motion]
) -> None:
    one, jumping, calm = takes
    tail = Poses.of(one.slice(120 - PASSAGE, 120))
    costs = [min(fit.cost for fit in fits(tail, Poses.of(take), 0)) for take in (jumping, calm)]
    assert costs[0] < costs[1], "the jumping one fits best"
    limits = np.percentile(paces(walk), 99, axis=1)
    whole = joined(one, [jumping, calm], PASSAGE, ROWS, (walk, walk), clean=False)
    assert whole.frames == 120 - PASSAGE + ROWS
    assert (paces(whole)[:, 118 - PASSAGE : 122] <= 1.05 * limits[:, None]).all()
    forced = joined(one, [jumping], PASSAGE, ROWS, (walk, walk), clean=False)
    assert (paces(forced)[:, 118 - PASSAGE : 122] > 1.5 * limits[:, None]).any(), "without another take it is taken"


def test_rows_outside_a_passage_stay(walk: Motion, takes: tuple[Motion, Motion, Motion]) -> None:
    one, _, calm = takes
    whole = joined(one, [calm], PASSAGE, ROWS, (walk, walk), clean=True)
    assert np.allclose(whole.features[: 120 - PASSAGE], one.features[: 120 - PASSAGE], atol=1e-9)
    # the other take is moved and turned to where the first one arrives; its poses are its own
    joints = whole.skeleton.joints
    assert np.allclose(whole.features[120:, 6 : 6 * joints], calm.features[PASSAGE:, 6 : 6 * joints], atol=1e-6)


def test_velocity_and_acceleration_of_a_straight_fall() -> None:
    """All joints of a body that falls freely move alike: 10 m a frame, faster by 2 m each."""
    still = walking_motion(1.0)
    frames = np.arange(still.frames)
    root = np.stack([0.0 * frames, 0.0 * frames, -1.0 * frames**2], axis=1)
    rotations = np.broadcast_to(np.eye(3), (len(frames), still.skeleton.joints, 3, 3)).copy()
    found = paces(from_transforms(still.skeleton, rotations, root, 30.0))
    assert found[:, 5] == pytest.approx([10.0, 2.0], rel=1e-6)
