"""The network rows that are searched for together: legs with the root, trunk with the head, each arm for itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model.channels import Channels
from ..motion.body_parts import body_halves, find_parts
from ..motion.skeleton import GROUP, Skeleton

LOWER, TRUNK = "Lower Body", "Trunk"


@dataclass(frozen=True, eq=False)
class RowPart:
    """Rows of the networks that belong to one part of the body, and the learned joints at which it begins.

    `tops` are joints of the part without a learned ancestor within it; the lower body, which holds the root, has none.
    """

    name: str
    rows: NDArray[np.int64]
    tops: tuple[int, ...]


def row_parts(channels: Channels) -> list[RowPart]:
    """The parts of what a model learns, the lower body first; together they hold each row once, and none is empty."""
    skeleton = channels.skeleton
    names = _part_names(skeleton)
    owners = [_owner(channels, group) for group in channels.groups]
    learned = {group for group in channels.groups if group < skeleton.joints}
    found = []
    for name in dict.fromkeys((LOWER, TRUNK, *names)):
        groups = [place for place, joint in enumerate(owners) if names[joint] == name]
        rows = (np.array(groups, dtype=np.int64)[:, None] * GROUP + np.arange(GROUP)).reshape(-1)
        if len(rows):
            found.append(RowPart(name, rows, () if name == LOWER else _tops(skeleton, names, learned, name)))
    return found


def _part_names(skeleton: Skeleton) -> list[str]:
    """The part of each joint: the lower half, each arm that does not carry it, all else the trunk."""
    names, lower = [TRUNK] * skeleton.joints, set(body_halves(skeleton)["Lower Body"])
    for part in find_parts(skeleton):
        if part.name.endswith("Arm"):
            # A leg that never stands passes for an arm; it hangs from what carries the others.
            name = LOWER if skeleton.parents[part.joints[0]] in lower else part.name
            for joint in part.joints:
                names[joint] = name
    for joint in lower:
        names[joint] = LOWER
    return names


def _owner(channels: Channels, group: int) -> int:
    """The joint that a learned group sits on."""
    first = channels.skeleton.groups
    return channels.joint_pcas[group - first].joint if group >= first else channels.skeleton.group_joint(group)


def _tops(skeleton: Skeleton, names: list[str], learned: set[int], name: str) -> tuple[int, ...]:
    own = {joint for joint in learned if names[joint] == name}
    return tuple(sorted(joint for joint in own if not own & set(skeleton.ancestors(joint))))
