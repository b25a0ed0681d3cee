"""Body parts of any skeleton, found by its shape: limbs in pairs, legs by their feet, spine, head and tail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..numeric.rotation import Array
from .legs import is_pole, leg_roots, limb_roots
from .limb_words import names_tail, side_of, words_of
from .skeleton import Skeleton, body_size
from .symmetry import find_partners, lateral_axis

MAX_FOOT_DISTANCE_SHARE = 0.25
"""Largest distance on the ground of a lone foot from the top of its leg, as a share of the body's size."""

ROOT_PART = "Root"
"""Name of the part that holds the root joint and its path."""


@dataclass(frozen=True)
class BodyPart:
    """Named set of joints, such as “Left Leg”."""

    name: str
    joints: tuple[int, ...]


def find_parts(skeleton: Skeleton) -> list[BodyPart]:
    """Partition the joints into body parts: Root, Spine, Head, Tail, arms and legs, as far as they exist.

    A body without paired limbs is divided into the subtrees below its root, named after their first joints.
    `skeleton.part_names` overrides the result for the joints that it lists.
    """
    overrides = ({1: ROOT_PART} if skeleton.upright else {}) | dict(skeleton.part_names)
    parts = [
        BodyPart(part.name, tuple(j for j in part.joints if j not in overrides)) for part in _parts_by_shape(skeleton)
    ]
    for name in dict.fromkeys(overrides.values()):
        members = {joint for joint, part_name in overrides.items() if part_name == name}
        members |= {joint for part in parts if part.name == name for joint in part.joints}
        parts = [part for part in parts if part.name != name] + [BodyPart(name, tuple(sorted(members)))]
    return [part for part in parts if part.joints]


def _parts_by_shape(skeleton: Skeleton) -> list[BodyPart]:
    positions = skeleton.rest_positions()
    partner = find_partners(skeleton)
    roots = limb_roots(skeleton, partner)
    taken = {joint: root for root in roots for joint in skeleton.subtree(root)}
    central = [j for j in range(1, skeleton.joints) if j not in taken]
    if not roots:
        return [BodyPart(ROOT_PART, (0,)), *_subtrees(skeleton, central)]
    parts = {ROOT_PART: [0]}
    limbs = _limb_names(skeleton, roots, positions, partner)
    for joint in central:
        parts.setdefault(_pole_part(skeleton, joint, limbs) or _trunk_part(skeleton, joint, roots), []).append(joint)
    for root, name in limbs.items():
        parts.setdefault(name, []).extend(skeleton.subtree(root))
    return [BodyPart(name, tuple(sorted(joints))) for name, joints in parts.items()]


def body_halves(skeleton: Skeleton) -> dict[str, tuple[int, ...]]:
    """Divide the joints into “Upper Body” and “Lower Body”.

    The lower body is the legs, whether they touch the ground or not, the joints that carry them, the tail and the root.
    """
    lower = {0, 1} if skeleton.upright else {0}
    for part in find_parts(skeleton):
        if (
            part.name == "Tail"
            or names_tail(part.name)
            or part.name.endswith("Leg")
            or set(part.joints) & set(skeleton.contacts)
        ):
            lower |= set(part.joints)
    for joint in (*skeleton.contacts, *leg_roots(skeleton)):
        while joint > 0:
            joint = skeleton.parents[joint]
            lower.add(joint)
    upper = tuple(j for j in range(skeleton.joints) if j not in lower)
    return {"Upper Body": upper, "Lower Body": tuple(sorted(lower))}


def joints_named(skeleton: Skeleton, names: Iterable[str]) -> tuple[int, ...]:
    """Return the joints of body parts, halves or single bones, by name without regard to case.

    Raises ClipError for an unknown name.
    """
    known = {part.name.casefold(): part.joints for part in find_parts(skeleton)}
    known |= {name.casefold(): joints for name, joints in body_halves(skeleton).items()}
    known |= {name.casefold(): (j,) for j, name in enumerate(skeleton.names)}
    if skeleton.upright:
        known[skeleton.names[0].casefold()] = (0, 1)  # the two halves of one control
    joints: set[int] = set()
    for name in names:
        if name.casefold() not in known:
            parts = ", ".join(part.name for part in find_parts(skeleton))
            raise ClipError(f"There is no body part and no bone “{name}”; the parts here are {parts}.")
        joints |= set(known[name.casefold()])
    return tuple(sorted(joints))


def joint_groups(skeleton: Skeleton, joints: Collection[int]) -> tuple[int, ...]:
    """Return the channel groups of joints: rotations, moving offsets and contact labels; for joint 0 also the root
    channels."""
    chosen = set(joints)
    return tuple(g for g in range(skeleton.groups) if skeleton.group_joint(g) in chosen)


def _pole_part(skeleton: Skeleton, joint: int, limbs: dict[int, str]) -> str:
    """Return the limb that a pole target belongs to, the nearest of its side; empty for every other joint."""
    side = side_of(skeleton.names[joint])
    if not is_pole(skeleton, joint) or not side:
        return ""
    positions = skeleton.rest_positions()
    near = [root for root, name in limbs.items() if name.startswith(side.capitalize())]
    return limbs[min(near, key=lambda root: float(np.linalg.norm(positions[root] - positions[joint])))] if near else ""


def _trunk_part(skeleton: Skeleton, joint: int, roots: Sequence[int]) -> str:
    """Return Spine where a limb hangs below the joint, else Head or Tail.

    A chain beside the spine is a tail, unless its name or its height tells that it is neck and head.
    """
    if _carries(skeleton, joint, roots):
        return "Spine"
    while skeleton.parents[joint] > 0 and not _carries(skeleton, skeleton.parents[joint], roots):
        joint = skeleton.parents[joint]
    below = skeleton.subtree(joint)
    if any(names_tail(skeleton.names[one]) for one in below):
        return "Tail"
    if any({"head", "neck"} & set(words_of(skeleton.names[one])) for one in below):
        return "Head"
    if int(skeleton.rest_positions()[:, 2].argmax()) in below:
        return "Head"
    beside = [j for j in range(1, skeleton.joints) if skeleton.parents[j] == skeleton.parents[joint] and j not in roots]
    return "Tail" if any(_carries(skeleton, other, roots) for other in beside) else "Head"


def _carries(skeleton: Skeleton, joint: int, roots: Sequence[int]) -> bool:
    below = set(skeleton.subtree(joint))
    return any(skeleton.parents[root] in below for root in roots)


def _limb_names(
    skeleton: Skeleton, roots: Sequence[int], positions: Array, partner: NDArray[np.int64]
) -> dict[int, str]:
    """Return the name of each limb by its first joint; a lone foot beside a leg has the leg's name."""
    axis = lateral_axis(skeleton, partner)
    names: dict[int, str] = {}
    legs = leg_roots(skeleton, partner)
    arms = [root for root in roots if root not in legs]
    for kind, limbs_of_kind in (("Leg", legs), ("Arm", arms)):
        for side in ("Left", "Right"):
            limbs = [root for root in limbs_of_kind if _side(skeleton, root, positions, axis) == side]
            carriers = {root: _leg_of_foot(skeleton, root, limbs, positions) for root in limbs}
            limbs = [root for root in limbs if carriers[root] == root]
            limbs.sort(key=lambda r: -_forward(skeleton, positions, 1 - axis) * positions[r, 1 - axis])
            own = {root: f"{side} {_rank(number, len(limbs))}{kind}" for number, root in enumerate(limbs)}
            names |= own | {root: own[carrier] for root, carrier in carriers.items()}
    return names


def _leg_of_foot(skeleton: Skeleton, root: int, limbs: Sequence[int], positions: Array) -> int:
    """Return the limb of several joints that stands over a lone foot, such as a control for IK; else `root` itself."""
    long = [limb for limb in limbs if len(skeleton.subtree(limb)) > 1]
    if root in long or not long:
        return root
    away = {limb: float(np.linalg.norm((positions[limb] - positions[root])[:2])) for limb in long}
    nearest = min(long, key=lambda limb: away[limb])
    return nearest if away[nearest] < MAX_FOOT_DISTANCE_SHARE * body_size(positions) else root


def _rank(number: int, count: int) -> str:
    if count == 1:
        return ""
    if count == 2:
        return ("Front ", "Hind ")[number]
    return f"{number + 1}. "


def _side(skeleton: Skeleton, root: int, positions: Array, axis: int) -> str:
    named = side_of(skeleton.names[root])
    if named:
        return named.capitalize()
    # Blender's characters look along -Y, so their left is at +X.
    return "Left" if positions[root, axis] > positions[0, axis] else "Right"


def _forward(skeleton: Skeleton, positions: Array, axis: int) -> float:
    """Sign of the direction from the root to the highest joint, along a horizontal axis: 1 or -1."""
    highest = int(positions[:, 2].argmax())
    return 1.0 if positions[highest, axis] > positions[0, axis] else -1.0


def _subtrees(skeleton: Skeleton, central: Sequence[int]) -> list[BodyPart]:
    tops = [j for j in central if skeleton.parents[j] == 0]
    return [BodyPart(skeleton.names[top], tuple(skeleton.subtree(top))) for top in tops]
