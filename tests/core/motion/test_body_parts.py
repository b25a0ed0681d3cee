"""Body parts on a walker, on real clips and on rigs that are no bodies at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.errors import ClipError
from core.motion.body_parts import body_halves, find_parts, joint_groups, joints_named
from core.motion.limb_words import side_of
from core.motion.motion import Motion
from core.motion.skeleton import GROUP, Skeleton, build_skeleton
from core.motion.symmetry import find_partners, mirrored


def named(skeleton: Skeleton) -> dict[str, list[str]]:
    return {part.name: [skeleton.names[j] for j in part.joints] for part in find_parts(skeleton)}


def test_parts_of_a_walker(walker: Motion) -> None:
    parts = named(walker.skeleton)
    assert parts["Root"] == ["Hips"]
    assert parts["Left Leg"] == ["LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToe"]
    assert parts["Right Arm"] == ["RightArm", "RightHand"]
    assert parts["Head"] == ["Head"]
    assert sorted(name for own in parts.values() for name in own) == sorted(walker.skeleton.names)


def test_names_do_not_matter(walker: Motion) -> None:
    skeleton = walker.skeleton
    plain = Skeleton(
        tuple(f"bone{j}" for j in range(skeleton.joints)), skeleton.parents, skeleton.offsets, 1.0, skeleton.contacts
    )
    assert {tuple(part.joints) for part in find_parts(plain)} == {tuple(p.joints) for p in find_parts(skeleton)}
    assert {part.name for part in find_parts(plain)} == {part.name for part in find_parts(skeleton)}


@pytest.mark.parametrize(("clip_name", "legs"), [("salsa", 2), ("walk", 2), ("elephant", 4)])
def test_parts_of_real_clips(clip: Callable[[str], Motion], clip_name: str, legs: int) -> None:
    skeleton = clip(clip_name).skeleton
    parts = named(skeleton)
    assert sum(name.endswith("Leg") for name in parts) == legs
    assert sum(len(own) for own in parts.values()) == skeleton.joints
    assert "Head" in parts
    assert ("Tail" in parts) == (clip_name == "elephant")
    halves = body_halves(skeleton)
    assert set(halves["Lower Body"]) | set(halves["Upper Body"]) == set(range(skeleton.joints))
    for contact in skeleton.contacts:
        assert contact in halves["Lower Body"]


def test_a_rig_without_sides_falls_into_its_branches() -> None:
    rest = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2], [1, 0.5, 1]], dtype=float)
    skeleton = build_skeleton(["base", "arm", "tip", "hook"], [-1, 0, 1, 0], rest)
    assert named(skeleton) == {"Root": ["base"], "arm": ["arm", "tip"], "hook": ["hook"]}
    assert body_halves(skeleton)["Lower Body"] == (0,)


def test_mirror(walker: Motion) -> None:
    skeleton = walker.skeleton
    left = joints_named(skeleton, ["left arm", "Head"])
    assert {skeleton.names[j] for j in mirrored(skeleton, left)} == {"RightArm", "RightHand", "Head"}
    partner = find_partners(skeleton)
    np.testing.assert_array_equal(partner[partner], np.arange(skeleton.joints))


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("mixamorig:LeftHand", "left"),
        ("arm.R", "right"),
        ("l_hand", "left"),
        ("Bip01_R_Toe0", "right"),
        ("thigh_fk.L.001", "left"),
        ("Bowl", ""),
        ("Hips", ""),
        ("upright", ""),
    ],
)
def test_sides_by_name(name: str, side: str) -> None:
    assert side_of(name) == side


def test_groups_take_labels_and_path_along(walker: Motion) -> None:
    skeleton = walker.skeleton
    root = skeleton.root_channel // GROUP
    assert root in joint_groups(skeleton, [0])
    leg = joints_named(skeleton, ["Left Leg"])
    labels = [g for g in joint_groups(skeleton, leg) if skeleton.joints <= g < root]
    assert len(labels) == sum(joint in leg for joint in skeleton.contacts) > 0
    assert root not in joint_groups(skeleton, leg)


def test_unknown_part(walker: Motion) -> None:
    with pytest.raises(ClipError, match="Wing"):
        joints_named(walker.skeleton, ["Head", "Wing"])
