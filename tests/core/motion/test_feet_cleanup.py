"""Cleaned feet stand; nothing but the root and the legs moves; any number of legs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.artefacts import foot_figures
from core.motion.feet_cleanup import calm_feet, clean_feet, slide_more
from core.motion.leg_ik import find_legs
from core.motion.motion import Motion, from_transforms, with_contact_labels
from core.motion.resampling import resample
from core.motion.skeleton import GROUP
from core.motion.stances import contact_runs, split_stands, stance_corrections
from core.numeric.rotation import axis_rotation, rotation_from_vector


def sliding(motion: Motion, seed: int = 0) -> Motion:
    """The motion with smooth noise on the root's path and all joints, labels kept: feet slide and float."""
    random = np.random.default_rng(seed)
    frames, joints = motion.frames, motion.skeleton.joints
    waves = np.sin(np.outer(np.arange(frames) / motion.fps, [3.1, 4.7, 6.3]) + random.uniform(0, 6, 3))
    rotations = motion.rotations() @ rotation_from_vector(
        np.einsum("tw,jwk->tjk", waves, random.normal(0, 0.02, (joints, 3, 3)))
    )
    root = motion.root_positions() + waves @ random.normal(0, 0.02, (3, 3))
    moved = from_transforms(motion.skeleton, rotations, root, motion.fps, motion.local_offsets())
    features = moved.features.copy()
    features[:, motion.skeleton.contact_channels] = motion.contact_labels()
    return replace(moved, features=features)


@pytest.mark.parametrize("name", ["walker", "salsa", "walk", "elephant"])
def test_feet_slide_no_more_than_in_the_source_or_a_third(
    name: str, walker: Motion, clip: Callable[[str], Motion]
) -> None:
    source = walker if name == "walker" else with_contact_labels(resample(clip(name), 30))
    noisy = sliding(source)
    before, after = (foot_figures(source, motion) for motion in (noisy, clean_feet(noisy, source)))
    assert before["foot_skating"] > 1.3 * before["foot_skating_source"] + 0.01
    assert after["foot_skating"] < max(1.2 * before["foot_skating_source"], before["foot_skating"] / 3)
    assert after["floating"] <= before["floating"] + 1e-6


@pytest.mark.parametrize("name", ["walker", "salsa", "walk", "elephant"])
def test_calm_feet_slide_no_more_than_the_sources_and_legs_turn_no_more_than_cleaned(
    name: str, walker: Motion, clip: Callable[[str], Motion]
) -> None:
    source = walker if name == "walker" else with_contact_labels(resample(clip(name), 30))
    noisy = sliding(source)
    calm, cleaned = calm_feet(noisy, source), clean_feet(noisy, source)
    assert slide_more(noisy, source)
    width = source.skeleton.joints * GROUP
    turned, most = (np.abs(motion.features - noisy.features)[:, :width].mean() for motion in (calm, cleaned))
    if slide_more(cleaned, source):
        assert foot_figures(source, calm)["foot_skating"] <= foot_figures(source, cleaned)["foot_skating"] + 1e-9
    else:
        assert not slide_more(calm, source)
        assert turned <= most


def test_feet_that_slide_no_more_than_the_sources_stay_as_they_are(walker: Motion) -> None:
    rough = sliding(walker)
    assert calm_feet(walker, rough) is walker
    assert calm_feet(walker, walker) is walker


def test_a_root_that_slides_under_standing_feet_is_moved_alone(walker: Motion) -> None:
    features, root = walker.features.copy(), walker.skeleton.root_channel
    features[:, root] += 0.01
    slid = replace(walker, features=features)
    calm = calm_feet(slid, walker)
    assert slide_more(slid, walker)
    assert not slide_more(calm, walker)
    joints = walker.skeleton.joints * GROUP
    np.testing.assert_allclose(calm.features[:, :joints], slid.features[:, :joints], atol=1e-9)


def test_only_root_path_and_legs_move(walker: Motion) -> None:
    noisy = sliding(walker)
    cleaned = clean_feet(noisy, walker)
    skeleton = walker.skeleton
    legs = {joint for leg in find_legs(skeleton) for joint in leg.movers}
    assert {skeleton.names[joint] for joint in legs} == {
        "LeftUpLeg",
        "LeftLeg",
        "LeftFoot",
        "RightUpLeg",
        "RightLeg",
        "RightFoot",
    }
    for joint in set(range(skeleton.joints)) - legs:
        columns = slice(joint * GROUP, (joint + 1) * GROUP)
        np.testing.assert_allclose(cleaned.features[:, columns], noisy.features[:, columns], atol=1e-9)


def test_four_legs_are_found(clip: Callable[[str], Motion]) -> None:
    skeleton = clip("elephant").skeleton
    legs = find_legs(skeleton)
    tops = {skeleton.names[leg.movers[0]] for leg in legs}
    assert {"Bip01_L_Thigh", "Bip01_R_Thigh"} <= tops
    assert len(tops) >= 4
    assert not any("Spine" in skeleton.names[joint] for leg in legs for joint in leg.movers)


def test_motion_without_contacts_comes_back_as_it_is(walker: Motion) -> None:
    split, root = walker.skeleton.joints * GROUP, walker.skeleton.root_channel
    features = np.concatenate([walker.features[:, :split], walker.features[:, root:]], axis=1)
    bare = Motion(features, walker.skeleton.with_contacts(()), walker.fps, walker.origin)
    assert clean_feet(bare, bare) is bare


def test_runs_close_gaps_and_drop_flickers() -> None:
    labels = np.zeros((30, 1))
    labels[[1, 5, 6, 7, 9, 10, 20]] = 1.0
    assert contact_runs(labels) == [[(5, 11)]]


def test_corrections_hold_inside_and_fade_outside() -> None:
    path = np.stack([np.linspace(0, 0.3, 60), np.zeros(60), np.full(60, 0.1)], axis=1)
    runs = [(20, 26), (40, 46)]
    fixed = path + stance_corrections(path, runs, np.array([0.05]))
    for start, stop in runs:
        assert np.abs(np.diff(fixed[start:stop], axis=0)).max() < 1e-12
        np.testing.assert_allclose(fixed[start:stop, 2], 0.05)
    np.testing.assert_allclose(fixed[:11], path[:11])
    assert np.abs(np.diff(fixed, axis=0)).max() < 0.03


def test_stands_keep_the_height_of_the_nearest_stand_of_the_source() -> None:
    path = np.stack([np.zeros(60), np.zeros(60), np.where(np.arange(60) < 30, 0.06, 0.19)], axis=1)
    fixed = path + stance_corrections(path, [(0, 25), (35, 60)], np.array([0.05, 0.2]))
    np.testing.assert_allclose(fixed[:25, 2], 0.05)
    np.testing.assert_allclose(fixed[35:, 2], 0.2)


def test_rising_heel_is_no_stand() -> None:
    height = np.concatenate([np.full(20, 0.1), np.linspace(0.1, 0.3, 15)])
    path = np.stack([np.zeros(35), np.zeros(35), height], axis=1)
    stands = split_stands(path, 0, 35)
    assert [start for start, _ in stands] == [0]
    assert height[stands[0][1] - 1] < 0.15


def test_clean_source_hardly_changes(clip: Callable[[str], Motion]) -> None:
    source = with_contact_labels(resample(clip("salsa"), 30))
    cleaned = clean_feet(source, source)
    joints = source.skeleton.joints * GROUP
    turned = np.abs(cleaned.features[:, :joints] - source.features[:, :joints]).mean()
    assert turned < 0.003
    np.testing.assert_allclose(cleaned.root_positions()[:, 2], source.root_positions()[:, 2], atol=0.02)


def test_foot_that_stands_still_holds_the_root_against_one_that_slides(walker: Motion) -> None:
    features = np.repeat(walker.features[:1], 40, axis=0)
    skeleton = walker.skeleton
    features[:, skeleton.contact_channels] = 1.0
    features[:, skeleton.root_channel : skeleton.root_channel + 2] = 0.0
    left = skeleton.names.index("LeftUpLeg") * GROUP
    swing = axis_rotation(0, np.linspace(0.0, 0.2, 40))
    still = Motion(features, skeleton, walker.fps, walker.origin)
    rotations = still.rotations()
    rotations[:, left // GROUP] = swing @ rotations[:, left // GROUP]
    moved = from_transforms(skeleton, rotations, still.root_positions(), walker.fps, still.local_offsets())
    features = moved.features.copy()
    features[:, skeleton.contact_channels] = 1.0
    cleaned = clean_feet(replace(moved, features=features), still)
    np.testing.assert_allclose(cleaned.root_positions()[:, :2], moved.root_positions()[:, :2], atol=0.01)


def test_rigid_ankle_stays_rigid(walker: Motion) -> None:
    ankle = walker.skeleton.names.index("LeftFoot")
    features = walker.features.copy()
    columns = slice(ankle * GROUP, (ankle + 1) * GROUP)
    features[:, columns] = features[:1, columns]
    rigid = with_contact_labels(replace(walker, features=features))
    noisy = sliding(rigid)
    noisy.features[:, columns] = rigid.features[:, columns]
    cleaned = clean_feet(noisy, rigid)
    np.testing.assert_allclose(cleaned.features[:, columns], rigid.features[:, columns], atol=1e-9)
    assert np.abs(cleaned.features - noisy.features).max() > 0.01


def test_rotation_from_vector_is_axis_rotation() -> None:
    for axis in range(3):
        angles = np.array([-2.5, -1e-9, 0.0, 1e-8, 0.7, 3.1])
        vectors = np.eye(3)[axis] * angles[:, None]
        np.testing.assert_allclose(rotation_from_vector(vectors), axis_rotation(axis, angles), atol=1e-12)
