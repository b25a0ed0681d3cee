"""One rig under other names: prefixes, separators, capitals and missing tips; other rigs are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.directing.concatenate import mix
from core.errors import ModelError
from core.motion.limb_words import meanings, side_of
from core.motion.motion import Motion, from_transforms, with_properties
from core.motion.properties import AnimatedProperty
from core.motion.retarget import match_skeletons, onto_skeleton, with_names_of
from core.motion.rig_match import RigMatch, match_rig, resting_joints
from core.motion.skeleton import Skeleton, build_skeleton
from tests.support.motions import stick_figure

FIGURE = stick_figure()
RENAMINGS: dict[str, Callable[[str], str]] = {
    "namespace": lambda name: f"mixamorig:{name}",
    "numbered namespace": lambda name: f"mixamorig7:{name}",
    "prefix": lambda name: f"Char1_{name}",
    "path": lambda name: f"Armature|Char:{name}",
    "without separator": lambda name: f"mixamorig{name}",
    "small letters": str.lower,
    "capitals": str.upper,
    "separators": lambda name: name.replace("Left", "Left_").replace("Right", "Right."),
    "spaces": lambda name: f"Bip001 {name}",
}
"""Functions from the names of the stick figure to those of another file."""


def renamed(skeleton: Skeleton, rename: Callable[[str], str]) -> Skeleton:
    return replace(skeleton, names=tuple(rename(name) for name in skeleton.names))


def match(wanted: Skeleton, given: Skeleton) -> RigMatch:
    return match_rig(wanted, given.names, given.parents, "Rig")


@pytest.mark.parametrize("ours", RENAMINGS)
@pytest.mark.parametrize("theirs", RENAMINGS)
def test_names_that_differ_in_what_is_ignored(ours: str, theirs: str) -> None:
    wanted, given = renamed(FIGURE, RENAMINGS[ours]), renamed(FIGURE, RENAMINGS[theirs])
    assert match(wanted, given).names == given.names


PREFIX = st.text("abcdefghkmxyz0123456789", min_size=1, max_size=8).filter(lambda text: not text.isdigit())


@settings(max_examples=150, deadline=None)
@given(
    prefixes=st.tuples(PREFIX, PREFIX),
    between=st.tuples(*[st.sampled_from([":", "_", ".", "|", " "])] * 2),
    change=st.sampled_from([str, str.lower, str.upper]),
    order=st.permutations(range(1, FIGURE.joints)),
)
def test_any_prefix(
    prefixes: tuple[str, str], between: tuple[str, str], change: Callable[[str], str], order: list[int]
) -> None:
    """Prefixes that are words of a limb are no prefixes; everything else matches, in any order of the bones."""
    wanted = renamed(FIGURE, lambda name: f"{prefixes[0]}{between[0]}{name}")
    bones = [change(f"{prefixes[1]}{between[1]}{FIGURE.names[joint]}") for joint in (0, *order)]
    place = {joint: bone for bone, joint in enumerate((0, *order))}
    parents = [place.get(FIGURE.parents[joint], -1) for joint in (0, *order)]
    if any(meanings(prefix) or side_of(prefix) for prefix in prefixes):
        return
    found = match_rig(wanted, bones, parents, "Rig")
    assert found.names == tuple(bones[place[joint]] for joint in range(FIGURE.joints))


def test_a_root_that_is_the_prefix_itself() -> None:
    wanted = renamed(FIGURE, lambda name: "Bip01" if name == "Hips" else f"Bip01 {name}")
    given = renamed(FIGURE, lambda name: "Bip002" if name == "Hips" else f"Bip002_{name}")
    assert match(wanted, given).names == given.names


def with_tips(skeleton: Skeleton, *names: str) -> Skeleton:
    """The skeleton with a tip on the joint before the last underscore of each name."""
    parents = [skeleton.names.index(name.rpartition("_")[0]) for name in names]
    offsets = np.concatenate([skeleton.offsets, np.full((len(names), 3), 0.05)])
    return replace(skeleton, names=(*skeleton.names, *names), parents=(*skeleton.parents, *parents), offsets=offsets)


def without(skeleton: Skeleton, *names: str) -> Skeleton:
    kept = [name for name in skeleton.names if name not in names]
    above = {name: skeleton.names[parent] for name, parent in zip(skeleton.names, skeleton.parents, strict=True)}
    parents = [kept.index(above[name]) if name != skeleton.names[0] else -1 for name in kept]
    rest = skeleton.rest_positions()[[skeleton.names.index(name) for name in kept]]
    return build_skeleton(kept, parents, rest)


@pytest.mark.parametrize("tip", ["Head_End", "Head_end", "Head_leaf", "Head_Nub"])
def test_a_missing_tip_is_left_out(walker: Motion, tip: str) -> None:
    wanted = with_tips(FIGURE, tip)
    found = match(wanted, renamed(FIGURE, RENAMINGS["namespace"]))
    assert found.missing == [tip]
    motion = found.onto_rig(Motion(wide(walker, wanted), wanted, walker.fps, walker.origin))
    assert motion.skeleton.names == tuple(f"mixamorig:{name}" for name in FIGURE.names)
    np.testing.assert_allclose(motion.positions(), walker.positions(), atol=1e-9)
    assert not match(FIGURE, wanted).missing, "a tip too many is no matter"


def wide(walker: Motion, wanted: Skeleton) -> np.ndarray:
    """Features of the walker for a skeleton with one joint more, which is at rest."""
    features = np.zeros((walker.frames, wanted.channels))
    joints = 6 * walker.skeleton.joints
    features[:, :joints] = walker.features[:, :joints]
    features[:, joints : joints + 6] = np.eye(3)[:2].reshape(-1)
    features[:, wanted.root_channel : wanted.root_channel + 3] = walker.features[
        :, walker.skeleton.root_channel : walker.skeleton.root_channel + 3
    ]
    return features


def test_a_joint_that_rests_may_be_missing_and_one_that_moves_may_not(walker: Motion) -> None:
    resting = resting_joints(walker)
    by_name = dict(zip(walker.skeleton.names, resting, strict=True))
    assert [by_name[name] for name in ("Head", "LeftToe", "Spine", "LeftFoot")] == [True, True, False, False]
    headless = without(FIGURE, "Head")
    found = match_rig(FIGURE, headless.names, headless.parents, "Rig", resting)
    assert found.missing == ["Head"]
    footless = without(FIGURE, "LeftFoot", "LeftToe")
    with pytest.raises(ModelError, match="“Rig” has no bone “LeftFoot”"):
        match_rig(FIGURE, footless.names, footless.parents, "Rig", resting)


def test_the_spine_cannot_be_missing_below_what_is_there(walker: Motion) -> None:
    parents = tuple(0 if parent == 1 else max(parent - 1, -1) for parent in (FIGURE.parents[0], *FIGURE.parents[2:]))
    names = tuple(name for name in FIGURE.names if name != "Spine")
    with pytest.raises(ModelError, match="“Rig” has no bone “Spine”"):
        match_rig(FIGURE, names, parents, "Rig", [True] * FIGURE.joints)


def test_another_hierarchy_is_refused() -> None:
    names = list(FIGURE.names)
    crossed = list(FIGURE.parents)
    crossed[names.index("LeftHand")] = names.index("RightArm")
    with pytest.raises(ModelError, match="“LeftHand” of “Rig” has a different parent"):
        match_rig(FIGURE, names, crossed, "Rig")
    with pytest.raises(ModelError, match="“Rig” has no bone “Hips”"):
        match_rig(FIGURE, [f"a:{name}" for name in names], crossed, "Rig")


def test_a_left_arm_is_no_right_arm() -> None:
    rest = np.array([[0, 0, 0], [0.3, 0, 0], [0.6, 0, 0]], dtype=float)
    left = build_skeleton(["LeftShoulder", "LeftArm", "LeftHand"], [-1, 0, 1], rest)
    right = renamed(left, lambda name: name.replace("Left", "Right"))
    with pytest.raises(ModelError, match="has no bone “LeftShoulder”"):
        match(left, right)


def test_two_characters_in_one_armature() -> None:
    names = [f"{one}:{name}" for one in ("a", "b") for name in FIGURE.names]
    parents = [*FIGURE.parents, *(parent + FIGURE.joints if parent >= 0 else -1 for parent in FIGURE.parents)]
    with pytest.raises(ModelError, match="such as “a:Hips” and “b:Hips”"):
        match_rig(FIGURE, names, parents, "Rig")
    exact = renamed(FIGURE, lambda name: f"b:{name}")
    assert match_rig(exact, names, parents, "Rig").names == exact.names


def test_numbers_that_tell_bones_apart_stay_apart() -> None:
    rest = np.array([[0, 0, 0], [0.1, 0, 0], [0.2, 0, 0], [0, 0.1, 0]], dtype=float)
    hand = build_skeleton(["Hand", "finger_1.1", "finger_1.2", "finger_11"], [-1, 0, 1, 0], rest)
    given = renamed(hand, lambda name: f"x:{name.upper()}")
    assert match(hand, given).names == given.names


def test_the_sentence_names_one_pair() -> None:
    found = match(FIGURE, renamed(FIGURE, RENAMINGS["numbered namespace"]))
    assert found.sentence() == "15 of 15 bones matched by name, such as “mixamorig7:Hips” for “Hips”"
    assert match(FIGURE, FIGURE).sentence() == ""


def test_properties_go_along(walker: Motion) -> None:
    properties = (
        AnimatedProperty(0, 'pose.bones["Hips"]["height"]', 0, 0.0, 2.0),
        AnimatedProperty(1, 'pose.bones["Spine"].constraints["IK"].influence', 0, 0.0, 1.0, (0.0, 1.0)),
    )
    skeleton = replace(walker.skeleton, properties=properties)
    features = np.zeros((walker.frames, skeleton.channels))
    features[:, : walker.skeleton.channels] = walker.features
    values = np.stack([np.linspace(0, 2, walker.frames), np.arange(walker.frames) >= 20], axis=1)
    motion = with_properties(Motion(features, skeleton, walker.fps, walker.origin), values)
    there = match(skeleton, renamed(walker.skeleton, RENAMINGS["prefix"])).onto_rig(motion)
    assert [one.path for one in there.skeleton.properties] == [
        'pose.bones["Char1_Hips"]["height"]',
        'pose.bones["Char1_Spine"].constraints["IK"].influence',
    ]
    np.testing.assert_allclose(there.property_values(), values, atol=1e-9)
    back = onto_skeleton(there, skeleton)
    assert back.skeleton.same_structure(skeleton)
    np.testing.assert_allclose(back.features, motion.features, atol=1e-9)


def test_a_clip_of_the_same_rig_keeps_its_motion_to_the_digit(walker: Motion) -> None:
    """Unlike the clip of a rig that is merely alike, which is retargeted."""
    theirs = replace(walker, skeleton=renamed(walker.skeleton, RENAMINGS["numbered namespace"]))
    moved = onto_skeleton(theirs, walker.skeleton)
    assert moved.skeleton.same_structure(walker.skeleton)
    assert np.array_equal(moved.features, walker.features)
    assert match_skeletons(walker.skeleton, build_skeleton(["a", "b"], [-1, 0], np.eye(2, 3))) is None


def test_names_of_another_clip_of_the_rig(walker: Motion) -> None:
    """For clips that are learned together and models to start from: nothing that moves may be left out."""
    theirs = replace(walker, skeleton=renamed(walker.skeleton, RENAMINGS["prefix"]))
    assert with_names_of(theirs, walker.skeleton).skeleton.names == walker.skeleton.names
    fewer = without(FIGURE, "LeftHand")
    assert with_names_of(theirs, fewer) is theirs
    mixed = mix([walker, theirs])
    assert mixed.skeleton.names == walker.skeleton.names
    assert mixed.frames > 2 * walker.frames


def test_a_clip_without_a_leaf_keeps_all_else_to_the_digit(walker: Motion) -> None:
    headless = without(FIGURE, "Head")
    kept = [joint for joint, name in enumerate(FIGURE.names) if name != "Head"]
    names = tuple(f"b:{name}" for name in headless.names)
    offsets = walker.skeleton.offsets[kept]
    given = replace(headless, names=names, offsets=offsets, unit=walker.skeleton.unit)
    rotations = walker.rotations()
    clip = from_transforms(given, rotations[:, kept], walker.root_positions(), walker.fps)
    moved = onto_skeleton(clip, walker.skeleton)
    assert moved.skeleton.same_structure(walker.skeleton)
    head = FIGURE.names.index("Head")
    np.testing.assert_allclose(moved.rotations()[:, kept], rotations[:, kept], atol=1e-12)
    np.testing.assert_allclose(moved.rotations()[:, head], np.tile(np.eye(3), (walker.frames, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(moved.positions(), walker.positions(), atol=1e-9)
