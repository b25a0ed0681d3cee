"""Roles of bones that bodies of different shape have in common: hips, head, feet and hands, and pairs by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..errors import ClipError
from ..motion.body_parts import find_parts
from ..motion.limb_words import LimbWord, means, names_hips, words_of
from ..motion.motion import Motion
from ..motion.skeleton import Skeleton

HIPS, HEAD = "Hips", "Head"

MIN_PAIRS = 4
"""Fewest pairs of bones that tell the time and the way of a body: hips, head and two feet."""

MIN_MOVEMENT = 1e-4
"""Largest change of a paired bone's position in core units that counts as standing still."""

BonePairs = Sequence[tuple[str, str]]
"""Pairs of a bone of the model and a bone of the driver."""


def roles_of(skeleton: Skeleton) -> dict[str, int]:
    """Return the joints that have a role in a body, by names and shape: “Hips”, “Head”, “Left Hind Foot”, “Right Hand”.

    The foot of a leg is its first joint that touches the ground.
    """
    root = next((j for j, name in enumerate(skeleton.names) if names_hips(name)), 0)
    roles = {HIPS: 0 if names_hips(skeleton.names[0]) or skeleton.upright else root}
    for part in find_parts(skeleton):
        if part.name == HEAD:
            named = [j for j in part.joints if {"head", "skull"} & set(words_of(skeleton.names[j]))]
            roles[HEAD] = named[0] if named else part.joints[-1]
        elif part.name.endswith("Leg"):
            standing = [j for j in part.joints if j in skeleton.contacts]
            named = [j for j in part.joints if means([skeleton.names[j]], LimbWord.FOOT)]
            roles[part.name.removesuffix("Leg") + "Foot"] = (standing or named or list(part.joints[-1:]))[0]
        elif part.name.endswith("Arm"):
            named = [j for j in part.joints if {"hand", "wrist"} & set(words_of(skeleton.names[j]))]
            roles[part.name.removesuffix("Arm") + "Hand"] = (
                named[0] if named else part.joints[min(2, len(part.joints) - 1)]
            )
    return roles


def pair_by_role(skeleton: Skeleton, driver: Skeleton) -> list[tuple[str, str]]:
    """Return the pairs of bones that have the same role in both bodies; feet of a biped are hind feet of others."""
    ours, theirs = roles_of(skeleton), roles_of(driver)
    pairs = []
    for role, joint in ours.items():
        other = theirs.get(role)
        if other is None and role.endswith("Foot"):
            other = _hindmost(role, ours, theirs)
        if other is not None:
            pairs.append((skeleton.names[joint], driver.names[other]))
    return pairs


def _hindmost(role: str, ours: Iterable[str], theirs: dict[str, int]) -> int | None:
    """Return the foot of the other body's last leg on the side of a foot, if that is of the last leg there, too."""
    side = role.partition(" ")[0]

    def last(roles: Iterable[str]) -> str:
        feet = [one for one in roles if one.startswith(side) and one.endswith("Foot")]
        return feet[-1] if feet else ""

    return theirs.get(last(theirs)) if last(ours) == role else None


def parse_pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Parse pairs such as “hips=Pelvis, foot.L=LeftFoot”: a bone of the model and one of the driver.

    Raises ClipError for anything else.
    """
    pairs = []
    for piece in (piece for piece in text.split(",") if piece.strip()):
        ours, _, theirs = (part.strip() for part in piece.partition("="))
        if not ours or not theirs:
            raise ClipError(f"“{piece.strip()}” is no pair of bones; write it like foot.L=LeftFoot.")
        pairs.append((ours, theirs))
    return tuple(pairs)


def paired_joints(skeleton: Skeleton, driver: Skeleton, pairs: BonePairs) -> list[tuple[int, int]]:
    """Return the joints of pairs of bones.

    Raises ClipError, naming the bone, for pairs that contradict, are too few or name bones that there are not.
    """
    found = []
    for number, (ours, theirs) in enumerate(pairs):
        if ours not in skeleton.names:
            raise ClipError(f"“{ours}” is not learned, so nothing can drive it; pair another bone.")
        if theirs not in driver.names:
            raise ClipError(f"The driver has no bone “{theirs}” that Riff reads; pair “{ours}” with another one.")
        for one, other in pairs[:number]:
            if (one, other) == (ours, theirs):
                raise ClipError(f"“{ours}” and “{theirs}” are paired twice; remove one of the pairs.")
            if one == ours:
                raise ClipError(f"“{ours}” is paired with both “{other}” and “{theirs}”; keep one of the pairs.")
            if other == theirs:
                raise ClipError(f"“{theirs}” of the driver is paired with both “{one}” and “{ours}”; keep one.")
        found.append((skeleton.names.index(ours), driver.names.index(theirs)))
    if len(found) < MIN_PAIRS:
        raise ClipError(_too_few(skeleton, [joint for joint, _ in found]))
    return found


def _too_few(skeleton: Skeleton, paired: Sequence[int]) -> str:
    """Return a sentence that names the bones that could be paired, too."""
    wanted = {role: joint for role, joint in roles_of(skeleton).items() if not role.endswith("Hand")}
    missing = [f"“{skeleton.names[joint]}”" for joint in wanted.values() if joint not in paired]
    many = {0: "No bone is paired", 1: "Only one bone is paired"}.get(
        len(paired), f"Only {len(paired)} bones are paired"
    )
    rest = f"; {', '.join(missing)} could be paired, too" if missing else ""
    return f"{many}, but it takes {MIN_PAIRS} to tell the time and the way of a body{rest}."


def check_moves(driver: Motion, joints: Sequence[int]) -> None:
    """Raise ClipError for a driver in which none of the paired joints moves."""
    if float(np.ptp(driver.positions()[:, list(joints)], axis=0).max()) <= MIN_MOVEMENT:
        raise ClipError("None of the paired bones moves in the driver's action; choose another action.")
