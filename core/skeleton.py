"""The graph that a motion lives on: joints, contacts, root and moving offsets, each one group of six channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ClipError
from .rotation import Array

GROUP = 6
"""Channels in a group: a 6D rotation, or up to six other numbers padded with zeros."""

BODY = 1.8
"""Height in core units of every character; GANimator's contact threshold was set on one of this height."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joints of one rig, parents before children, Z up, rest orientation of every joint the identity.

    `offsets` (J, 3) is each joint's rest position in its parent's frame in core units (body height = 1.8); row 0 is the
    root's rest position. One core unit is `unit` lengths of the source file. `contacts` are the joints that touch the
    ground; `translated` the joints other than the root whose offset moves.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    unit: float = 1.0
    contacts: tuple[int, ...] = ()
    translated: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.names:
            raise ClipError("The skeleton has no joints.")
        if len(set(self.names)) != len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ClipError(f"Two joints are called “{twice}”; rename one of them.")
        if self.parents[0] != -1 or any(not 0 <= p < j for j, p in enumerate(self.parents) if j):
            raise ClipError("The joints do not form one tree below a single root.")

    @property
    def joints(self) -> int:
        return len(self.names)

    @property
    def groups(self) -> int:
        """Joints, then contact labels, then the root, then moving offsets (`paper.md`, *Motion*)."""
        return self.joints + len(self.contacts) + 1 + len(self.translated)

    @property
    def channels(self) -> int:
        return self.groups * GROUP

    @property
    def contact_channels(self) -> list[int]:
        """Channel of each contact label: the first of its group."""
        return [(self.joints + k) * GROUP for k in range(len(self.contacts))]

    @property
    def root_channel(self) -> int:
        """First of the three root channels: planar velocity x and y, height."""
        return (self.joints + len(self.contacts)) * GROUP

    @property
    def translated_channels(self) -> list[int]:
        """First of the three channels of each moving offset."""
        first = self.joints + len(self.contacts) + 1
        return [(first + k) * GROUP for k in range(len(self.translated))]

    def group_joint(self, group: int) -> int:
        """The joint that a group sits on (the root joint for the root group)."""
        if group < self.joints:
            return group
        owners = (*self.contacts, 0, *self.translated)
        return owners[group - self.joints]

    def group_names(self) -> list[str]:
        """A readable name for each group."""
        names = list(self.names) + [f"{self.names[j]} contact" for j in self.contacts] + ["root"]
        return names + [f"{self.names[j]} offset" for j in self.translated]

    def with_contacts(self, contacts: Sequence[int]) -> Skeleton:
        return replace(self, contacts=tuple(contacts))

    def same_structure(self, other: Skeleton) -> bool:
        """Whether motions of `other` have the same channels in the same order."""
        mine = (self.names, self.parents, self.contacts, self.translated)
        return mine == (other.names, other.parents, other.contacts, other.translated)

    def to_json(self) -> dict[str, Any]:
        return {
            "names": list(self.names), "parents": list(self.parents), "offsets": self.offsets.tolist(),
            "unit": self.unit, "contacts": list(self.contacts), "translated": list(self.translated),
        }  # fmt: skip

    @staticmethod
    def from_json(data: dict[str, Any]) -> Skeleton:
        offsets = np.asarray(data["offsets"], dtype=np.float64).reshape(-1, 3)
        return Skeleton(
            tuple(data["names"]), tuple(data["parents"]), offsets, float(data["unit"]),
            tuple(data["contacts"]), tuple(data["translated"]),
        )  # fmt: skip


def build_skeleton(
    names: Sequence[str], parents: Sequence[int], rest: Array, translated: Sequence[int] = (),
) -> Skeleton:  # fmt: skip
    """Make a skeleton from rest positions (J, 3) in source lengths, Z up; the root's own position is kept in row 0.

    The unit is chosen so that the character is 1.8 high. Raises ClipError where all joints are in one place.
    """
    size = body_size(rest)
    if not np.isfinite(rest).all() or size <= 0:
        raise ClipError("All joints of the armature are in one place; its size cannot be told.")
    unit = size / BODY
    parent_rest = rest[[max(p, 0) for p in parents]]
    offsets = (rest - parent_rest) / unit
    offsets[0] = rest[0] / unit
    return Skeleton(tuple(names), tuple(parents), offsets, unit, (), tuple(translated))


def body_size(positions: Array) -> float:
    """Height of joint positions (J, 3), or six tenths of the longest side for bodies that lie flat, like a snake."""
    extent = positions.max(0) - positions.min(0)
    return float(max(extent[2], 0.6 * extent[:2].max()))


def group_neighbours(
    skeleton: Skeleton, learned: Sequence[int], distance: int = 2, fold_joints: Sequence[int] = (),
) -> NDArray[np.bool_]:  # fmt: skip
    """Which learned groups see each other: (G, G), true within `distance` edges of the group graph.

    Joints are joined to their nearest learned ancestor. A contact label stands where its foot stands and also beside
    the root group; the root group stands where the root joint stands (`paper.md`, *Networks*); so does a moving offset
    with its joint; so does group `skeleton.groups` + f, the f-th fold, with `fold_joints[f]`.
    """
    first_fold = skeleton.groups
    owner = np.array([skeleton.group_joint(g) if g < first_fold else fold_joints[g - first_fold] for g in learned])
    hops = _joint_hops(skeleton, {0, *owner.tolist()})
    near: NDArray[np.bool_] = hops[owner][:, owner] <= distance
    root = np.array([g == skeleton.root_channel // GROUP for g in learned])
    contact = np.array([skeleton.joints <= g < skeleton.joints + len(skeleton.contacts) for g in learned])
    near |= root[:, None] & contact[None] | contact[:, None] & root[None]
    return near


def _joint_hops(skeleton: Skeleton, owners: set[int]) -> NDArray[np.int64]:
    """Edges between joints (J, J) in the tree, where a joint that owns no learned group costs nothing to pass."""
    count = skeleton.joints
    hops = np.zeros((count, count), dtype=np.int64)
    for joint in range(1, count):
        parent = skeleton.parents[joint]
        hops[joint, :joint] = hops[parent, :joint] + (1 if joint in owners else 0)
        hops[:joint, joint] = hops[joint, :joint]
    return hops
