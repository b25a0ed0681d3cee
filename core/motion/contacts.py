"""Detection of the contact joints from rest pose, motion and names together, for any number of legs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array
from .legs import MAX_FOOT_HEIGHT, feet_of_leg, in_place_of_parent, leg_drop, leg_roots, two_of_each_leg
from .limb_words import LimbWord, meanings
from .motion import RATE, Motion, with_contact_labels
from .skeleton import BODY, GROUP
from .symmetry import find_partners
from .treadmill import CONTACT_SPEED, belt_velocity

MIN_DEPTH_BELOW_ROOT = 0.1 * BODY
"""Smallest distance in core units of a contact joint below the root: a leg carries the root."""

MAX_SPEED_RATIO = 0.7
"""Largest speed of a planted foot relative to the root's; a hanging hand moves about as fast as the root."""

MIN_MOVEMENT = 0.01 * BODY
"""Smallest movement in core units against the root of a joint that is seen to stand."""

FLOOR_SECONDS = 3.0
"""Window in which the lowest joint touches the ground at least once."""

MIN_FLOOR_DRIFT = 0.05 * BODY
"""Smallest drift of the lowest joint in core units that counts as a slope or as drifting capture."""

MIN_STRETCH = 0.6
"""Smallest drop of a standing leg as a share of its drop at rest; a bird in flight draws its legs in further."""

MAX_RISE = 0.5 * BODY
"""Largest rise or fall in core units over a clip in which no foot ever stands; more is flight."""


def _find_contacts(motion: Motion, positions: Array) -> tuple[int, ...]:
    """Return the joints that touch the ground, of all legs of a pair alike; usually heel and toe of each leg.

    Legs come from the rest pose and the names, and their ends are contacts unless the legs are drawn in for the whole
    clip. Where no leg is found, and for the controls of a control rig, the contacts are those that stand: low, below
    the root, and still while the root moves. Empty where nothing stands, as for a bird in flight, a fish or a snake.
    """
    skeleton = motion.skeleton
    partner = find_partners(skeleton)
    heights = _above_floor(motion, positions)
    lowest = np.percentile(heights, 10, axis=0)
    standing = _standing(motion, positions, heights, lowest)
    legs = leg_roots(skeleton, partner)
    if not legs:
        standing = [j for j in standing if _moves_against_root(positions, j) and not _is_no_limb(skeleton.names[j])]
        return tuple(sorted(_both_sides(two_of_each_leg(skeleton, standing, lowest), partner, lowest)))
    if not _on_the_ground(motion, positions, legs, standing):
        return ()
    below = {joint for root in legs for joint in skeleton.subtree(root)}
    if skeleton.reference_frames:
        found = _both_sides(two_of_each_leg(skeleton, [j for j in standing if j in below], lowest), partner, lowest)
        if found:
            return tuple(sorted(found))
    return tuple(sorted({foot for leg in legs for foot in feet_of_leg(skeleton, leg, lowest)}))


def _above_floor(motion: Motion, positions: Array) -> Array:
    """Return heights (T, J) above the ground, which follows slopes, stairs and drifting captures."""
    low = positions[..., 2].min(axis=1)
    level = np.full(len(low), np.percentile(low, 5))
    half = round(0.5 * FLOOR_SECONDS * motion.fps)
    if 2 * half < len(low):
        floor = _mean_of_window(_least_of_window(low, half), half)
        if np.ptp(floor) > MIN_FLOOR_DRIFT:
            level = floor
    return positions[..., 2] - level[:, None]


def _least_of_window(values: Array, half: int) -> Array:
    padded = np.pad(values, half, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1).min(axis=1))


def _mean_of_window(values: Array, half: int) -> Array:
    sums = np.concatenate([[0.0], np.cumsum(np.pad(values, half, mode="edge"))])
    return np.asarray((sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1))


def _standing(motion: Motion, positions: Array, heights: Array, lowest: Array) -> list[int]:
    """Return the joints that are low, below the root, and still in the world or on the belt while the root moves."""
    skeleton = motion.skeleton
    under = (lowest <= MAX_FOOT_HEIGHT) & (float(np.median(heights[:, 0])) - lowest >= MIN_DEPTH_BELOW_ROOT)
    low = [j for j in range(1, skeleton.joints) if under[j] and not in_place_of_parent(skeleton, j)]
    velocity = np.gradient(positions[:, [0, *low]], axis=0) * (motion.fps / RATE)
    velocity[..., :2] -= belt_velocity(velocity[:, 1:], heights[:, low], velocity[:, 0, :2].mean(axis=0))
    speeds = np.linalg.norm(velocity, axis=-1)
    return [j for k, j in enumerate(low, start=1) if _stands(heights[:, j] - lowest[j], speeds[:, 0], speeds[:, k])]


def _stands(lifted: Array, root_speed: Array, speed: Array) -> bool:
    """Decide if a joint stands, from its height above its lowest position and the speeds of root and joint (T,)."""
    low = lifted < 0.05 * BODY
    planted = low & (speed < CONTACT_SPEED)
    if planted.sum() < 0.25 * low.sum():
        return False
    limit = max(MAX_SPEED_RATIO * float(np.median(root_speed[planted])), 0.05 * CONTACT_SPEED)
    return float(np.median(speed[planted])) < limit


def _moves_against_root(positions: Array, joint: int) -> bool:
    """Return false for a joint that hangs rigidly on a resting body, which tells nothing about what it stands on."""
    relative = positions[:, joint] - positions[:, 0]
    return bool(np.ptp(relative, axis=0).max() > MIN_MOVEMENT)


def _is_no_limb(name: str) -> bool:
    return meanings(name) == {LimbWord.OTHER}


def _both_sides(joints: Sequence[int], partner: NDArray[np.int64], lowest: Array) -> set[int]:
    """Add the partners of contacts that are as low; a contact whose partner stays up is left alone."""
    near = {int(partner[joint]) for joint in joints if lowest[partner[joint]] <= MAX_FOOT_HEIGHT}
    return {*joints, *near}


def _on_the_ground(motion: Motion, positions: Array, legs: Sequence[int], standing: Collection[int]) -> bool:
    """Return false for a clip in flight: all legs are drawn in, or the body rises or falls and no foot ever stands."""
    skeleton = motion.skeleton
    stretch = []
    for leg in legs:
        drop = leg_drop(skeleton, leg)
        if drop > 0.0:
            height = positions[:, skeleton.subtree(leg), 2]
            stretch.append((height[:, :2].max(axis=1) - height.min(axis=1)) / drop)
    if stretch and float(np.percentile(np.max(stretch, axis=0), 90)) < MIN_STRETCH:
        return False
    if set(standing) & {joint for leg in legs for joint in skeleton.subtree(leg)}:
        return True
    low = positions[..., 2].min(axis=1)
    third = max(1, len(low) // 3)
    return abs(float(np.median(low[-third:]) - np.median(low[:third]))) < MAX_RISE


def with_found_contacts(motion: Motion, positions: Array | None = None) -> Motion:
    """Detect the contact joints unless the skeleton has some, and add contact labels; later channels move up.

    `positions` (T, J, 3) are the motion's positions, if known already.
    """
    if motion.skeleton.contacts:
        return with_contact_labels(motion, positions)
    positions = motion.positions() if positions is None else positions
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
