"""Feet of pinned legs: a stand that is pinned moves as a whole, and the body comes near where the leg is too short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..motion.leg_ik import Leg, LegIK
from ..motion.motion import RATE, Motion
from ..motion.skeleton import BODY, Skeleton
from ..motion.stances import contact_runs
from ..numeric.blending import least_jerk_offsets
from ..numeric.rotation import Array
from .places import SAME_PLACE, Pin

STRAIN = 0.004 * BODY
"""Distance in core units by which a leg may stretch to reach its pinned stand; where it is more, the body helps."""

EASY_STRETCH = 0.95
"""Share of its length to which every leg may stretch."""


@dataclass(frozen=True, eq=False)
class Strain:
    """Stand in rows [start, stop) for which a leg has to stretch: a `place` (3,) for its `top` in the worst row."""

    top: int
    start: int
    stop: int
    row: int
    place: Array


class PinnedFeet:
    """Feet that move with a pinned joint of their leg, by contact, and the rows in which they do; `pose` of the start.

    Offsets of their paths fade with a decay in frames at 30 fps.
    """

    def __init__(self, start: Motion, pins: Sequence[Pin], decay: float) -> None:
        self.skeleton, self.decay, self.fps = start.skeleton, decay * start.fps / RATE, start.fps
        self.pose, self.runs = LegIK(start), contact_runs(start.contact_labels())
        self.rows: dict[int, NDArray[np.int64]] = {}
        self._pins: dict[int, list[Pin]] = {}
        for contact, joint in enumerate(self.skeleton.contacts):
            followed = [pin for pin in pins if follows(self.skeleton, [pin], joint)]
            if followed:
                self._pins[contact] = sorted(followed, key=lambda pin: pin.joint == joint)
                self.rows[contact] = np.unique(np.concatenate([np.arange(pin.start, pin.stop) for pin in followed]))

    def path(self, contact: int) -> Array:
        """Return the path (T, 3) of a contact in the start."""
        return self.pose.path_of(self.skeleton.contacts[contact])

    def carried_by(self, missing: Sequence[tuple[Pin, Array]]) -> dict[int, Array]:
        """Return the paths (T, 3) of contacts that go the ways (N, 3) that joints are from their pins."""
        ways = {id(pin): way for pin, way in missing}
        wanted = {}
        for contact, followed in self._pins.items():
            off = np.zeros_like(self.path(contact))
            for pin in followed:
                off[pin.start : pin.stop] = ways[id(pin)]
            wanted[contact] = self.path(contact) + self._offsets(off, contact)
        return wanted

    def led_to(self, pose: LegIK) -> dict[int, Array]:
        """Return the paths (T, 3) of contacts that are where they are in a pose while they are pinned."""
        joints = self.skeleton.contacts
        return {
            contact: self.path(contact) + self._offsets(pose.path_of(joints[contact]) - self.path(contact), contact)
            for contact in self.rows
        }

    def _offsets(self, off: Array, contact: int) -> Array:
        """Return offsets (T, 3) of a contact's path: a stand that is pinned moves as a whole, others stay."""
        rows, known, weights = self.rows[contact], np.zeros_like(off), np.zeros(len(off))
        for start, stop in self.runs[contact]:
            inside = rows[(rows >= start) & (rows < stop)]
            weights[start:stop] = 1.0
            if len(inside):
                stand = np.arange(start, stop)
                known[start:stop] = np.stack([np.interp(stand, inside, off[inside, axis]) for axis in range(3)], axis=1)
        known[rows], weights[rows] = off[rows], 1.0
        return least_jerk_offsets(known, weights, self.decay)

    def strain(self, motion: Motion, legs: Sequence[Leg], wanted: dict[int, Array]) -> Strain | None:
        """Return the strain of the leg that has to stretch most beyond what it does in the start, if any has to.

        A leg that is almost straight turns its knee much to bend a little, and one that is too short lets its foot
        slide.
        """
        pose, most, found = LegIK(motion), STRAIN, None
        for leg in legs:
            if leg.contact not in wanted or leg.slides:
                continue
            top, path, own = leg.movers[0], wanted[leg.contact], self.path(leg.contact)
            usual = np.maximum(np.linalg.norm(self.pose.path_of(top) - own, axis=1), EASY_STRETCH * self._length(leg))
            away = pose.path_of(top) - path
            excess = np.linalg.norm(away, axis=1) - usual
            for start, stop in self._stands(leg.contact, path - own):
                row = start + int(excess[start:stop].argmax())
                if excess[row] > most:
                    nearer = path[row] + away[row] * (usual[row] / np.linalg.norm(away[row]))
                    found, most = Strain(top, start, stop, row, nearer), float(excess[row])
        return found

    def _stands(self, contact: int, shift: Array) -> list[tuple[int, int]]:
        """Return the pinned stands [start, stop); a foot with another shift (T, 3) in each row does not stand."""
        rows, stands = self.rows[contact], []
        for start, stop in self.runs[contact]:
            inside = shift[rows[(rows >= start) & (rows < stop)]]
            if len(inside) and np.ptp(inside, axis=0).max() <= SAME_PLACE:
                stands.append((start, stop))
        return stands

    def _length(self, leg: Leg) -> float:
        """Return the length of a leg in core units from its top to its contact."""
        foot = self.skeleton.contacts[leg.contact]
        chain = [foot, *self.skeleton.ancestors(foot)]
        return float(sum(np.linalg.norm(self.skeleton.offsets[joint]) for joint in chain[: chain.index(leg.movers[0])]))


def follows(skeleton: Skeleton, pins: Sequence[Pin], contact: int) -> bool:
    """Return true for a contact joint that moves with a pinned joint of its leg."""
    for pin in pins:
        if pin.joint == contact or skeleton.is_below(pin.joint, contact):
            return True
        below = [joint for joint in skeleton.contacts if skeleton.is_below(joint, pin.joint)]
        others = [joint for joint in skeleton.contacts if joint not in below]
        one_leg = all(a in skeleton.ancestors(b) or b in skeleton.ancestors(a) for a in below for b in below if a != b)
        if contact in below and one_leg and others:
            return True
    return False
