"""Which joints touch the ground: found from the motion itself, for any number of legs."""

from __future__ import annotations

import numpy as np

from .motion import RATE, Motion, with_contact_labels
from .rotation import Array
from .skeleton import BODY

LOW = 0.08 * BODY
"""A contact joint comes this near to the ground (core units above the lowest place any joint reaches)."""


def find_contacts(motion: Motion) -> tuple[int, ...]:
    """Joints that stand on the ground for a while: low, and slow while low. Usually heel and toe of each leg.

    Judged on chains that end low: the lowest moving joints and their parents while these are low too. Empty where
    nothing touches the ground, as for a bird in flight.
    """
    skeleton = motion.skeleton
    places = motion.positions()
    ground = np.percentile(places[..., 2].min(axis=1), 5)
    speed = np.linalg.norm(np.gradient(places, axis=0), axis=-1) * (motion.fps / RATE)
    candidates = [j for j in range(1, skeleton.joints) if _stands(places[:, j, 2] - ground, speed[:, j])]
    return tuple(sorted(_lowest_two_of_each_chain(motion, candidates, places)))


def _stands(height: Array, speed: Array) -> bool:
    low = height < LOW + max(0.0, float(np.percentile(height, 10)))
    if np.percentile(height, 10) > LOW or low.mean() < 0.1:
        return False
    return bool((speed[low] < 0.018).mean() > 0.25)


def _lowest_two_of_each_chain(motion: Motion, candidates: list[int], places: Array) -> set[int]:
    """From each leg keep the deepest candidate that is not a bare end marker, and the candidate above it."""
    parents = motion.skeleton.parents
    chosen: set[int] = set()
    tips = [j for j in candidates if not any(k != j and _is_below(parents, k, j) for k in candidates)]
    for tip in tips:
        chain = [tip]
        while parents[chain[-1]] in candidates:
            chain.append(parents[chain[-1]])
        is_marker = tip not in parents and len(chain) > 2
        chosen.update(chain[1:3] if is_marker else chain[:2])
    return chosen


def _is_below(parents: tuple[int, ...], joint: int, ancestor: int) -> bool:
    while joint > ancestor:
        joint = parents[joint]
    return joint == ancestor and joint >= 0


def with_found_contacts(motion: Motion) -> Motion:
    """The same motion on a skeleton that knows its feet, with contact labels; channels move to make room for them."""
    if motion.skeleton.contacts:
        return with_contact_labels(motion)
    contacts = find_contacts(motion)
    skeleton = motion.skeleton.with_contacts(contacts)
    split = motion.skeleton.root_channel
    room = np.zeros((motion.frames, len(contacts) * 6))
    features = np.concatenate([motion.features[:, :split], room, motion.features[:, split:]], axis=1)
    return with_contact_labels(Motion(features, skeleton, motion.fps, motion.origin))
