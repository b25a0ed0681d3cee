"""Hands as principal components, and the channels that the networks see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from core.model.channels import choose_channels
from core.model.hand_pca import find_joint_pcas
from core.model.recipe import FAST
from core.motion.motion import Motion, from_transforms, learned_groups
from core.motion.resampling import resample
from core.motion.skeleton import build_skeleton
from core.numeric.rotation import axis_rotation


def hand_motion(frames: int = 90) -> Motion:
    """A forearm and a hand of three fingers with two joints each, which curl together, beside a long leg."""
    names, parents = ["hips", "arm", "hand"], [-1, 0, 1]
    rest = [np.array([0.0, 0.0, 1.0]), np.array([0.5, 0.0, 1.3]), np.array([0.9, 0.0, 1.3])]
    for finger in range(3):
        for joint in range(2):
            names.append(f"finger{finger}.{joint}")
            parents.append(2 if joint == 0 else len(names) - 2)
            rest.append(rest[2] + np.array([0.05 + 0.03 * joint, 0.02 * finger, 0.0]))
    names += ["thigh", "shin"]
    parents += [0, len(names) - 2]
    rest += [np.array([0.0, 0.0, 0.9]), np.array([0.0, 0.0, 0.1])]
    skeleton = build_skeleton(names, parents, np.array(rest))
    time = np.arange(frames) / 30
    rotations = np.broadcast_to(np.eye(3), (frames, skeleton.joints, 3, 3)).copy()
    rotations[:, 1] = axis_rotation(1, np.sin(time))
    for joint in range(3, 9):
        rotations[:, joint] = axis_rotation(1, (0.3 + 0.1 * joint) * np.sin(2 * time))
    rotations[:, 9] = axis_rotation(0, 0.4 * np.cos(time))
    root = np.repeat(skeleton.offsets[:1], frames, axis=0)
    return from_transforms(skeleton, rotations, root, 30.0)


def test_fingers_fold_and_come_back() -> None:
    motion = hand_motion()
    (fold,) = find_joint_pcas(motion, learned_groups(motion))
    assert motion.skeleton.names[fold.joint] == "hand"
    assert len(fold.members) == 6
    restored = fold.decode(fold.encode(motion.features))
    np.testing.assert_allclose(restored, motion.features[:, fold.columns], atol=1e-3)


def test_channels_decode_what_they_encode() -> None:
    motion = hand_motion()
    channels = choose_channels(motion, replace(FAST, even_joints=0.5))
    assert max(channels.gains) == FAST.root_gain
    assert len(channels.groups) == len(set(channels.groups)) == 4  # arm, thigh, root and the folded hand
    assert channels.near(2).shape == (4, 4)
    decoded = channels.decode(channels.encode(motion.features))
    np.testing.assert_allclose(decoded, motion.features, atol=1e-3)


def test_salsa_hands_fold_and_feet_do_not(clip: Callable[[str], Motion]) -> None:
    motion = resample(clip("salsa"), 30)
    joint_pcas = find_joint_pcas(motion, learned_groups(motion))
    assert sorted(motion.skeleton.names[fold.joint].split(":")[1] for fold in joint_pcas) == ["LeftHand", "RightHand"]
    channels = choose_channels(motion, FAST)
    assert len(channels.groups) == 29
    error = np.abs(channels.decode(channels.encode(motion.features)) - motion.features)
    assert error.max() < 0.1
    assert error.mean() < 2e-4
