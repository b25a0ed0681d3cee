"""Retargeting: match the bones of two rigs of similar structure and transfer the poses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np

from ..errors import ClipError, ModelError
from ..numeric.rotation import Array, rotation_from_vector
from .limb_words import side_of
from .motion import Motion, forward_kinematics, from_transforms, with_contact_labels, with_properties
from .rig_match import RigMatch, match_rig
from .skeleton import BODY, GROUP, Skeleton
from .symmetry import find_partners, lateral_axis

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
"""Bone names of other rigs → the names used here for comparison."""

MIN_MATCHED_SHARE = 0.5
"""Smallest matched share of the body, by length of bones, for retargeting. Length, not number, since a rig without
fingers lacks a counterpart for half of the bones of a rig with fingers."""

_MIN_SCORE = 0.95
"""Smallest score of a guessed pair of bones; the largest is 2.5."""


def guess_bones(wanted: Skeleton, given: Skeleton) -> dict[str, str]:
    """Map bones of `wanted` to their likely counterparts in `given`, by name, side and rest position.

    Pairs are accepted in descending order of score, and only if they agree with the hierarchy of accepted pairs.
    """
    scores = _scores(wanted, given)
    pairs: dict[int, int] = {0: 0}
    ancestors = _ancestors(wanted), _ancestors(given)
    for row, column in zip(*np.unravel_index(np.argsort(-scores, axis=None), scores.shape), strict=True):
        if scores[row, column] < _MIN_SCORE:
            break
        j, k = int(row), int(column)
        if j not in pairs and k not in pairs.values() and _fits(j, k, pairs, *ancestors):
            pairs[j] = k
    return {wanted.names[j]: given.names[k] for j, k in sorted(pairs.items())}


def onto_skeleton(motion: Motion, skeleton: Skeleton, bones: Mapping[str, str] | None = None) -> Motion:
    """Retarget a motion to a model's skeleton by a map from its bones to the motion's (guessed if None).

    If both have the same bones, be it under other names, only names, contacts and properties are adapted. Else mapped
    bones keep their directions, the others stay at rest, and the root's path is scaled by the height of the root.
    Raises ClipError where the mapped share of the body is below MIN_MATCHED_SHARE.
    """
    source = motion.skeleton
    if source.same_rig(skeleton):
        return _with_feet(motion, skeleton)
    match = match_skeletons(skeleton, source) if bones is None else None
    if match is not None:
        return match.from_rig(motion)
    bones = guess_bones(skeleton, source) if bones is None else bones
    index = {name: joint for joint, name in enumerate(source.names)}
    pairs = {j: index[bones[name]] for j, name in enumerate(skeleton.names) if bones.get(name) in index}
    if 0 not in pairs or _share_of_body(skeleton, pairs) < MIN_MATCHED_SHARE:
        carriers = set(skeleton.parents) - {-1}
        matched = sum(j in pairs for j in carriers)
        raise ClipError(
            f"Only {matched} of {len(carriers)} bones have a counterpart on the other rig; correct the bone map."
        )
    return _mapped(motion, skeleton, pairs)


def match_skeletons(wanted: Skeleton, given: Skeleton) -> RigMatch | None:
    """Return the match of two skeletons of one rig whose names differ in what is ignored; None for different rigs.

    The given one may lack joints of the wanted one that carry no others.
    """
    leaves = [not children for children in wanted.children()]
    try:
        match = match_rig(wanted, given.names, given.parents, "The clip", leaves)
    except ModelError:
        return None
    spaces = dict(zip(given.names, given.reference_frames, strict=False))
    ours = zip(match.names, wanted.reference_frames, strict=False)
    if bool(wanted.reference_frames) != bool(spaces) or any(spaces.get(name) != space for name, space in ours):
        return None
    return match if match.names[0] == given.names[0] else None


def with_names_of(motion: Motion, skeleton: Skeleton) -> Motion:
    """Return the motion of another skeleton that has the same bones under other names as one of this skeleton.

    A motion of any other skeleton, or of more or fewer bones, is returned as it is.
    """
    if motion.skeleton.same_rig(skeleton) or set(motion.skeleton.names) == set(skeleton.names):
        return motion
    match = match_skeletons(skeleton, motion.skeleton)
    return match.from_rig(motion) if match is not None and set(match.names) == set(motion.skeleton.names) else motion


def _share_of_body(skeleton: Skeleton, pairs: Mapping[int, int]) -> float:
    """Return the matched share of the total bone length; a bone extends to its children."""
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    inner = [joint for joint, parent in enumerate(skeleton.parents) if parent >= 0]
    whole = max(float(lengths[inner].sum()), 1e-9)
    return float(lengths[[joint for joint in inner if skeleton.parents[joint] in pairs]].sum()) / whole


def _with_feet(motion: Motion, skeleton: Skeleton) -> Motion:
    """Change contact joints and the ranges of properties to those of `skeleton`, which has the same bones."""
    source = motion.skeleton
    if source.contacts == skeleton.contacts and source.properties == skeleton.properties:
        return motion
    features = np.zeros((motion.frames, skeleton.channels))
    features[:, : source.joints * GROUP] = motion.features[:, : source.joints * GROUP]
    features[:, skeleton.root_channel :] = motion.features[:, source.root_channel :]
    adapted = replace(source, contacts=skeleton.contacts, properties=skeleton.properties)
    result = replace(motion, features=features, skeleton=adapted)
    return with_contact_labels(with_properties(result, motion.property_values()) if source.properties else result)


def _mapped(motion: Motion, skeleton: Skeleton, pairs: dict[int, int]) -> Motion:
    source = motion.skeleton
    _, rotations = forward_kinematics(source, motion.rotations(), motion.root_positions(), motion.local_offsets())
    rest, source_rest = skeleton.rest_positions(), source.rest_positions()
    world = np.empty((motion.frames, skeleton.joints, 3, 3))
    local = np.empty_like(world)
    for joint, parent in enumerate(skeleton.parents):
        if joint in pairs:
            world[:, joint] = rotations[:, pairs[joint]] @ _rest_rotation(skeleton, joint, pairs, rest, source_rest)
        else:
            world[:, joint] = world[:, parent]
        local[:, joint] = world[:, parent].swapaxes(-1, -2) @ world[:, joint] if parent >= 0 else world[:, joint]
    ground, source_ground = rest[:, 2].min(), source_rest[:, 2].min()
    scale = (rest[0, 2] - ground) / max(float(source_rest[0, 2] - source_ground), 1e-3 * BODY)
    root = motion.root_positions() * scale
    root[:, 2] += ground - scale * source_ground
    offsets = np.broadcast_to(skeleton.offsets, (motion.frames, skeleton.joints, 3))
    return from_transforms(skeleton, local, root, motion.fps, offsets)


def _rest_rotation(skeleton: Skeleton, joint: int, pairs: dict[int, int], rest: Array, source_rest: Array) -> Array:
    """Return the rotation (3, 3) from a bone's rest direction to its counterpart's: arms may rest level or hang."""
    for child in skeleton.subtree(joint)[1:]:
        if child in pairs:
            bone, counterpart = rest[child] - rest[joint], source_rest[pairs[child]] - source_rest[pairs[joint]]
            if min(np.linalg.norm(bone), np.linalg.norm(counterpart)) > 1e-6:
                return _rotation_between(bone / np.linalg.norm(bone), counterpart / np.linalg.norm(counterpart))
    return np.eye(3)


def _rotation_between(one: Array, other: Array) -> Array:
    """Return the smallest rotation (3, 3) that takes one unit vector to another."""
    axis = np.cross(one, other)
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, float(one @ other))
    if sine < 1e-9:
        axis, sine = np.cross(one, np.eye(3)[int(np.abs(one).argmin())]), 1.0
        axis /= np.linalg.norm(axis)
    return rotation_from_vector(axis / sine * angle)


def _scores(wanted: Skeleton, given: Skeleton) -> Array:
    """Score pairs of bones (J, K): up to 1.5 for the name, up to 1 for the rest position, -1 for another side."""
    ours, theirs = _ground_positions(wanted), _ground_positions(given)
    scores: Array = np.exp(-np.linalg.norm(ours[:, None] - theirs[None], axis=2) / (0.1 * BODY))
    scores += 1.5 * _name_similarity(
        [plain_name(name) for name in wanted.names], [plain_name(name) for name in given.names]
    )
    sides = np.array(_side(wanted)), np.array(_side(given))
    scores -= 1.0 * (sides[0][:, None] != sides[1])
    return scores


def _name_similarity(names: list[str], others: list[str]) -> Array:
    """Return the similarity (J, K) of names from 0 to 1; each distinct pair is compared once."""
    table: dict[tuple[str, str], float] = {}
    for other in set(others):
        matcher = SequenceMatcher(None, b=other)  # analyses `b` once for all names
        for name in set(names):
            matcher.set_seq1(name)
            table[name, other] = matcher.ratio()
    return np.array([[table[name, other] for other in others] for name in names])


def plain_name(name: str) -> str:
    """Normalise a bone's name: no prefix, no side, lower case, synonyms replaced."""
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


def _ground_positions(skeleton: Skeleton) -> Array:
    """Return rest positions (J, 3) relative to the point on the ground below the root."""
    positions = skeleton.rest_positions()
    return positions - [*positions[0, :2], positions[:, 2].min()]


def _ancestors(skeleton: Skeleton) -> list[set[int]]:
    return [set(skeleton.ancestors(joint)) for joint in range(skeleton.joints)]


def _fits(j: int, k: int, pairs: dict[int, int], above_j: list[set[int]], above_k: list[set[int]]) -> bool:
    """Return true if joints j and k lie above and below the joints of `pairs` alike."""
    for one, other in pairs.items():
        if (one in above_j[j]) != (other in above_k[k]):
            return False
        if (j in above_j[one]) != (k in above_k[other]):
            return False
    return True
