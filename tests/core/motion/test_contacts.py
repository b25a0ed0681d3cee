"""Joints that are found to stand on the ground."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.motion.contacts import with_found_contacts
from core.motion.motion import Motion, from_transforms
from core.motion.skeleton import build_skeleton
from core.numeric.rotation import axis_rotation


def find_contacts(motion: Motion) -> tuple[int, ...]:
    """Detect contacts, disregarding those that the skeleton has."""
    root, offsets = motion.root_positions(), motion.local_offsets()
    bare = from_transforms(motion.skeleton.with_contacts(()), motion.rotations(), root, motion.fps, offsets)
    return with_found_contacts(bare).skeleton.contacts


def contact_names(motion: Motion) -> list[str]:
    return [motion.skeleton.names[joint] for joint in find_contacts(motion)]


def test_the_walker_stands_on_heels_and_toes(walker: Motion) -> None:
    assert contact_names(walker) == ["LeftFoot", "LeftToe", "RightFoot", "RightToe"]


@pytest.mark.parametrize("name", ["salsa", "walk"])
def test_a_human_stands_on_heels_and_toes(clip: Callable[[str], Motion], name: str) -> None:
    feet = [joint.split(":")[1] for joint in contact_names(clip(name))]
    assert feet == ["LeftFoot", "LeftToeBase", "RightFoot", "RightToeBase"]


def test_an_elephant_stands_on_four_legs(clip: Callable[[str], Motion]) -> None:
    feet = contact_names(clip("elephant"))
    for leg in ("R_Toe0", "L_Toe0", "R_Hand", "L_Hand"):
        assert any(leg in joint for joint in feet), leg
    assert not any("Nose" in joint or "Tail" in joint for joint in feet)


@pytest.mark.parametrize("fps", [24.0, 60.0, 120.0])
def test_the_rate_does_not_matter(make_walker: Callable[..., Motion], fps: float) -> None:
    assert contact_names(make_walker(fps=fps)) == ["LeftFoot", "LeftToe", "RightFoot", "RightToe"]


def test_a_torso_without_legs_has_no_feet(walker: Motion) -> None:
    """The walker without its legs, arms hanging below its hips while it moves on."""
    skeleton = walker.skeleton
    kept = [j for j, name in enumerate(skeleton.names) if not name.endswith(("Leg", "Foot", "Toe"))]
    rest = skeleton.offsets.copy()
    for joint in range(1, skeleton.joints):
        rest[joint] += rest[skeleton.parents[joint]]
    parents = [kept.index(skeleton.parents[j]) if j else -1 for j in kept]
    torso = build_skeleton([skeleton.names[j] for j in kept], parents, rest[kept])
    rotations = walker.rotations()[:, kept].copy()
    for name, side in (("LeftArm", 1.0), ("RightArm", -1.0)):
        swing = side * (1.4 + 0.1 * np.sin(np.arange(walker.frames) / 5.0))
        rotations[:, torso.names.index(name)] = axis_rotation(1, swing)
    motion = from_transforms(torso, rotations, walker.root_positions() * (skeleton.unit / torso.unit), walker.fps)
    assert find_contacts(motion) == ()


def test_nothing_stands_in_flight(walker: Motion) -> None:
    """Rising all the time, no joint comes back to the ground."""
    root = walker.root_positions()
    root[:, 2] += np.linspace(0.0, 6.0, walker.frames)
    assert find_contacts(from_transforms(walker.skeleton, walker.rotations(), root, walker.fps)) == ()


def test_of_many_toes_on_one_foot_one_is_taken(walker: Motion) -> None:
    skeleton = walker.skeleton
    toe = skeleton.names.index("LeftToe")
    names, parents = [*skeleton.names, "LeftToe2", "LeftToe3"], [*skeleton.parents, toe - 1, toe - 1]
    rest = np.concatenate([skeleton.offsets, skeleton.offsets[toe] + [[0.02, 0, 0], [0.04, 0, 0]]])
    for joint in range(1, len(names)):
        rest[joint] += rest[parents[joint]]
    wide = build_skeleton(names, parents, rest)
    rotations = np.concatenate([walker.rotations(), np.broadcast_to(np.eye(3), (walker.frames, 2, 3, 3))], axis=1)
    found = contact_names(from_transforms(wide, rotations, walker.root_positions(), walker.fps))
    assert len(found) == 4
    assert "LeftFoot" in found


def test_labels_get_channels_of_their_own(walker: Motion) -> None:
    bare = from_transforms(walker.skeleton.with_contacts(()), walker.rotations(), walker.root_positions(), walker.fps)
    found = with_found_contacts(bare)
    assert np.allclose(found.features, walker.features)
    assert found.skeleton.same_structure(walker.skeleton)
    assert with_found_contacts(found).skeleton.contacts == walker.skeleton.contacts
