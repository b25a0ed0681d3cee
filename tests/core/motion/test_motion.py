"""The motion tensor: transforms in, transforms out, rates, and kinematics against pymotion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pymotion.ops.skeleton as witness_skeleton
import pymotion.rotations.quat as witness_quat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ClipError
from core.motion.motion import RATE, Motion, from_transforms, learned_groups, with_contact_labels
from core.motion.resampling import check_size, interpolate_rows, resample
from core.motion.skeleton import Skeleton
from core.motion.treadmill import CONTACT_SPEED
from core.numeric.rotation import Array, angle_between, six_to_matrix


def random_transforms(skeleton: Skeleton, frames: int, seed: int = 3) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    rotations = six_to_matrix(random.normal(size=(frames, skeleton.joints, 6)))
    return rotations, random.normal(size=(frames, 3)).cumsum(axis=0)


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0])
def test_transforms_survive_the_features(walker: Motion, fps: float) -> None:
    rotations, root = random_transforms(walker.skeleton, 40)
    motion = from_transforms(walker.skeleton, rotations, root, fps)
    assert motion.features.shape == (40, walker.skeleton.channels)
    assert angle_between(motion.rotations(), rotations).max() < 1e-6
    assert np.allclose(motion.root_positions(), root, atol=1e-9)


def test_moving_offsets_survive_the_features(walker: Motion) -> None:
    skeleton = Skeleton(walker.skeleton.names, walker.skeleton.parents, walker.skeleton.offsets, 1.0, (), (2, 4))
    rotations, root = random_transforms(skeleton, 20)
    offsets = np.broadcast_to(skeleton.offsets, (20, skeleton.joints, 3)).copy()
    offsets[:, [2, 4]] += np.random.default_rng(0).normal(size=(20, 2, 3))
    motion = from_transforms(skeleton, rotations, root, 30.0, offsets)
    assert np.allclose(motion.local_offsets(), offsets)


def test_kinematics_are_those_of_pymotion(walker: Motion) -> None:
    rotations, root = random_transforms(walker.skeleton, 25)
    motion = from_transforms(walker.skeleton, rotations, root, 30.0)
    parents = np.array([max(parent, 0) for parent in walker.skeleton.parents])
    offsets = walker.skeleton.offsets.copy()
    offsets[0] = 0.0
    theirs, _ = witness_skeleton.fk_quat(witness_quat.from_matrix(rotations), root, offsets, parents)
    assert np.allclose(motion.positions(), theirs, atol=1e-6)


def test_velocities_are_per_thirtieth_of_a_second_and_the_first_repeats(make_walker: Callable[..., Motion]) -> None:
    for fps in (24.0, 30.0, 60.0):
        motion = make_walker(fps=fps)
        channel = motion.skeleton.root_channel
        velocity = motion.features[:, channel : channel + 2]
        assert np.array_equal(velocity[0], velocity[1])
        assert velocity[:, 1] * motion.skeleton.unit == pytest.approx(0.6 / RATE, rel=1e-6), "0.6 m/s along Y"


def test_contact_labels_follow_the_speed_of_the_foot(walker: Motion) -> None:
    feet = walker.positions()[:, list(walker.skeleton.contacts)]
    slow = np.linalg.norm(np.diff(feet, axis=0), axis=-1) < CONTACT_SPEED
    assert np.array_equal(walker.contact_labels()[1:] == 1.0, slow)
    assert np.array_equal(walker.contact_labels()[0], walker.contact_labels()[1])
    assert 0.4 < walker.contact_labels().mean() < 0.8


def test_contact_labels_do_not_depend_on_the_rate(make_walker: Callable[..., Motion]) -> None:
    shares = [make_walker(fps=fps).contact_labels().mean() for fps in (24.0, 30.0, 60.0, 120.0)]
    assert np.ptp(shares) < 0.05


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([24.0, 25.0, 30.0, 50.0, 60.0, 120.0]), st.sampled_from([12.0, 24.0, 30.0, 59.94, 60.0, 120.0]))
def test_resampling_keeps_duration_travel_and_poses(
    make_walker: Callable[..., Motion], fps: float, target: float
) -> None:
    motion = make_walker(fps=fps)
    other = resample(motion, target)
    assert other.duration == pytest.approx(motion.duration, abs=0.51 / target)
    travel, other_travel = (m.root_positions()[-1] - m.root_positions()[0] for m in (motion, other))
    assert np.allclose(other_travel, travel, atol=0.03), "half a row of a walk"
    middle, other_middle = (m.positions()[round(1.5 * m.fps)] for m in (motion, other))
    assert np.allclose(other_middle, middle, atol=0.05)


def test_resampled_rotations_are_rotations(walker: Motion) -> None:
    six = resample(walker, 50.0).features[:, :90].reshape(-1, 15, 2, 3)
    assert np.allclose(np.linalg.norm(six, axis=-1), 1.0)
    assert np.allclose((six[..., 0, :] * six[..., 1, :]).sum(-1), 0.0, atol=1e-12)


def test_to_a_higher_rate_and_back_changes_little(walker: Motion) -> None:
    back = resample(resample(walker, 60.0), 30.0)
    assert back.frames == walker.frames
    assert angle_between(back.rotations(), walker.rotations()).max() < 1e-6
    assert np.allclose(back.root_positions(), walker.root_positions(), atol=1e-9)


def test_a_slice_begins_where_the_motion_then_is(walker: Motion) -> None:
    part = walker.slice(30, 60)
    assert part.frames == 30
    assert np.allclose(part.positions(), walker.positions()[30:60])


def test_rows_are_interpolated_linearly() -> None:
    rows = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, -1.0]])
    assert np.allclose(
        interpolate_rows(rows, np.array([0.0, 0.5, 1.75, 2.0])), np.array([[0, 1], [1, 2], [3.5, 0], [4, -1]])
    )


def test_only_moving_groups_are_learned(walker: Motion) -> None:
    names = [walker.skeleton.group_names()[group] for group in learned_groups(walker)]
    assert "RightArm" in names
    assert "Head" not in names, "it never turns"
    assert names[-1] == "root"
    assert "LeftToe contact" in names


def test_half_a_frame_is_no_reason_to_refuse(walker: Motion) -> None:
    """61 frames of a BVH at 30.00003 frames a second last 1.999998 s; 60 frames are a frame short, and say so."""
    exact = replace(walker, fps=30.00003)
    assert learned_groups(exact.slice(0, 61)) == learned_groups(walker.slice(0, 61))
    with pytest.raises(ClipError, match=r"lasts 1\.97 s; Riff learns from at least 2 s"):
        learned_groups(exact.slice(0, 60))
    with pytest.raises(ClipError, match=r"lasts 1\.5 s; "):
        learned_groups(walker.slice(0, 46))


def test_bad_clips_are_refused_in_one_sentence(walker: Motion) -> None:
    rotations, root = walker.rotations(), walker.root_positions()
    with pytest.raises(ClipError, match="fewer than two frames"):
        from_transforms(walker.skeleton, rotations[:1], root[:1], 30.0)
    broken = rotations.copy()
    broken[7, 4, 1, 1] = np.nan
    with pytest.raises(ClipError, match="“LeftHand” has no valid value at frame 7"):
        from_transforms(walker.skeleton, broken, root, 30.0)
    with pytest.raises(ClipError, match="at least 2 s"):
        learned_groups(walker.slice(0, 45))
    still = np.broadcast_to(np.eye(3), rotations.shape)
    with pytest.raises(ClipError, match="No bone rotates"):
        learned_groups(with_contact_labels(from_transforms(walker.skeleton, still, root, 30.0)))


def test_too_many_motions_at_once() -> None:
    check_size(100_000, 200, 6)
    with pytest.raises(ClipError, match=r"7 motions of 100,000 frames take more memory .* ask for at most 6 at a time"):
        check_size(100_000, 200, 7)
