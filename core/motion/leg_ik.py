"""Inverse kinematics of legs: damped least squares for all frames at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array, cross, matrix_to_six, rotation_from_vector, six_to_matrix
from ..numeric.tree import Tree
from .motion import RATE, Motion
from .skeleton import GROUP, Skeleton

ROUNDS = 4


DAMPING = 0.01
"""Share of a leg's squared length; keeps a stretched knee from snapping."""


@dataclass(frozen=True)
class Leg:
    """Joints that may turn, top first, each contact with those that carry it."""

    contact: int
    """Row in the skeleton's contacts."""
    movers: tuple[int, ...]
    slides: bool = False
    """Whether the one mover is a control that is moved to where the foot should be; the rig's own IK does the rest."""


def find_legs(skeleton: Skeleton) -> list[Leg]:
    """For each contact, upper ones first, the control that places it, or else the joints up to what carries it.

    That is the contact above, or the body, which is what the ways to two different legs share; for a single leg it is
    the root.
    """
    legs = []
    for row in sorted(range(len(skeleton.contacts)), key=lambda k: len(skeleton.ancestors(skeleton.contacts[k]))):
        joint = skeleton.contacts[row]
        control = _control_of(skeleton, joint)
        if control >= 0:
            legs.append(Leg(row, (control,), slides=True))
            continue
        movers: list[int] = []
        for ancestor in skeleton.ancestors(joint):
            if ancestor == 0 or _is_shared(skeleton, ancestor, joint):
                break
            movers.append(ancestor)
            if ancestor in skeleton.contacts:
                break
        if movers:
            legs.append(Leg(row, tuple(reversed(movers))))
    return legs


def _control_of(skeleton: Skeleton, joint: int) -> int:
    """The control that carries a foot by its own place, -1 where it hangs on a leg or on another contact."""
    for above in (joint, *skeleton.ancestors(joint)) if skeleton.bases else ():
        if above != joint and above in skeleton.contacts:
            break
        if above in skeleton.translated:
            return above
    return -1


def _is_shared(skeleton: Skeleton, ancestor: int, joint: int) -> bool:
    """Whether a contact that is not on the same leg hangs below `ancestor` too."""
    line = {joint, *skeleton.ancestors(joint)}
    for other in skeleton.contacts:
        ways = skeleton.ancestors(other)
        if other not in line and joint not in ways and ancestor in ways:
            return True
    return False


class LegIK(Tree):
    """World places and turns of the joints that carry contacts, in all frames.

    Arrays hold only the `used` joints, root first; `row` finds a joint in them.
    """

    def __init__(self, motion: Motion) -> None:
        skeleton = motion.skeleton
        self.skeleton = skeleton
        self.used = sorted({0, *(j for c in skeleton.contacts for j in (c, *skeleton.ancestors(c)))})
        self.row = {joint: row for row, joint in enumerate(self.used)}
        self.parents = [self.row.get(skeleton.parents[joint], -1) for joint in self.used]
        columns = (np.array(self.used)[:, None] * GROUP + np.arange(GROUP)).reshape(-1)
        # Joints first: each joint's frames lie together.
        six = motion.features[:, columns].reshape(motion.frames, len(self.used), GROUP).swapaxes(0, 1)
        self.local = six_to_matrix(six)
        self.offsets = motion.local_offsets()[:, self.used].swapaxes(0, 1)
        self.root = motion.root_positions()
        self.positions = np.zeros((len(self.used), motion.frames, 3))
        self.rotations = np.zeros((len(self.used), motion.frames, 3, 3))
        self.follow()

    def place(self, joint: int) -> Array:
        """World places (frames, 3) of a joint."""
        return self.positions[self.row[joint]]

    def follow(self) -> None:
        """Forward kinematics of the carrying joints."""
        self.positions[0], self.rotations[0] = self.root, self.local[0]
        for row in range(1, len(self.used)):
            self._follow_one(row)

    def _follow_one(self, row: int) -> None:
        parent = self.parents[row]
        turn = self.rotations[parent]
        self.positions[row] = self.positions[parent] + (turn @ self.offsets[row, :, :, None])[..., 0]
        np.matmul(turn, self.local[row], out=self.rotations[row])

    def reach(self, leg: Leg, target: Array) -> None:
        """Turn a leg's joints until its contact is at `target` (frames, 3), by damped least squares."""
        end_row = self.row[self.skeleton.contacts[leg.contact]]
        if leg.slides:
            self._slide(self.row[leg.movers[0]], target - self.positions[end_row])
            return
        movers = [self.row[joint] for joint in leg.movers]
        below = self.subtree(movers[0])
        way = sorted({*below} & {end_row, *self.ancestors(end_row)})
        for last in (*(False,) * (ROUNDS - 1), True):
            pull = target - self.positions[end_row]
            arms = self.positions[end_row] - self.positions[movers]
            length = (arms**2).sum((0, 2)) + 1e-9  # a foot in the very place of what carries it cannot be moved
            square = -np.einsum("mti,mtj->tij", arms, arms)
            square[:, range(3), range(3)] += ((1.0 + DAMPING) * length)[:, None]
            pull = np.linalg.solve(square, pull[..., None])[..., 0]
            for row, arm in zip(movers, arms, strict=True):
                parent = self.rotations[self.parents[row]]
                spin = rotation_from_vector((cross(arm, pull)[:, None] @ parent)[:, 0])
                self.local[row] = spin @ self.local[row]
            for row in below if last else way:
                self._follow_one(row)

    def _slide(self, row: int, pull: Array) -> None:
        self.offsets[row] += (pull[:, None] @ self.rotations[self.parents[row]])[:, 0]
        for below in self.subtree(row):
            self._follow_one(below)

    def motion(self, motion: Motion, standing: NDArray[np.bool_]) -> Motion:
        """The motion with this pose, and labels that say where its feet stand."""
        features = motion.features.copy()
        skeleton = self.skeleton
        for joint, local in zip(self.used[1:], self.local[1:], strict=True):
            features[:, joint * GROUP : (joint + 1) * GROUP] = matrix_to_six(local)
        if skeleton.bases:
            for joint, channel in zip(skeleton.translated, skeleton.translated_channels, strict=True):
                if joint in self.row:
                    features[:, channel : channel + 3] = self.offsets[self.row[joint]] - skeleton.offsets[joint]
        velocity = np.diff(self.root[:, :2], axis=0) * (motion.fps / RATE)
        root = skeleton.root_channel
        features[:, root : root + 2] = np.concatenate([velocity[:1], velocity])
        features[:, root + 2] = self.root[:, 2]
        features[:, skeleton.contact_channels] = standing
        return replace(motion, features=features)
