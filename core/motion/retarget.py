"""A motion of one rig on another of the same structure: which bone is which, and the same poses on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np

from ..errors import ClipError
from ..numeric.rotation import Array, rotation_from_vector
from .motion import Motion, forward_kinematics, from_transforms, with_contact_labels, with_properties
from .skeleton import BODY, GROUP, Skeleton
from .symmetry import find_partners, lateral_axis, side_of

SYNONYMS = {
    "pelvis": "hips",
    "hip": "hips",
    "thigh": "upleg",
    "upperleg": "upleg",
    "calf": "leg",
    "shin": "leg",
    "lowerleg": "leg",
    "clavicle": "shoulder",
    "collar": "shoulder",
    "upperarm": "arm",
    "lowerarm": "forearm",
    "ball": "toe",
    "toebase": "toe",
    "chest": "spine",
    "ankle": "foot",
    "wrist": "hand",
    "elbow": "forearm",
    "knee": "leg",
}
"""What other rigs call a bone, and what it is called here when names are compared."""

FEWEST = 0.5
"""Share of the body, by the length of its bones, that must have a counterpart before a motion is taken over: a rig
without fingers has none for half of the bones of one with them."""

_GOOD = 0.95


def guess_bones(wanted: Skeleton, given: Skeleton) -> dict[str, str]:
    """For bones of `wanted` their likely counterparts in `given`, by names, sides and places at rest.

    Pairs that fit best come first; no pair contradicts the tree of another.
    """
    scores = _scores(wanted, given)
    pairs: dict[int, int] = {0: 0}
    lines = _above(wanted), _above(given)
    for mine, theirs in zip(*np.unravel_index(np.argsort(-scores, axis=None), scores.shape), strict=True):
        if scores[mine, theirs] < _GOOD:
            break
        j, k = int(mine), int(theirs)
        if j not in pairs and k not in pairs.values() and _fits(j, k, pairs, *lines):
            pairs[j] = k
    return {wanted.names[mine]: given.names[theirs] for mine, theirs in sorted(pairs.items())}


def onto_skeleton(motion: Motion, skeleton: Skeleton, bones: Mapping[str, str] | None = None) -> Motion:
    """The motion on a model's skeleton, by a map from its bones to the motion's (guessed unless given).

    Of the same bones only the feet are taken over; else poses keep the directions of all mapped bones, the others stay
    at rest, and the root's path is scaled by the height of the root. Raises ClipError where too few bones match.
    """
    own = motion.skeleton
    if own.same_rig(skeleton):
        return _with_feet(motion, skeleton)
    bones = guess_bones(skeleton, own) if bones is None else bones
    pairs = {j: own.names.index(bones[name]) for j, name in enumerate(skeleton.names) if bones.get(name) in own.names}
    if 0 not in pairs or _share_of_body(skeleton, pairs) < FEWEST:
        carriers = set(skeleton.parents) - {-1}
        matched = sum(j in pairs for j in carriers)
        raise ClipError(
            f"Only {matched} of {len(carriers)} bones have a counterpart on the other rig; correct the bone map."
        )
    return _mapped(motion, skeleton, pairs)


def _share_of_body(skeleton: Skeleton, pairs: Mapping[int, int]) -> float:
    """How much of the length of all bones is in those that have a counterpart; a bone reaches to its children."""
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    inner = [joint for joint, parent in enumerate(skeleton.parents) if parent >= 0]
    whole = max(float(lengths[inner].sum()), 1e-9)
    return float(lengths[[joint for joint in inner if skeleton.parents[joint] in pairs]].sum()) / whole


def _with_feet(motion: Motion, skeleton: Skeleton) -> Motion:
    """The same channels with another choice of feet, and properties told by the ranges of `skeleton`."""
    own = motion.skeleton
    if own.contacts == skeleton.contacts and own.properties == skeleton.properties:
        return motion
    features = np.zeros((motion.frames, skeleton.channels))
    features[:, : own.joints * GROUP] = motion.features[:, : own.joints * GROUP]
    features[:, skeleton.root_channel :] = motion.features[:, own.root_channel :]
    moved = replace(own, contacts=skeleton.contacts, properties=skeleton.properties)
    given = replace(motion, features=features, skeleton=moved)
    return with_contact_labels(with_properties(given, motion.property_values()) if own.properties else given)


def _mapped(motion: Motion, skeleton: Skeleton, pairs: dict[int, int]) -> Motion:
    own = motion.skeleton
    _, rotations = forward_kinematics(own, motion.rotations(), motion.root_positions(), motion.local_offsets())
    mine, theirs = skeleton.rest_positions(), own.rest_positions()
    world = np.empty((motion.frames, skeleton.joints, 3, 3))
    local = np.empty_like(world)
    for joint, parent in enumerate(skeleton.parents):
        if joint in pairs:
            world[:, joint] = rotations[:, pairs[joint]] @ _rest_turn(skeleton, joint, pairs, mine, theirs)
        else:
            world[:, joint] = world[:, parent]
        local[:, joint] = world[:, parent].swapaxes(-1, -2) @ world[:, joint] if parent >= 0 else world[:, joint]
    ground = mine[:, 2].min(), theirs[:, 2].min()
    scale = (mine[0, 2] - ground[0]) / max(float(theirs[0, 2] - ground[1]), 1e-3 * BODY)
    root = motion.root_positions() * scale
    root[:, 2] += ground[0] - scale * ground[1]
    offsets = np.broadcast_to(skeleton.offsets, (motion.frames, skeleton.joints, 3))
    return from_transforms(skeleton, local, root, motion.fps, offsets)


def _rest_turn(skeleton: Skeleton, joint: int, pairs: dict[int, int], mine: Array, theirs: Array) -> Array:
    """Turn from the rest direction of a bone to that of its counterpart: arms may rest level or hang."""
    for child in skeleton.subtree(joint)[1:]:
        if child in pairs:
            here, there = mine[child] - mine[joint], theirs[pairs[child]] - theirs[pairs[joint]]
            if min(np.linalg.norm(here), np.linalg.norm(there)) > 1e-6:
                return _between(here / np.linalg.norm(here), there / np.linalg.norm(there))
    return np.eye(3)


def _between(one: Array, other: Array) -> Array:
    """The smallest rotation that takes a unit vector to another."""
    axis = np.cross(one, other)
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, float(one @ other))
    if sine < 1e-9:
        axis, sine = np.cross(one, np.eye(3)[int(np.abs(one).argmin())]), 1.0
        axis /= np.linalg.norm(axis)
    return rotation_from_vector(axis / sine * angle)


def _scores(wanted: Skeleton, given: Skeleton) -> Array:
    """Likeness (J, K) of bones: up to 1.5 for the name and 1 for the place at rest; another side counts against it."""
    mine, theirs = _plain_places(wanted), _plain_places(given)
    scores: Array = np.exp(-np.linalg.norm(mine[:, None] - theirs[None], axis=2) / (0.1 * BODY))
    scores += 1.5 * _likeness([plain_name(name) for name in wanted.names], [plain_name(name) for name in given.names])
    sides = np.array(_side(wanted)), np.array(_side(given))
    scores -= 1.0 * (sides[0][:, None] != sides[1])
    return scores


def _likeness(names: list[str], others: list[str]) -> Array:
    """Likeness (J, K) of names, from 0 to 1; each pair that differs is compared once: both sides share a name."""
    table: dict[tuple[str, str], float] = {}
    for other in set(others):
        matcher = SequenceMatcher(None, b=other)  # what it learns of `b` serves all names
        for name in set(names):
            matcher.set_seq1(name)
            table[name, other] = matcher.ratio()
    return np.array([[table[name, other] for other in others] for name in names])


def plain_name(name: str) -> str:
    """A bone's name without prefix and side, in one spelling."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(":")[2]).casefold()
    words = [word for word in re.split(r"[^a-z0-9]+", spaced) if word not in ("left", "right", "l", "r", "")]
    joined = "".join(words)
    number = re.search(r"\d*$", joined)
    stem = joined.removesuffix(number[0] if number else "")
    return SYNONYMS.get(stem, stem) + (number[0] if number else "")


def _side(skeleton: Skeleton) -> list[str]:
    partner = find_partners(skeleton)
    axis, positions = lateral_axis(skeleton, partner), skeleton.rest_positions()
    return [
        (side_of(name) or ("left" if positions[j, axis] > positions[0, axis] else "right")) if partner[j] != j else ""
        for j, name in enumerate(skeleton.names)
    ]


def _plain_places(skeleton: Skeleton) -> Array:
    positions = skeleton.rest_positions()
    return positions - [*positions[0, :2], positions[:, 2].min()]


def _above(skeleton: Skeleton) -> list[set[int]]:
    return [set(skeleton.ancestors(joint)) for joint in range(skeleton.joints)]


def _fits(
    mine: int, theirs: int, pairs: dict[int, int], above_mine: list[set[int]], above_theirs: list[set[int]]
) -> bool:
    """Whether a pair stands above and below the others on both sides alike."""
    for one, other in pairs.items():
        if (one in above_mine[mine]) != (other in above_theirs[theirs]):
            return False
        if (mine in above_mine[one]) != (theirs in above_theirs[other]):
            return False
    return True
