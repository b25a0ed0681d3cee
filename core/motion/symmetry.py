"""Left and right partners of joints, found by names and by the mirrored rest pose."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from .limb_words import side_of, without_side
from .skeleton import Skeleton, body_size

MIRROR_TOLERANCE = 0.04
"""Largest distance between a joint and the mirror image of its partner, as a share of the body's size."""


def mirrored(skeleton: Skeleton, joints: Collection[int]) -> tuple[int, ...]:
    """Return the partners of joints; joints in the middle are their own."""
    partner = find_partners(skeleton)
    return tuple(sorted({int(partner[j]) for j in joints}))


def find_partners(skeleton: Skeleton) -> NDArray[np.int64]:
    """Return the partner (J,) of each joint, itself for joints in the middle.

    Pairs come from `skeleton.pairs`, else from names, else from the mirrored rest pose.
    """
    partner = np.arange(skeleton.joints)
    named = _named_partners(skeleton.names)
    for joint, other in named.items():
        partner[joint] = other
    positions = skeleton.rest_positions()
    axis = lateral_axis(skeleton, partner)
    mirror = positions.copy()
    mirror[:, axis] = 2.0 * positions[0, axis] - positions[:, axis]
    depths = np.array(skeleton.depths())
    limit = MIRROR_TOLERANCE * body_size(positions)
    for joint in range(1, skeleton.joints):
        if joint in named:
            continue
        distance = np.linalg.norm(positions - mirror[joint], axis=1)
        distance[(depths != depths[joint]) | np.isin(np.arange(skeleton.joints), list(named))] = np.inf
        nearest = int(distance.argmin())
        back = np.linalg.norm(positions - mirror[nearest], axis=1)
        back[depths != depths[joint]] = np.inf
        if distance[nearest] < limit and int(back.argmin()) == joint:
            partner[joint] = nearest
    for joint, other in skeleton.pairs:
        for one in (joint, other):
            partner[partner[one]] = partner[one]
        partner[joint], partner[other] = other, joint
    return partner


def lateral_axis(skeleton: Skeleton, partner: NDArray[np.int64]) -> int:
    """Return the horizontal axis across the body, 0 or 1: partners lie apart along it, else the rest pose is most
    symmetric along it."""
    positions = skeleton.rest_positions()
    apart = np.abs(positions - positions[partner])[:, :2].sum(0)
    if apart.max() > 1e-6:
        return int(apart.argmax())
    uneven = []
    for axis in (0, 1):
        mirror = positions.copy()
        mirror[:, axis] = 2.0 * positions[0, axis] - positions[:, axis]
        uneven.append(float(np.linalg.norm(positions[:, None] - mirror[None], axis=2).min(1).mean()))
    return int(np.argmin(uneven))


def _named_partners(names: Sequence[str]) -> dict[int, int]:
    keys = {(without_side(name), side_of(name)): j for j, name in enumerate(names)}
    pairs = {}
    for (stem, side), joint in keys.items():
        other = keys.get((stem, {"left": "right", "right": "left"}.get(side, "")))
        if side and other is not None:
            pairs[joint] = other
    return pairs
