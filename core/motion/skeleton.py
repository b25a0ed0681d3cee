"""The graph that a motion lives on: joints, contacts, root and moving offsets, each one group of six channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..files.fields import FAR, FieldError, Fields, checked_text
from ..numeric.rotation import Array
from ..numeric.tree import Tree
from .properties import MOST_PROPERTIES, AnimatedProperty

GROUP = 6
"""Channels in a group: a 6D rotation, or up to six other numbers padded with zeros."""

BODY = 1.8
"""Height in core units of every character; GANimator's contact threshold was set on one of this height."""

SWING = 0.4
"""Channel numbers between a property's lowest and highest value, so that it counts about as much as a lively joint."""

MOST_JOINTS = 2048
"""Joints of a skeleton: what is computed for each pair of them must fit into memory."""

TURNED, HEADING, TILT, WORLD, OWN, WHOLE = "turned", "heading", "tilt", "world", "own", "object"
"""What a joint of a control rig is told against, see `Skeleton.bases`."""

BASES = (TURNED, HEADING, TILT, WORLD, OWN, WHOLE)


@dataclass(frozen=True, eq=False)
class Skeleton(Tree):
    """Joints of one rig, parents before children, Z up, rest orientation of every joint the identity.

    `offsets` (J, 3) is each joint's rest position in its parent's frame in core units (body height = 1.8); row 0 is the
    root's rest position. One core unit is `unit` lengths of the source file. `contacts` are the joints that touch the
    ground; `translated` the joints other than the root whose offset moves; `properties` what else is keyed.

    A skeleton of bones that all hang together has no `bases`. One of controls says for each joint what it is told
    against: TURNED its parent joint, HEADING and TILT the two halves of the root's rotation about and off the vertical,
    WORLD a parent that stands still, though its numbers are relative to the heading so that they travel, OWN whatever
    carries it, so that its place in the world is only about right. WHOLE is the root where the whole object moves.

    `pairs` (joint, joint on the other side) and `part_names` (joint, body part) are what a person knows better than
    `core/motion/body_parts.py` would find.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    unit: float = 1.0
    contacts: tuple[int, ...] = ()
    translated: tuple[int, ...] = ()
    properties: tuple[AnimatedProperty, ...] = ()
    bases: tuple[str, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    part_names: tuple[tuple[int, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.names:
            raise ClipError("The skeleton has no joints.")
        if len(self.names) > MOST_JOINTS or len(self.properties) > MOST_PROPERTIES:
            raise ClipError(
                f"The skeleton has {len(self.names)} joints and {len(self.properties)} properties; Riff takes at most "
                f"{MOST_JOINTS} and {MOST_PROPERTIES}. Train on a simpler rig."
            )
        if len(self.parents) != len(self.names) or self.offsets.shape != (len(self.names), 3):
            raise ClipError("The joints, their parents and their places are not of one number.")
        if len(set(self.names)) != len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ClipError(f"Two joints are called “{twice}”; rename one of them.")
        if self.parents[0] != -1 or any(not 0 <= p < j for j, p in enumerate(self.parents) if j):
            raise ClipError("The joints do not form one tree below a single root.")
        if self.bases and len(self.bases) != len(self.names):
            raise ClipError("The controls do not say each what they are told against.")
        told = [one.joint for one in self.properties] + [joint for pair in self.pairs for joint in pair]
        if not all(0 <= joint < len(self.names) for joint in (*told, *(joint for joint, _ in self.part_names))):
            raise ClipError("A property, pair or part names a joint that there is not.")

    @property
    def joints(self) -> int:
        return len(self.names)

    def rest_positions(self) -> Array:
        """World positions of the joints at rest (J, 3) in core units."""
        positions = self.offsets.copy()
        for joint in range(1, self.joints):
            positions[joint] += positions[self.parents[joint]]
        return positions

    @property
    def groups(self) -> int:
        """Joints, then contact labels, then the root (`paper.md`, *Motion*), then moving offsets, then properties."""
        return self.first_property_group + len(self._property_joints)

    @property
    def first_property_group(self) -> int:
        return self.joints + len(self.contacts) + 1 + len(self.translated)

    @cached_property
    def _property_joints(self) -> list[int]:
        """The joint that each group of properties sits on: up to six properties of one joint share a group."""
        owners = [one.joint for one in self.properties]
        return [joint for joint in sorted(set(owners)) for _ in range(0, owners.count(joint), GROUP)]

    @cached_property
    def property_channels(self) -> list[int]:
        """The channel of each property."""
        seen: dict[int, int] = {}
        channels = []
        for one in self.properties:
            place = seen.get(one.joint, 0)
            seen[one.joint] = place + 1
            channels.append((self.first_property_group + self._property_joints.index(one.joint)) * GROUP + place)
        return channels

    @property
    def upright(self) -> bool:
        """Whether joint 0 turns about the vertical only and joint 1 holds the rest of the root's rotation."""
        return self.bases[:1] == (HEADING,)

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
        owners = (*self.contacts, 0, *self.translated, *self._property_joints)
        return owners[group - self.joints]

    def group_names(self) -> list[str]:
        """A readable name for each group."""
        names = list(self.names) + [f"{self.names[j]} contact" for j in self.contacts] + ["root"]
        names += [f"{self.names[j]} offset" for j in self.translated]
        return names + [f"{self.names[j]} properties" for j in self._property_joints]

    def with_contacts(self, contacts: Sequence[int]) -> Skeleton:
        return replace(self, contacts=tuple(contacts))

    def same_structure(self, other: Skeleton) -> bool:
        """Whether motions of `other` have the same channels in the same order."""
        return self.same_rig(other) and self.contacts == other.contacts

    def same_rig(self, other: Skeleton) -> bool:
        """Whether motions of `other` have the same channels but for the choice of feet."""
        mine = (self.names, self.parents, self.translated, self.bases, self._addresses())
        return mine == (other.names, other.parents, other.translated, other.bases, other._addresses())

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
        if self.bases:
            data["bases"] = list(self.bases)
        if self.pairs:
            data["pairs"] = [list(pair) for pair in self.pairs]
        if self.part_names:
            data["part_names"] = [list(one) for one in self.part_names]
        return data

    @staticmethod
    def from_json(data: Any) -> Skeleton:
        """The skeleton of a file, checked field by field. Raises FieldError; ClipError for what is no tree."""
        fields = Fields(data, "skeleton")
        names = fields.texts("names", MOST_JOINTS)
        count = len(names)
        bases = fields.texts("bases", count, ())
        if not set(bases) <= set(BASES):
            raise FieldError("“skeleton.bases” holds an unknown word")
        properties = fields.items("properties", MOST_PROPERTIES, ())
        return Skeleton(
            names,
            fields.wholes("parents", -1, count - 1, count),
            fields.array("offsets", (count, 3)),
            fields.number("unit", 1e-12, FAR),
            fields.wholes("contacts", 0, count - 1, count),
            fields.wholes("translated", 0, count - 1, count),
            tuple(AnimatedProperty.from_json(one, count) for one in properties),
            bases,
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
    """Make a skeleton from rest positions (J, 3) in source lengths, Z up; the root's own position is kept in row 0.

    The unit is chosen so that the character, `size` high unless that is 0, is 1.8 high. Raises ClipError where all
    joints are in one place.
    """
    size = size or body_size(rest)
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
    skeleton: Skeleton, learned: Sequence[int], distance: int = 2, fold_joints: Sequence[int] = ()
) -> NDArray[np.bool_]:
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
