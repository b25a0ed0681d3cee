"""Skeleton of a motion and its channel layout: groups of six channels for joints, contacts, root and moving offsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..files.fields import MAX_MAGNITUDE, FieldError, Fields, checked_text
from ..numeric.rotation import Array
from ..numeric.tree import Tree
from .properties import MAX_PROPERTIES, AnimatedProperty

GROUP = 6
"""Channels of a group: a 6D rotation, or up to six other numbers padded with zeros."""

BODY = 1.8
"""Height in core units of every character; GANimator's contact threshold was set on one of this height."""

PROPERTY_SPAN = 0.4
"""Range of a property's channel from its lowest to its highest value: about that of a joint that moves much."""

MAX_JOINTS = 2048
"""Largest number of joints: arrays over all pairs of joints must fit into memory."""


class Space(StrEnum):
    """Reference frame in which a control of a control rig is expressed; values as in files."""

    PARENT = "turned"
    """The control's parent joint."""
    YAW = "heading"
    """First factor of the root's rotation: about the vertical."""
    TILT = "tilt"
    """Second factor of the root's rotation: off the vertical."""
    WORLD = "world"
    """The world. Channels are relative to the root's yaw and position, so that they do not depend on its path."""
    LOCAL = "own"
    """The control's own channels; its world position is approximate."""
    OBJECT = "object"
    """The root, where the whole object moves."""


@dataclass(frozen=True, eq=False)
class Skeleton(Tree):
    """Joints of one rig, parents before children, Z up, rest orientation of every joint the identity.

    `offsets` (J, 3) is each joint's rest position in its parent's frame in core units (body height = 1.8); row 0 is the
    root's rest position. One core unit is `unit` lengths of the source file. `contacts` are the joints that touch the
    ground; `translated` the joints other than the root whose offset moves; `properties` the other keyed numbers.

    `reference_frames` has the `Space` of each control of a control rig; it is empty for a plain bone hierarchy.

    `pairs` (joint, joint on the other side) and `part_names` (joint, body part) are set by the user and override the
    results of `symmetry.py` and `body_parts.py`.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    unit: float = 1.0
    contacts: tuple[int, ...] = ()
    translated: tuple[int, ...] = ()
    properties: tuple[AnimatedProperty, ...] = ()
    reference_frames: tuple[str, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    part_names: tuple[tuple[int, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.names:
            raise ClipError("The skeleton has no joints.")
        if len(self.names) > MAX_JOINTS or len(self.properties) > MAX_PROPERTIES:
            raise ClipError(
                f"The skeleton has {len(self.names)} joints and {len(self.properties)} properties; Riff takes at most "
                f"{MAX_JOINTS} and {MAX_PROPERTIES}. Train on a simpler rig."
            )
        if len(self.parents) != len(self.names) or self.offsets.shape != (len(self.names), 3):
            raise ClipError("Joints, parents and offsets differ in number.")
        if len(set(self.names)) != len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ClipError(f"Two joints are called “{twice}”; rename one of them.")
        if self.parents[0] != -1 or any(not 0 <= p < j for j, p in enumerate(self.parents) if j):
            raise ClipError("The joints do not form one tree below a single root.")
        if self.reference_frames and len(self.reference_frames) != len(self.names):
            raise ClipError("Not every control has a reference frame.")
        named = [one.joint for one in self.properties] + [joint for pair in self.pairs for joint in pair]
        if not all(0 <= joint < len(self.names) for joint in (*named, *(joint for joint, _ in self.part_names))):
            raise ClipError("A property, pair or part names a joint that does not exist.")

    @property
    def joints(self) -> int:
        return len(self.names)

    def rest_positions(self) -> Array:
        """Return world positions of the joints at rest (J, 3) in core units."""
        positions = self.offsets.copy()
        for joint in range(1, self.joints):
            positions[joint] += positions[self.parents[joint]]
        return positions

    @property
    def groups(self) -> int:
        """Number of groups: joints, contact labels, the root (Roditakis et al. 2024), moving offsets, properties."""
        return self.first_property_group + len(self._property_joints)

    @property
    def first_property_group(self) -> int:
        return self.joints + len(self.contacts) + 1 + len(self.translated)

    @cached_property
    def _property_joints(self) -> list[int]:
        """Joint of each group of properties; up to six properties of one joint share a group."""
        owners = [one.joint for one in self.properties]
        return [joint for joint in sorted(set(owners)) for _ in range(0, owners.count(joint), GROUP)]

    @cached_property
    def property_channels(self) -> list[int]:
        """Channel of each property."""
        seen: dict[int, int] = {}
        channels = []
        for one in self.properties:
            number = seen.get(one.joint, 0)
            seen[one.joint] = number + 1
            channels.append((self.first_property_group + self._property_joints.index(one.joint)) * GROUP + number)
        return channels

    @property
    def upright(self) -> bool:
        """True if joint 0 turns about the vertical only and joint 1 has the rest of the root's rotation."""
        return self.reference_frames[:1] == (Space.YAW,)

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
        """Return the joint of a group (the root joint for the root group)."""
        if group < self.joints:
            return group
        owners = (*self.contacts, 0, *self.translated, *self._property_joints)
        return owners[group - self.joints]

    def group_names(self) -> list[str]:
        """Return a readable name for each group."""
        names = list(self.names) + [f"{self.names[j]} contact" for j in self.contacts] + ["root"]
        names += [f"{self.names[j]} offset" for j in self.translated]
        return names + [f"{self.names[j]} properties" for j in self._property_joints]

    def with_contacts(self, contacts: Sequence[int]) -> Skeleton:
        return replace(self, contacts=tuple(contacts))

    def same_structure(self, other: Skeleton) -> bool:
        """Return true if motions of `other` have the same channels in the same order."""
        return self.same_rig(other) and self.contacts == other.contacts

    def same_rig(self, other: Skeleton) -> bool:
        """Return true if motions of `other` have the same channels, contacts aside."""
        return self._structure() == other._structure()

    def _structure(self) -> tuple[Any, ...]:
        return self.names, self.parents, self.translated, self.reference_frames, self._addresses()

    def _addresses(self) -> list[tuple[int, str, str, int]]:
        return [(one.joint, one.owner, one.path, one.index) for one in self.properties]

    def to_json(self) -> dict[str, Any]:
        data = {
            "names": list(self.names),
            "parents": list(self.parents),
            "offsets": self.offsets.tolist(),
            "unit": self.unit,
            "contacts": list(self.contacts),
            "translated": list(self.translated),
        }
        if self.properties:
            data["properties"] = [one.to_json() for one in self.properties]
        if self.reference_frames:
            data["bases"] = list(self.reference_frames)
        if self.pairs:
            data["pairs"] = [list(pair) for pair in self.pairs]
        if self.part_names:
            data["part_names"] = [list(one) for one in self.part_names]
        return data

    @staticmethod
    def from_json(data: Any) -> Skeleton:
        """Parse a skeleton, validating every field. Raises FieldError; ClipError for an invalid tree."""
        fields = Fields(data, "skeleton")
        names = fields.texts("names", MAX_JOINTS)
        count = len(names)
        reference_frames = fields.texts("bases", count, ())
        if not set(reference_frames) <= set(Space):
            raise FieldError("“skeleton.bases” holds an unknown word")
        properties = fields.items("properties", MAX_PROPERTIES, ())
        return Skeleton(
            names,
            fields.wholes("parents", -1, count - 1, count),
            fields.array("offsets", (count, 3)),
            fields.number("unit", 1e-12, MAX_MAGNITUDE),
            fields.wholes("contacts", 0, count - 1, count),
            fields.wholes("translated", 0, count - 1, count),
            tuple(AnimatedProperty.from_json(one, count) for one in properties),
            reference_frames,
            tuple(_joint_pair(pair, count) for pair in fields.items("pairs", count, ())),
            tuple(_named_part(part, count) for part in fields.items("part_names", count, ())),
        )


def _joint_pair(data: Any, joints: int) -> tuple[int, int]:
    if not isinstance(data, list) or len(data) != 2:
        raise FieldError("“skeleton.pairs” holds what is no pair")
    one, other = Fields({"pair": data}, "skeleton.pairs").wholes("pair", 0, joints - 1, 2)
    return one, other


def _named_part(data: Any, joints: int) -> tuple[int, str]:
    if not isinstance(data, list) or len(data) != 2:
        raise FieldError("“skeleton.part_names” holds what is no part")
    joint = Fields({"joint": data[0]}, "skeleton.part_names").whole("joint", 0, joints - 1)
    return joint, checked_text(data[1], "skeleton.part_names")


def build_skeleton(
    names: Sequence[str], parents: Sequence[int], rest: Array, translated: Sequence[int] = (), size: float = 0.0
) -> Skeleton:
    """Build a skeleton from rest positions (J, 3) in source lengths, Z up; row 0 keeps the root's position.

    The unit is chosen so that a character of height `size` (0: measured) becomes 1.8 core units high. Raises ClipError
    where all joints are in one place.
    """
    size = size or body_size(rest)
    if not np.isfinite(rest).all() or size <= 0:
        raise ClipError("All joints of the armature are in one place; its size is unknown.")
    unit = size / BODY
    parent_rest = rest[[max(p, 0) for p in parents]]
    offsets = (rest - parent_rest) / unit
    offsets[0] = rest[0] / unit
    return Skeleton(tuple(names), tuple(parents), offsets, unit, (), tuple(translated))


def body_size(positions: Array) -> float:
    """Return the height of joint positions (J, 3), at least 0.6 of the longest horizontal side (flat bodies)."""
    extent = positions.max(0) - positions.min(0)
    return float(max(extent[2], 0.6 * extent[:2].max()))


def group_neighbours(
    skeleton: Skeleton, learned: Sequence[int], distance: int = 2, fold_joints: Sequence[int] = ()
) -> NDArray[np.bool_]:
    """Return the neighbour matrix (G, G) of learned groups: true within `distance` edges of the group graph.

    Edges connect joints with their nearest learned ancestors. A contact label is at its joint and is a neighbour of the
    root group; the root group is at the root joint (Roditakis et al. 2024); a moving offset is at its joint, and group
    `skeleton.groups` + f, the f-th joint PCA, at `fold_joints[f]`.
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
    """Count the tree edges between joints (J, J); passing a joint without a learned group costs none."""
    count = skeleton.joints
    hops = np.zeros((count, count), dtype=np.int64)
    for joint in range(1, count):
        parent = skeleton.parents[joint]
        hops[joint, :joint] = hops[parent, :joint] + (1 if joint in owners else 0)
        hops[:joint, joint] = hops[joint, :joint]
    return hops
