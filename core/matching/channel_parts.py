"""Body parts that are matched separately: the legs with the root, the trunk with the head, and each arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model.channels import Channels
from ..motion.body_parts import body_halves, find_parts
from ..motion.skeleton import GROUP, Skeleton

LOWER, TRUNK = "Lower Body", "Trunk"


@dataclass(frozen=True, eq=False)
class ChannelPart:
    """Channels of network rows that belong to one body part.

    `tops` are its learned joints without a learned ancestor in the part. The lower body holds the root and has no tops.
    """

    name: str
    channels: NDArray[np.int64]
    tops: tuple[int, ...]


def channel_parts(channels: Channels) -> list[ChannelPart]:
    """Return the parts of a model's channels, the lower body first; each channel is in one part, no part is empty."""
    skeleton = channels.skeleton
    names = _part_names(skeleton)
    owners = [_owner(channels, group) for group in channels.groups]
    learned = {group for group in channels.groups if group < skeleton.joints}
    parts = []
    for name in dict.fromkeys((LOWER, TRUNK, *names)):
        groups = [index for index, joint in enumerate(owners) if names[joint] == name]
        part = (np.array(groups, dtype=np.int64)[:, None] * GROUP + np.arange(GROUP)).reshape(-1)
        if len(part):
            parts.append(ChannelPart(name, part, () if name == LOWER else _tops(skeleton, names, learned, name)))
    return parts


def _part_names(skeleton: Skeleton) -> list[str]:
    """Return the name of each joint's part: the lower body, an arm that is no leg, or else the trunk."""
    names, lower = [TRUNK] * skeleton.joints, set(body_halves(skeleton)["Lower Body"])
    for part in find_parts(skeleton):
        if part.name.endswith("Arm"):
            # A leg that never stands is taken for an arm, but its parent belongs to the lower body.
            name = LOWER if skeleton.parents[part.joints[0]] in lower else part.name
            for joint in part.joints:
                names[joint] = name
    for joint in lower:
        names[joint] = LOWER
    return names


def _owner(channels: Channels, group: int) -> int:
    """Return the joint to which a learned group belongs."""
    first = channels.skeleton.groups
    return channels.joint_pcas[group - first].joint if group >= first else channels.skeleton.group_joint(group)


def _tops(skeleton: Skeleton, names: list[str], learned: set[int], name: str) -> tuple[int, ...]:
    """Return the learned joints of a part that have no learned ancestor in it."""
    joints = {joint for joint in learned if names[joint] == name}
    return tuple(sorted(joint for joint in joints if not joints & set(skeleton.ancestors(joint))))
