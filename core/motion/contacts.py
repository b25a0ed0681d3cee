"""Detection of the contact joints from the motion itself, for any number of legs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..numeric.rotation import Array
from .motion import CONTACT_SPEED, RATE, Motion, with_contact_labels
from .skeleton import BODY, GROUP, Skeleton

MAX_CONTACT_HEIGHT = 0.15 * BODY
"""Largest distance in core units between a contact joint's lowest position and the ground, that of the lowest joint.

An elephant's wrist, the last joint of its front leg, is at 0.12 of its height; a standing human's knee at 0.26.
"""

MIN_DEPTH_BELOW_ROOT = 0.1 * BODY
"""Smallest distance in core units of a contact joint below the root: a leg carries the root."""

MAX_SPEED_RATIO = 0.7
"""Largest speed of a planted foot relative to the root's; a hanging hand moves about as fast as the root."""


def _find_contacts(motion: Motion, positions: Array) -> tuple[int, ...]:
    """Return the joints that stand on the ground: low, below the root, and still while the root moves.

    Usually heel and toe of each leg. Empty where nothing stands, as for a bird in flight or a torso without legs.
    """
    heights = positions[..., 2] - np.percentile(positions[..., 2].min(axis=1), 5)
    lowest = np.percentile(heights, 10, axis=0)
    under = (lowest <= MAX_CONTACT_HEIGHT) & (float(np.median(heights[:, 0])) - lowest >= MIN_DEPTH_BELOW_ROOT)
    low = [j for j in range(1, motion.skeleton.joints) if under[j] and not _in_place_of_parent(motion.skeleton, j)]
    speeds = np.linalg.norm(np.gradient(positions[:, [0, *low]], axis=0), axis=-1) * (motion.fps / RATE)
    standing = [j for k, j in enumerate(low, start=1) if _stands(heights[:, j] - lowest[j], speeds[:, 0], speeds[:, k])]
    return tuple(sorted(_two_of_each_leg(motion.skeleton, standing, lowest)))


def _in_place_of_parent(skeleton: Skeleton, joint: int) -> bool:
    """Return true for a joint at its parent's position, such as a heel control: the parent is the contact then."""
    return joint not in skeleton.translated and float(np.abs(skeleton.offsets[joint]).max()) < 1e-4 * BODY


def _stands(lifted: Array, root_speed: Array, speed: Array) -> bool:
    """Decide if a joint stands, from its height above its lowest position and the speeds of root and joint (T,)."""
    low = lifted < 0.05 * BODY
    planted = low & (speed < CONTACT_SPEED)
    if planted.sum() < 0.25 * low.sum():
        return False
    limit = max(MAX_SPEED_RATIO * float(np.median(root_speed[planted])), 0.05 * CONTACT_SPEED)
    return float(np.median(speed[planted])) < limit


def _two_of_each_leg(skeleton: Skeleton, standing: list[int], lowest: Array) -> set[int]:
    """Choose two contacts for each leg: the last standing joint that is no end marker, and the standing joint above it.

    Of several toes on one foot, only the one with the lowest position is used.
    """
    chosen: dict[int, list[int]] = {}
    tips = [j for j in standing if not any(skeleton.is_below(k, j) for k in standing)]
    for tip in sorted(tips, key=lambda j: float(lowest[j]), reverse=True):
        chain = [tip]
        while skeleton.parents[chain[-1]] in standing:
            chain.append(skeleton.parents[chain[-1]])
        is_marker = tip not in skeleton.parents and len(chain) > 2
        chosen[chain[-1]] = chain[1:3] if is_marker else chain[:2]
    return {joint for pair in chosen.values() for joint in pair}


def with_found_contacts(motion: Motion) -> Motion:
    """Detect the contact joints unless the skeleton has some, and add contact labels; later channels move up."""
    if motion.skeleton.contacts:
        return with_contact_labels(motion)
    positions = motion.positions()
    return with_contacts(motion, _find_contacts(motion, positions), positions)


def with_contacts(motion: Motion, contacts: Sequence[int], positions: Array | None = None) -> Motion:
    """Add contact joints and their labels to a motion without any.

    `positions` (T, J, 3) are the motion's positions, if known already.
    """
    skeleton = motion.skeleton.with_contacts(contacts)
    split = motion.skeleton.root_channel
    room = np.zeros((motion.frames, len(contacts) * GROUP))
    features = np.concatenate([motion.features[:, :split], room, motion.features[:, split:]], axis=1)
    return with_contact_labels(Motion(features, skeleton, motion.fps, motion.origin), positions)
