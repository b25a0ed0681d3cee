"""The graph that the networks see, and skeletons that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from core.errors import ClipError
from core.motion.motion import Motion, learned_groups
from core.motion.resampling import resample
from core.motion.skeleton import BODY, GROUP, Skeleton, body_size, build_skeleton, group_neighbours


def chain(count: int, contacts: tuple[int, ...] = (), translated: tuple[int, ...] = ()) -> Skeleton:
    """Joints 0 … count - 1, each the parent of the next."""
    offsets = np.tile([0.0, 0.0, 0.5], (count, 1))
    names = tuple(f"joint{k}" for k in range(count))
    return Skeleton(names, tuple(range(-1, count - 1)), offsets, 1.0, contacts, translated)


def test_neighbours_in_a_chain_are_two_steps_away() -> None:
    skeleton = chain(6)
    near = group_neighbours(skeleton, range(6))
    steps = np.abs(np.arange(6)[:, None] - np.arange(6)[None])
    assert (near == (steps <= 2)).all()
    assert (group_neighbours(skeleton, range(6), distance=1) == (steps <= 1)).all()


def test_contacts_stand_by_their_foot_and_by_the_root_group() -> None:
    skeleton = chain(6, contacts=(5,))
    near = group_neighbours(skeleton, range(skeleton.groups))
    contact, root = 6, 7
    assert near[contact].nonzero()[0].tolist() == [3, 4, 5, contact, root]
    assert near[root].nonzero()[0].tolist() == [0, 1, 2, contact, root]
    assert (near == near.T).all()


def test_joints_that_never_turn_cost_no_step() -> None:
    """A chain 0-1-2-3-4 of which 2 and 3 are still: 4 is one step from 1, the nearest that is learned."""
    near = group_neighbours(chain(5), [0, 1, 4])
    assert near.all()
    assert not group_neighbours(chain(5), [0, 1, 2, 3, 4])[1, 4]


def test_a_moving_offset_stands_where_its_joint_stands() -> None:
    skeleton = chain(5, translated=(4,))
    near = group_neighbours(skeleton, range(skeleton.groups))
    offset = skeleton.translated_channels[0] // GROUP
    assert (near[offset, :5] == near[4, :5]).all()
    assert near[offset, 4]


def test_density_for_a_human_is_a_fifth(clip: Callable[[str], Motion]) -> None:
    """Roditakis et al. 2024 count 0.20 for Mixamo's Joe without fingers."""
    motion = resample(clip("salsa"), 30.0)
    fingers = ("Thumb", "Index", "Middle", "Ring", "Pinky")
    skeleton = motion.skeleton
    body = [j for j, name in enumerate(skeleton.names) if not any(finger in name for finger in fingers)]
    learned = [g for g in learned_groups(motion) if skeleton.group_joint(g) in body]
    assert group_neighbours(skeleton, learned).mean() == pytest.approx(0.20, abs=0.05)


def test_channels_are_joints_then_contacts_then_root_then_offsets() -> None:
    skeleton = chain(4, contacts=(2, 3), translated=(1,))
    assert skeleton.groups == 4 + 2 + 1 + 1
    assert skeleton.channels == 48
    assert skeleton.contact_channels == [24, 30]
    assert skeleton.root_channel == 36
    assert skeleton.translated_channels == [42]
    assert [skeleton.group_joint(g) for g in range(8)] == [0, 1, 2, 3, 2, 3, 0, 1]
    assert skeleton.group_names()[4:] == ["joint2 contact", "joint3 contact", "root", "joint1 offset"]


def test_json_round_trip(walker: Motion) -> None:
    again = Skeleton.from_json(json.loads(json.dumps(walker.skeleton.to_json())))
    assert again.same_structure(walker.skeleton)
    assert np.array_equal(again.offsets, walker.skeleton.offsets)
    assert again.unit == walker.skeleton.unit


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_every_character_is_as_tall_in_core_units(scale: float) -> None:
    rest = np.array([[0, 0, 1.0], [0, 0, 1.9], [0, 0.1, 0.1]]) * scale
    skeleton = build_skeleton(["hips", "head", "foot"], [-1, 0, 0], rest)
    positions = skeleton.offsets + np.where(np.arange(3)[:, None] > 0, skeleton.offsets[0], 0)
    assert body_size(positions) == pytest.approx(BODY)
    assert skeleton.unit == pytest.approx(scale)


def test_a_body_that_lies_flat_is_measured_by_its_length() -> None:
    assert body_size(np.array([[0, 0, 0], [3.0, 0, 0], [6.0, 0, 0.1]])) == pytest.approx(3.6)


def test_what_is_no_skeleton_is_refused() -> None:
    place = np.zeros((2, 3))
    with pytest.raises(ClipError, match="in one place"):
        build_skeleton(["a", "b"], [-1, 0], place)
    with pytest.raises(ClipError, match="“a”"):
        Skeleton(("a", "a"), (-1, 0), place)
    with pytest.raises(ClipError, match="one tree"):
        Skeleton(("a", "b"), (-1, -1), place)
    with pytest.raises(ClipError, match="one tree"):
        Skeleton(("a", "b", "c"), (-1, 2, 0), np.zeros((3, 3)))
    with pytest.raises(ClipError, match="no joints"):
        Skeleton((), (), np.zeros((0, 3)))
