"""Motions on fewer joints, for comparison with the papers, which drop fingers and the top of the head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import ClipError
from core.motion.motion import Motion
from core.motion.skeleton import GROUP, Skeleton

_OF_A_SIDE = ("UpLeg", "Leg", "Foot", "ToeBase", "Toe_End", "Shoulder", "Arm", "ForeArm", "Hand")

PAPERS_JOINTS = frozenset(
    {
        "Hips",
        "Spine",
        "Spine1",
        "Spine2",
        "Neck",
        "Head",
        *(side + name for side in ("Left", "Right") for name in _OF_A_SIDE),
    }
)
"""Names of the 24 joints of a Mixamo character used by Li et al. 2022 (bvh/skeleton_database.py) and Roditakis et al.
2024."""


def papers_joints(skeleton: Skeleton) -> list[int]:
    """Return the papers' joints of a Mixamo skeleton, whatever the prefix of their names. Raises ClipError for a
    skeleton that lacks one of them."""
    found = [j for j, name in enumerate(skeleton.names) if name.rpartition(":")[2] in PAPERS_JOINTS]
    if len(found) != len(PAPERS_JOINTS):
        raise ClipError("Only a Mixamo character has the 24 joints of the papers; this clip is of another rig.")
    return found


def on_papers_joints(motion: Motion) -> Motion:
    """Reduce a motion to the papers' 24 joints. Raises ClipError for another rig."""
    return on_joints(motion, papers_joints(motion.skeleton))


def on_joints(motion: Motion, kept: Sequence[int]) -> Motion:
    """Reduce a motion to some joints, whose movement does not change; contacts on dropped joints are dropped. Raises
    ClipError where a dropped joint carries one that stays."""
    skeleton = motion.skeleton
    place = {joint: index for index, joint in enumerate(kept)}
    if any(skeleton.parents[joint] not in place for joint in kept if joint):
        raise ClipError("A joint can be left out only together with everything that hangs on it.")
    smaller = Skeleton(
        tuple(skeleton.names[j] for j in kept),
        tuple(place[skeleton.parents[j]] if j else -1 for j in kept),
        skeleton.offsets[list(kept)],
        skeleton.unit,
        tuple(place[j] for j in skeleton.contacts if j in place),
        tuple(place[j] for j in skeleton.translated if j in place),
    )
    groups = [group for group in range(skeleton.groups) if skeleton.group_joint(group) in place]
    columns = (np.asarray(groups)[:, None] * GROUP + np.arange(GROUP)).reshape(-1)
    return Motion(motion.features[:, columns], smaller, motion.fps, motion.origin)
