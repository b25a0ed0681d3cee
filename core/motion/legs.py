"""Legs of any skeleton, whether they touch or not: limbs that hang down to the ground at rest, helped by names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array
from .limb_words import LimbWord, means, side_of, words_of
from .skeleton import BODY, Skeleton, body_size
from .symmetry import find_partners

MIN_LIMB_SHARE = 0.15
"""Smallest length of a limb as a share of the body's size; shorter chains belong to the part that carries them."""

MAX_FOOT_HEIGHT = 0.15 * BODY
"""Largest distance in core units between a foot joint and the ground.

An elephant's wrist, the last joint of its front leg, is at 0.12 of its height; a standing human's knee at 0.26.
"""

MAX_FOOT_SHARE = 0.35
"""Largest height of a foot joint as a share of its leg's height: the ankle of a bird with short legs, not its knee."""

MIN_DROP = 0.2 * BODY
"""Smallest drop in core units from the top of a leg without a name to its lowest joint; a fish's fins drop less."""

MIN_HANGING_SHARE = 0.5
"""Smallest drop of a hanging leg as a share of its length; a spider's legs and those of a lying rest pose drop less."""

MIN_DESCENT_SHARE = 0.55
"""Smallest drop of a leg without a name as a share of the way from its highest joint to its lowest.

A spider's foot is below its knee; a tentacle that droops stays flatter.
"""


def limb_roots(skeleton: Skeleton, partner: NDArray[np.int64]) -> list[int]:
    """Return the first joints of the limbs: off the middle of the body, and long enough or with a contact joint.

    A control of a control rig is a limb of its own where its name says so. It is off the middle where its name has a
    side, since the control on the other side may rest.
    """
    positions = skeleton.rest_positions()
    size = body_size(positions)
    controls = bool(skeleton.reference_frames)
    sided = partner != np.arange(skeleton.joints)
    if controls:
        sided |= np.array([side_of(name) != "" for name in skeleton.names])
    roots = []
    for joint in range(1, skeleton.joints):
        if not sided[joint] or sided[skeleton.parents[joint]] or is_pole(skeleton, joint):
            continue
        below = skeleton.subtree(joint)
        length = np.linalg.norm(positions[below] - positions[joint], axis=1).max()
        named = controls and means([skeleton.names[joint]], LimbWord.LEG, LimbWord.FOOT, LimbWord.ARM)
        if length >= MIN_LIMB_SHARE * size or named or set(below) & set(skeleton.contacts):
            roots.append(joint)
    return roots


def is_pole(skeleton: Skeleton, joint: int) -> bool:
    """Return true for a single control that only tells where a knee or an elbow points, such as KneePoleTarget.L."""
    return bool(skeleton.reference_frames) and "pole" in words_of(skeleton.names[joint])


def leg_roots(skeleton: Skeleton, partner: NDArray[np.int64] | None = None) -> list[int]:
    """Return the first joints of the legs: limbs with a contact, with a leg's name, or that stand at rest.

    A limb and its partner on the other side are legs together.
    """
    partner = find_partners(skeleton) if partner is None else partner
    roots = limb_roots(skeleton, partner)
    positions = skeleton.rest_positions()
    standing = {root for root in roots if _stands_at_rest(skeleton, root, roots, positions)}
    legs = set()
    for root in roots:
        names = [skeleton.names[joint] for joint in skeleton.subtree(root)]
        contact = bool(set(skeleton.subtree(root)) & set(skeleton.contacts))
        named_leg = means(names, LimbWord.LEG, LimbWord.FOOT)
        named_other = means(names[:2], LimbWord.OTHER) or (
            means(names, LimbWord.OTHER) and not means(names, LimbWord.ARM)
        )
        if contact or named_leg or (root in standing and not named_other):
            legs.add(root)
    return [root for root in roots if root in legs or int(partner[root]) in legs]


def _stands_at_rest(skeleton: Skeleton, root: int, roots: Sequence[int], positions: Array) -> bool:
    """Return true for a limb that hangs from the body to the ground in the rest pose.

    The ground is the lowest joint of all limbs: a tail or a skirt may hang lower.
    """
    below = skeleton.subtree(root)
    if len(below) < 2:
        return False
    ground = min(float(positions[joint, 2]) for one in roots for joint in skeleton.subtree(one))
    foot = min(below, key=lambda joint: float(positions[joint, 2]))
    way = [joint for joint in (foot, *skeleton.ancestors(foot)) if joint in below]
    top = max(way, key=lambda joint: float(positions[joint, 2]))
    steps = np.linalg.norm(skeleton.offsets[way[: way.index(top)]], axis=1).sum()
    drop = float(positions[top, 2] - positions[foot, 2])
    low = float(positions[foot, 2]) - ground <= MAX_FOOT_HEIGHT
    return bool(low and drop >= MIN_DROP and drop >= MIN_DESCENT_SHARE * steps)


def feet_of_leg(skeleton: Skeleton, root: int, lowest: Array) -> list[int]:
    """Return the contact joints of a leg: the lowest joint at rest that is no end marker, and the foot joint above it.

    A leg that does not hang down at rest, as where the rest pose is no pose, has the joints that are named foot or toe,
    else those that come down furthest: `lowest` (J,) are the heights that joints come down to in the motion.
    """
    below = skeleton.subtree(root)
    heights = skeleton.rest_positions()[:, 2]
    named = [joint for joint in below if means([skeleton.names[joint]], LimbWord.FOOT)]
    if len(below) > 1 and not leg_drop(skeleton, root):
        if named:
            return two_of_each_leg(skeleton, named, heights)
        heights = lowest
    least = float(heights[below].min())
    limit = min(MAX_FOOT_HEIGHT, MAX_FOOT_SHARE * (float(heights[below].max()) - least)) if len(below) > 1 else np.inf
    low = [j for j in below if heights[j] - least <= limit and not in_place_of_parent(skeleton, j)]
    return two_of_each_leg(skeleton, low, heights)


def leg_drop(skeleton: Skeleton, root: int) -> float:
    """Return how far in core units a leg hangs down at rest; 0 for one that does not hang, or for a single control."""
    below = skeleton.subtree(root)
    heights = skeleton.rest_positions()[below, 2]
    drop = float(heights[:2].max() - heights.min())
    return drop if len(below) > 1 and drop >= MIN_HANGING_SHARE * _length(skeleton, root) else 0.0


def _length(skeleton: Skeleton, root: int) -> float:
    """Return the length of the longest chain below a joint in core units."""
    reach = {root: 0.0}
    for joint in skeleton.subtree(root)[1:]:
        reach[joint] = reach[skeleton.parents[joint]] + float(np.linalg.norm(skeleton.offsets[joint]))
    return max(reach.values())


def in_place_of_parent(skeleton: Skeleton, joint: int) -> bool:
    """Return true for a joint at its parent's position, such as a heel control: the parent is the contact then."""
    return joint not in skeleton.translated and float(np.abs(skeleton.offsets[joint]).max()) < 1e-4 * BODY


def two_of_each_leg(skeleton: Skeleton, standing: Sequence[int], lowest: Array) -> list[int]:
    """Choose two contacts for each leg: the last standing joint that is no end marker, and the standing joint above it.

    Of several toes on one foot, only the one with the smallest of `lowest` (J,) is used.
    """
    chosen: dict[int, list[int]] = {}
    tips = [j for j in standing if not any(skeleton.is_below(k, j) for k in standing)]
    for tip in sorted(tips, key=lambda j: float(lowest[j]), reverse=True):
        chain = [tip]
        while skeleton.parents[chain[-1]] in standing:
            chain.append(skeleton.parents[chain[-1]])
        is_marker = tip not in skeleton.parents and len(chain) > 2
        chosen[chain[-1]] = chain[1:3] if is_marker else chain[:2]
    return sorted({joint for pair in chosen.values() for joint in pair})


def leg_ratio(skeleton: Skeleton, offsets: Array) -> float:
    """Return how many times as long as in `offsets` (J, 3) the legs of a skeleton are, from the root to the ground.

    `offsets` are those of another body with the same joints, in any unit; the ratio is that of core units to it. 0
    where the skeleton has no contact joints, or either leg has no length.
    """
    chains = [[joint, *skeleton.ancestors(joint)] for joint in skeleton.contacts]
    joints = [joint for chain in chains for joint in chain if joint]
    ours, theirs = (float(np.linalg.norm(one[joints], axis=1).sum()) for one in (skeleton.offsets, offsets))
    return ours / theirs if min(ours, theirs) > 0.0 else 0.0
