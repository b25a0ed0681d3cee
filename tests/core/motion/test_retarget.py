"""Motions taken over by another rig of the same structure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.errors import ClipError
from core.motion.motion import Motion
from core.motion.retarget import guess_bones, onto_skeleton, plain_name
from core.motion.skeleton import Skeleton, build_skeleton

OTHER = {
    "Hips": "pelvis",
    "Spine": "chest",
    "Head": "head",
    "LeftArm": "upper_arm.L",
    "LeftHand": "hand.L",
    "RightArm": "upper_arm.R",
    "RightHand": "hand.R",
    "LeftUpLeg": "thigh.L",
    "LeftLeg": "shin.L",
    "LeftFoot": "foot.L",
    "LeftToe": "toe.L",
    "RightUpLeg": "thigh.R",
    "RightLeg": "shin.R",
    "RightFoot": "foot.R",
    "RightToe": "toe.R",
}


def hanging_figure(walker: Skeleton) -> Skeleton:
    """The stick figure twice as large under other names, in another order, its arms hanging at rest."""
    arms = [name for name in walker.names if name.endswith(("Arm", "Hand"))]
    order = [name for name in walker.names if name not in arms] + arms
    above = {name: walker.names[parent] for name, parent in zip(walker.names, walker.parents, strict=True)}
    parents = [order.index(above[name]) if name != "Hips" else -1 for name in order]
    rest = np.array([walker.offsets[walker.names.index(name)] for name in order])
    for name in ("LeftHand", "RightHand"):
        rest[order.index(name)] = (0.0, 0.0, -0.6)
    for joint in range(1, len(order)):
        rest[joint] += rest[parents[joint]]
    return build_skeleton([OTHER[name] for name in order], parents, 2.0 * rest)


def test_bones_are_guessed_by_name_and_place(walker: Motion) -> None:
    assert guess_bones(walker.skeleton, hanging_figure(walker.skeleton)) == OTHER


def test_names_alone_or_places_alone_suffice(walker: Motion) -> None:
    plain = replace(walker.skeleton, names=tuple(f"b{j}" for j in range(walker.skeleton.joints)))
    assert guess_bones(walker.skeleton, plain) == dict(zip(walker.skeleton.names, plain.names, strict=True))


def test_poses_keep_their_directions(walker: Motion) -> None:
    moved = onto_skeleton(walker, hanging_figure(walker.skeleton))
    ours, theirs = walker.positions(), moved.positions()
    for bone in ("LeftHand", "RightHand", "LeftLeg", "Head"):
        above = walker.skeleton.names[walker.skeleton.parents[walker.skeleton.names.index(bone)]]
        mine = _direction(ours, walker.skeleton.names, bone, above)
        np.testing.assert_allclose(_direction(theirs, moved.skeleton.names, OTHER[bone], OTHER[above]), mine, atol=1e-6)
    np.testing.assert_allclose(moved.root_positions()[:, 2], walker.root_positions()[:, 2], atol=0.05)


def _direction(positions: np.ndarray, names: tuple[str, ...], bone: str, above: str) -> np.ndarray:
    way = positions[:, names.index(bone)] - positions[:, names.index(above)]
    return way / np.linalg.norm(way, axis=1, keepdims=True)


def test_other_feet_only_change_the_labels(walker: Motion) -> None:
    fewer = walker.skeleton.with_contacts(walker.skeleton.contacts[:1])
    moved = onto_skeleton(walker, fewer)
    assert moved.skeleton.same_structure(fewer)
    np.testing.assert_allclose(moved.positions(), walker.positions(), atol=1e-12)


def test_a_corrected_map_is_used(walker: Motion) -> None:
    crossed = {name: OTHER[name.replace("Left", "Right")] for name in OTHER}
    there = onto_skeleton(walker, hanging_figure(walker.skeleton))
    back = onto_skeleton(there, walker.skeleton, crossed)
    hand = walker.skeleton.names.index("LeftHand")
    assert np.abs(back.positions()[:, hand] - walker.positions()[:, hand]).max() > 0.3


def test_rigs_of_another_structure_are_refused(walker: Motion, clip: Callable[[str], Motion]) -> None:
    chain = build_skeleton(["a", "b", "c"], [-1, 0, 1], np.array([[0, 0, 0], [0, 0, 1.0], [0, 0, 2.0]]))
    still = Motion(np.zeros((40, chain.channels)), chain, 30.0, np.zeros(2))
    still.features[:, :18] = np.tile(np.eye(3)[:2].reshape(-1), 3)
    with pytest.raises(ClipError, match=r"Only \d+ of \d+ bones"):
        onto_skeleton(still, walker.skeleton)
    with pytest.raises(ClipError, match="correct the bone map"):
        onto_skeleton(clip("elephant"), walker.skeleton)


def test_spellings() -> None:
    assert {plain_name(n) for n in ("mixamorig7:LeftUpLeg", "thigh.L", "upper_leg_r", "Bip01_L_Thigh")} >= {"upleg"}
    assert plain_name("Spine2") == "spine2"
