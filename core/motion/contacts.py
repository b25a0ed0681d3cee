"""Which joints touch the ground: found from the motion itself, for any number of legs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..numeric.rotation import Array
from .motion import CONTACT_SPEED, RATE, Motion, with_contact_labels
from .skeleton import BODY, GROUP, Skeleton

LOW = 0.15 * BODY
"""A contact joint comes this near to the ground (core units above the lowest place any joint reaches).

An elephant's wrist, the last joint of its front leg, is at 0.12 of its height; a standing human's knee at 0.26.
"""

BELOW_ROOT = 0.1 * BODY
"""A leg carries the root: its contact joints stand at least this far under it."""

STILLER = 0.7
"""A planted foot moves less than this part of what the root does; a hanging hand moves as the root moves."""


def find_contacts(motion: Motion) -> tuple[int, ...]:
    """Joints that stand on the ground for a while: low, under the root, and still while the root moves on.

    Usually heel and toe of each leg. Empty where nothing stands, as for a bird in flight or a torso without legs.
    """
    return _contacts_at(motion, motion.positions())


def _contacts_at(motion: Motion, positions: Array) -> tuple[int, ...]:
    heights = positions[..., 2] - np.percentile(positions[..., 2].min(axis=1), 5)
    lowest = np.percentile(heights, 10, axis=0)
    under = (lowest <= LOW) & (float(np.median(heights[:, 0])) - lowest >= BELOW_ROOT)
    low = [j for j in range(1, motion.skeleton.joints) if under[j] and not _in_place_of_parent(motion.skeleton, j)]
    speeds = np.linalg.norm(np.gradient(positions[:, [0, *low]], axis=0), axis=-1) * (motion.fps / RATE)
    standing = [j for k, j in enumerate(low, start=1) if _stands(heights[:, j] - lowest[j], speeds[:, 0], speeds[:, k])]
    return tuple(sorted(_two_of_each_leg(motion.skeleton, standing, lowest)))


def _in_place_of_parent(skeleton: Skeleton, joint: int) -> bool:
    """Whether a joint only turns where its parent is, as a heel's control does: what stands is the parent."""
    return joint not in skeleton.translated and float(np.abs(skeleton.offsets[joint]).max()) < 1e-4 * BODY


def _stands(lifted: Array, root_speed: Array, speed: Array) -> bool:
    """Whether a joint stands, by how high over its lowest place it is lifted and how fast it and the root are (T,)."""
    low = lifted < 0.05 * BODY
    planted = low & (speed < CONTACT_SPEED)
    if planted.sum() < 0.25 * low.sum():
        return False
    limit = max(STILLER * float(np.median(root_speed[planted])), 0.05 * CONTACT_SPEED)
    return float(np.median(speed[planted])) < limit


def _two_of_each_leg(skeleton: Skeleton, standing: list[int], lowest: Array) -> set[int]:
    """From each leg the deepest standing joint that is not a bare end marker, and the standing joint above it.

    Of several toes on one foot only the one that comes lowest.
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
    """The same motion on a skeleton that knows its feet, with contact labels; channels move to make room for them."""
    if motion.skeleton.contacts:
        return with_contact_labels(motion)
    positions = motion.positions()
    return with_contacts(motion, _contacts_at(motion, positions), positions)


def with_contacts(motion: Motion, contacts: Sequence[int], positions: Array | None = None) -> Motion:
    """A motion without contacts on a skeleton on which these joints touch the ground, with their labels.

    `positions` (T, J, 3) are the motion's positions where they are known.
    """
    skeleton = motion.skeleton.with_contacts(contacts)
    split = motion.skeleton.root_channel
    room = np.zeros((motion.frames, len(contacts) * GROUP))
    features = np.concatenate([motion.features[:, :split], room, motion.features[:, split:]], axis=1)
    return with_contact_labels(Motion(features, skeleton, motion.fps, motion.origin), positions)
