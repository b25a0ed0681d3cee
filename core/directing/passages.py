"""Passages from one take into another, where both fit best, no faster than the clips move and without sliding feet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..motion.feet_cleanup import belt_of, slide_speed, source_slide_speed
from ..motion.headings import turn_between, turn_motion
from ..motion.motion import RATE, Motion
from ..motion.skeleton import GROUP
from ..numeric.blending import ease
from ..numeric.distances import frame_distances
from ..numeric.rotation import Array, axis_rotation, interpolate_six, yaw_of
from .composition import Composition
from .finalise import blend_kept

MIN_PASSAGE_SECONDS, MAX_PASSAGE_SECONDS = 0.2, 2.0
"""Shortest and longest passage from one span to the next."""

VELOCITY_ROWS = 5.0
"""Rows over which velocities are extrapolated where they are compared with poses."""

CONTACT_COST = 1.0
"""Cost of a foot that stands in one take and not in the other, as a share of the median cost of two poses."""

BLEND_SHARES = (1.0, 0.7, 0.45)
"""Shares of a passage in which its blend may take place; the rest belongs to one of the spans."""

QUICK_BLEND_ROWS = 20.0
"""Rows of a blend below which its haste counts more than the difference of the poses."""

USUAL_PERCENTILE = 99.0
"""Percentile of a clip's velocities and accelerations that its passages should stay within."""

BUILT_PASSAGES = 4
"""Passages that are built at most until one is no faster than the clips."""


@dataclass(frozen=True)
class Fit:
    """Passage into a take from its row `first` on, blended in the rows [`low`, `high`) of the passage; less `cost` fits
    better.
    """

    cost: float
    first: int
    low: int
    high: int


def joined(
    one: Motion, others: Sequence[Motion], passage: int, rows: int, sources: tuple[Motion, Motion], clean: bool
) -> Motion:
    """Return a motion that passes in its last `passage` rows into `rows` rows of one of several others, all at 30 fps.

    The best fitting passage is taken that moves no faster than the `sources` of both, and in which, if `clean`, feet
    slide no more than there. If none of the best BUILT_PASSAGES does, it is the slowest of them, and of those that are
    slow enough the one with the steadiest feet.
    """
    begin = one.frames - passage
    view = Poses.of(one.slice(max(0, begin - 1), one.frames)).rows(min(begin, 1))
    found = [(fit, other) for other in others for fit in fits(view, Poses.of(other), other.frames - rows)]
    best, least = None, (math.inf, math.inf)
    limits = np.max([usual_paces(source) for source in sources], axis=0)
    slides = max(max(source_slide_speed(source) for source in sources), 1e-9)
    for fit, other in sorted(found, key=lambda pair: pair[0].cost)[:BUILT_PASSAGES]:
        whole = _blended(one, other.slice(fit.first, min(fit.first + rows, other.frames)), passage, fit, sources, clean)
        around = whole.slice(max(0, begin - 2), min(begin + passage + 2, whole.frames))
        pace = float((paces(around).max(1) / np.maximum(limits, 1e-9)).max())
        slide = slide_speed(around) / slides if clean else 0.0
        if (max(pace, 1.0), slide) < least:
            best, least = whole, (max(pace, 1.0), slide)
        if max(pace, slide) <= 1.0:
            break
    assert best is not None  # there is a fit for each take
    return best


@lru_cache(maxsize=8)  # every passage of a take asks for the same clips
def usual_paces(source: Motion) -> tuple[float, float]:
    """Return the velocity and acceleration that a clip seldom exceeds, see `paces`."""
    velocity, acceleration = np.percentile(paces(source), USUAL_PERCENTILE, axis=1)
    return float(velocity), float(acceleration)


def paces(motion: Motion) -> Array:
    """Return the root mean square velocity and acceleration of the joints in each frame, (2, T)."""
    positions = motion.positions()
    speed = np.gradient(positions, axis=0)
    padded = np.concatenate([2.0 * positions[:1] - positions[1:2], positions, 2.0 * positions[-1:] - positions[-2:-1]])
    return np.stack([np.sqrt(np.square(one).sum(2).mean(1)) for one in (speed, np.diff(padded, 2, axis=0))])


def _blended(one: Motion, other: Motion, passage: int, fit: Fit, sources: tuple[Motion, Motion], clean: bool) -> Motion:
    """Return a motion whose last `passage` rows pass into another one's first rows."""
    begin, low, high = one.frames - passage, fit.low, fit.high
    middle = (low + high) // 2
    angle = turn_between(other.rotations()[middle, 0], one.rotations()[begin + middle, 0])
    other = turn_motion(other, np.full(other.frames, angle))
    share = ease((np.arange(passage) - low + 1.0) / (high - low + 1.0))
    between = _crossfaded(one.features[begin:], other.features[:passage], share, one.skeleton.joints)
    features = np.concatenate([one.features[:begin], between, other.features[passage:]])
    whole = replace(one, features=features, cycle_seconds=0.0)
    keep = np.ones((whole.frames, whole.skeleton.groups))
    keep[begin : begin + passage] = 0.0
    belts = any(any(belt_of(source)) for source in sources)
    return blend_kept(whole, Composition(whole, keep, anchored=False), sources[1], clean and not belts)


@dataclass(frozen=True, eq=False)
class Poses:
    """Joint positions and velocities of each row, seen from the root's yaw, (T, J × 3) each, and contacts (T, K)."""

    places: Array
    velocities: Array
    contacts: Array

    @staticmethod
    def of(motion: Motion) -> Poses:
        positions, root = motion.positions(), motion.root_positions()
        steps = np.diff(positions, axis=0)
        steps = np.concatenate([steps[:1], steps])
        positions = positions.copy()
        positions[..., :2] -= root[:, None, :2]
        spin = axis_rotation(2, -yaw_of(motion.rotations()[:, 0]))
        size = math.sqrt(positions.shape[1])
        places, velocities = (
            np.einsum("tij,tkj->tki", spin, one).reshape(motion.frames, -1) / size for one in (positions, steps)
        )
        return Poses(places, velocities, motion.contact_labels().clip(0.0, 1.0))

    def rows(self, first: int) -> Poses:
        return Poses(self.places[first:], self.velocities[first:], self.contacts[first:])

    def differences(self, other: Poses) -> Array:
        """Return differences (T, N): mean squares of poses and of velocities over VELOCITY_ROWS, and contacts."""
        places, steps = frame_distances(self.places, other.places), frame_distances(self.velocities, other.velocities)
        costs = np.square(places) + np.square(VELOCITY_ROWS * steps)
        if self.contacts.shape[1]:
            stands = np.abs(self.contacts[:, None] - other.contacts).mean(2)
            costs = costs + CONTACT_COST * float(np.median(costs)) * stands
        return np.asarray(costs)


def fits(tail: Poses, other: Poses, spare: int) -> Iterator[Fit]:
    """Yield the best passage from the rows of `tail` into another take for each of BLEND_SHARES.

    The other take may begin at any of its first `spare` rows.
    """
    rows = len(tail.places)
    costs = tail.differences(other)
    firsts = np.arange(max(spare, 0) + 1)
    along = costs[np.arange(rows), np.minimum(firsts[:, None] + np.arange(rows), costs.shape[1] - 1)]
    sums = np.concatenate([np.zeros((len(along), 1)), np.cumsum(along, axis=1)], axis=1)
    for part in BLEND_SHARES:
        size = min(rows, max(math.ceil(MIN_PASSAGE_SECONDS * RATE), round(part * rows)))
        haste = 1.0 + (QUICK_BLEND_ROWS / size) ** 2
        means = haste * (sums[:, size:] - sums[:, :-size]) / size
        first, low = (int(k) for k in np.unravel_index(means.argmin(), means.shape))
        yield Fit(float(means[first, low]), first, low, low + size)


def _crossfaded(one: Array, other: Array, share: Array, joints: int) -> Array:
    """Return rows (T, C) mixed by `share` (T,), rotations along the shortest way."""
    rows, width = len(share), joints * GROUP
    mixed = (1.0 - share[:, None]) * one + share[:, None] * other
    first, last = (side[:, :width].reshape(rows, joints, GROUP) for side in (one, other))
    mixed[:, :width] = interpolate_six(first, last, share[:, None, None]).reshape(rows, -1)
    return mixed
