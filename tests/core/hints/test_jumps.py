"""Frames apart from the motion, and borders between takes."""

from __future__ import annotations

import numpy as np

from core.hints.jumps import find_jumps, turned
from core.numeric.euler import quaternion_from_euler
from core.numeric.rotation import axis_rotation, quaternion_from_matrix

SMOOTH = 0.05 + 0.03 * np.sin(np.arange(100) / 5.0)
"""Steps from frame to frame of a smooth motion of 101 frames, in radians."""

STILL = np.zeros(100)


def test_smooth_motion_is_whole() -> None:
    for steps in (SMOOTH, 4.0 * SMOOTH, np.zeros(100)):
        found = find_jumps(steps, 0.1 * steps)
        assert (found.whole, found.takes) == ((0, 101), ((0, 101),))


def test_a_t_pose_in_the_first_frame_is_apart() -> None:
    steps = SMOOTH.copy()
    steps[0] = 0.8
    assert find_jumps(steps, STILL).whole == (1, 101)
    steps[0], steps[-1] = SMOOTH[0], 0.8
    assert find_jumps(steps, STILL).whole == (0, 100)


def test_a_fast_start_is_not_apart() -> None:
    steps = SMOOTH.copy()
    steps[:6] = [0.6, 0.55, 0.4, 0.3, 0.2, 0.1]
    assert find_jumps(steps, STILL).whole == (0, 101)


def test_two_takes_are_told_by_pose_or_place() -> None:
    steps, ways = SMOOTH.copy(), np.full(100, 0.01)
    steps[48] = 0.9
    assert find_jumps(steps, ways).takes == ((0, 49), (49, 101))
    ways[48] = 4.0
    assert find_jumps(SMOOTH, ways).takes == ((0, 49), (49, 101))


def test_two_takes_between_keys_that_are_some_frames_apart() -> None:
    ways = np.full(100, 0.03)
    ways[48:54] = 0.05, 0.5, 1.2, 1.2, 0.5, 0.05
    assert find_jumps(SMOOTH, ways).takes == ((0, 50), (53, 101))
    ways[48:54] = 0.05, 0.2, 0.4, 0.4, 0.2, 0.05  # a lunge
    assert len(find_jumps(SMOOTH, ways).takes) == 1
    ways[20:80] = 0.7  # a flight
    assert len(find_jumps(SMOOTH, ways).takes) == 1


def test_two_takes_after_a_t_pose() -> None:
    steps = SMOOTH.copy()
    steps[0], steps[60] = 0.8, 0.9
    found = find_jumps(steps, STILL)
    assert (found.whole, found.takes) == ((1, 101), ((1, 61), (61, 101)))


def test_a_glitch_a_blink_and_held_poses_are_no_takes() -> None:
    steps = SMOOTH.copy()
    steps[50:52] = 0.9, 0.9  # one frame jumps away and back
    assert len(find_jumps(steps, STILL).takes) == 1
    steps = SMOOTH.copy()
    steps[90] = 0.9  # ten frames are no take
    assert len(find_jumps(steps, STILL).takes) == 1
    steps = np.zeros(100)
    steps[[30, 60]] = 0.9, 0.7  # three poses held
    assert len(find_jumps(steps, STILL).takes) == 1


def test_angles_between_frames() -> None:
    for order in ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"):
        angles = np.random.default_rng(3).uniform(-3.0, 3.0, (20, 3))
        turns = np.broadcast_to(np.eye(3), (20, 3, 3))
        for letter in order:
            axis = "XYZ".index(letter)
            turns = axis_rotation(axis, angles[:, axis]) @ turns
        found, meant = quaternion_from_euler(angles, order), quaternion_from_matrix(turns)
        np.testing.assert_allclose(np.abs((found * meant).sum(1)), 1.0, atol=1e-12)
    steps = np.array([[1.0, 0.0, 0.0, 0.0], [-np.cos(0.1), 0.0, -np.sin(0.1), 0.0], [-np.cos(0.4), 0, -np.sin(0.4), 0]])
    np.testing.assert_allclose(turned(steps), [0.2, 0.6], atol=1e-12)
