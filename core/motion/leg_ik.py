"""Inverse kinematics of legs by damped least squares, for all frames at once."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array, cross, matrix_to_six, rotation_from_vector, six_to_matrix
from ..numeric.tree import Tree
from .motion import RATE, Motion
from .skeleton import GROUP, Skeleton

IK_ITERATIONS = 4
"""Damped least-squares steps of each leg."""

DAMPING = 0.01
"""Damping as a share of a leg's squared length; it keeps a stretched knee from snapping."""

STEADY_ITERATIONS = 16
"""Most steps of a leg that must not move away from its target."""

MOST_TURN = 0.4
"""Largest turn of a joint in radians in one of these steps."""

STRAIGHT = 0.05
"""Sine of a leg's bend at which its usual plane counts as much as its own."""

CLOSE = 2e-5
"""Distance in core units from the target at which they end."""


@dataclass(frozen=True)
class Leg:
    """Contact joint with the joints that may turn to place it."""

    contact: int
    """Index into the skeleton's contacts."""
    movers: tuple[int, ...]
    """Joints that turn, top first, or the one control that is moved."""
    slides: bool = False
    """True if the mover is a control that is translated; the rig's own IK then moves the leg."""


def find_legs(skeleton: Skeleton) -> list[Leg]:
    """Return a leg for each contact, contacts with fewer ancestors first.

    A leg is the control that places its contact, else the joints from the contact up to the next contact above or to
    the body: the first ancestor that another leg shares, or the root.
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
    """Return the translated control that carries a foot, or -1 where a leg or another contact carries it."""
    for above in (joint, *skeleton.ancestors(joint)) if skeleton.reference_frames else ():
        if above != joint and above in skeleton.contacts:
            break
        if above in skeleton.translated:
            return above
    return -1


def _is_shared(skeleton: Skeleton, ancestor: int, joint: int) -> bool:
    """Return true if `ancestor` also carries a contact of another leg."""
    chain = {joint, *skeleton.ancestors(joint)}
    for other in skeleton.contacts:
        above = skeleton.ancestors(other)
        if other not in chain and joint not in above and ancestor in above:
            return True
    return False


class LegIK(Tree):
    """World positions and rotations of the contact joints and their ancestors, in all frames.

    Arrays hold only the `used` joints, root first; `row` maps a joint to its row.
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
        self.update()

    def path_of(self, joint: int) -> Array:
        """Return the world positions (frames, 3) of a joint."""
        return self.positions[self.row[joint]]

    def update(self) -> None:
        """Recompute world positions and rotations by forward kinematics."""
        self.positions[0], self.rotations[0] = self.root, self.local[0]
        for row in range(1, len(self.used)):
            self._update_row(row)

    def _update_row(self, row: int) -> None:
        parent = self.parents[row]
        turn = self.rotations[parent]
        self.positions[row] = self.positions[parent] + (turn @ self.offsets[row, :, :, None])[..., 0]
        np.matmul(turn, self.local[row], out=self.rotations[row])

    def solve(self, leg: Leg, target: Array) -> None:
        """Move a leg's contact to `target` (frames, 3) by damped least squares, or by translating its control."""
        end_row = self.row[self.skeleton.contacts[leg.contact]]
        if leg.slides:
            self._slide(self.row[leg.movers[0]], target - self.positions[end_row])
            return
        movers = [self.row[joint] for joint in leg.movers]
        below, way = self.subtree(movers[0]), self._way(movers[0], end_row)
        for last in (*(False,) * (IK_ITERATIONS - 1), True):
            turns = self._turns(end_row, movers, target - self.positions[end_row], DAMPING)
            for row, turn in zip(movers, turns, strict=True):
                self.local[row] = rotation_from_vector(turn) @ self.local[row]
            self._update_rows(below if last else way)

    def _way(self, top: int, end_row: int) -> list[int]:
        """Return the rows from a joint down to the one at `end_row`."""
        return sorted({*self.subtree(top)} & {end_row, *self.ancestors(end_row)})

    def _turns(self, end_row: int, movers: list[int], pull: Array, damping: float | Array) -> list[Array]:
        """Return the turns (T, 3) of joints, in their parents' axes, by which one at `end_row` is pulled (T, 3); by
        damped least squares.
        """
        arms = self.positions[end_row] - self.positions[movers]
        length = (arms**2).sum((0, 2)) + 1e-9  # avoids dividing by zero for a foot at the position of its movers
        square = -np.einsum("mti,mtj->tij", arms, arms)
        square[:, range(3), range(3)] += ((1.0 + damping) * length)[:, None]
        pull = np.linalg.solve(square, pull[..., None])[..., 0]
        pairs = zip(movers, arms, strict=True)
        return [(cross(arm, pull)[:, None] @ self.rotations[self.parents[row]])[:, 0] for row, arm in pairs]

    def solve_steadily(self, leg: Leg, target: Array) -> None:
        """Move a leg's contact to `target` (frames, 3) as `solve` does, never away from it, as near as it can reach.

        Poses of frames in which it is there already do not change.
        """
        end_row = self.row[self.skeleton.contacts[leg.contact]]
        if leg.slides:
            self._slide(self.row[leg.movers[0]], target - self.positions[end_row])
            return
        frames = np.flatnonzero(np.linalg.norm(target - self.positions[end_row], axis=1) > CLOSE)
        movers = [self.row[joint] for joint in leg.movers]
        if len(frames):
            part = self._in_frames(frames)
            if len(movers) == 2:
                part._bend(end_row, movers, target[frames], self._hinge(end_row, movers))
            part._approach(end_row, movers, target[frames])
            self.local[np.array(movers)[:, None], frames] = part.local[movers]
            self._update_rows(self.subtree(movers[0]))

    def _in_frames(self, frames: NDArray[np.int64]) -> LegIK:
        """Return the pose in some frames."""
        part = copy.copy(self)
        part.local, part.offsets, part.root = self.local[:, frames], self.offsets[:, frames], self.root[frames]
        part.positions, part.rotations = self.positions[:, frames], self.rotations[:, frames]
        return part

    def _hinge(self, end_row: int, movers: list[int]) -> Array:
        """Return the axis (3,) about which a leg of two joints bends in this motion, seen from its upper part."""
        upper, lower = self.positions[movers[1]] - self.positions[movers[0]], self.positions[end_row]
        bends = cross(upper, lower - self.positions[movers[1]])
        mean = (bends[:, None] @ self.rotations[self.parents[movers[1]]])[:, 0].mean(0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))

    def _bend(self, end_row: int, movers: list[int], target: Array, hinge: Array) -> None:
        """Bend a leg of two joints as far as its target is away, by the law of cosines.

        It bends in its own plane; a straight leg, which has none, bends about its `hinge`.
        """
        top, middle = movers
        upper, lower = self.positions[middle] - self.positions[top], self.positions[end_row] - self.positions[middle]
        a, b = (np.linalg.norm(part, axis=1) for part in (upper, lower))
        away = np.linalg.norm(target - self.positions[top], axis=1).clip(np.abs(a - b), a + b)
        cosine = ((away**2 - a**2 - b**2) / np.maximum(2.0 * a * b, 1e-12)).clip(-1.0, 1.0)[:, None]
        along = upper / np.maximum(a, 1e-12)[:, None]
        usual = (self.rotations[self.parents[middle]] @ hinge[:, None])[..., 0]
        normal = cross(along, lower / np.maximum(b, 1e-12)[:, None]) + STRAIGHT * cross(cross(along, usual), along)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        wanted = b[:, None] * (cosine * along + np.sqrt(1.0 - cosine**2) * cross(normal, along))
        self._turn(middle, lower, wanted)
        self._update_rows(self._way(middle, end_row))

    def _turn(self, row: int, now: Array, wanted: Array) -> None:
        """Turn a joint by the least turn that brings directions (T, 3) to others."""
        axis = cross(now, wanted)
        sine = np.linalg.norm(axis, axis=1)
        angle = np.arctan2(sine, (now * wanted).sum(1))
        turn = axis * (angle / np.maximum(sine, 1e-12))[:, None]
        self.local[row] = (
            rotation_from_vector((turn[:, None] @ self.rotations[self.parents[row]])[:, 0]) @ self.local[row]
        )

    def _approach(self, end_row: int, movers: list[int], target: Array) -> None:
        """Turn joints until the one at `end_row` is near `target`; steps that lead away from it are taken back."""
        way = self._way(movers[0], end_row)
        # the whole leg is aimed first: from there on it only bends, alike in all frames
        self._turn(movers[0], self.positions[end_row] - self.positions[movers[0]], target - self.positions[movers[0]])
        self._update_rows(way)
        damping = np.full(len(target), DAMPING)
        pull = target - self.positions[end_row]
        for _ in range(STEADY_ITERATIONS):
            far = np.linalg.norm(pull, axis=1)
            if far.max() < CLOSE:
                return
            before = self.local[movers]
            for row, turn in zip(movers, self._turns(end_row, movers, pull, damping), strict=True):
                angle = np.linalg.norm(turn, axis=1, keepdims=True)
                spin = rotation_from_vector(turn * np.minimum(1.0, MOST_TURN / np.maximum(angle, 1e-12)))
                self.local[row] = spin @ self.local[row]
            self._update_rows(way)
            pull = target - self.positions[end_row]
            worse = np.linalg.norm(pull, axis=1) > far
            damping = np.maximum(DAMPING, damping * np.where(worse, 8.0, 0.3))
            if worse.any():
                self.local[np.array(movers)[:, None], np.flatnonzero(worse)] = before[:, worse]
                self._update_rows(way)
                pull = target - self.positions[end_row]

    def _update_rows(self, rows: list[int]) -> None:
        for row in rows:
            self._update_row(row)

    def _slide(self, row: int, pull: Array) -> None:
        self.offsets[row] += (pull[:, None] @ self.rotations[self.parents[row]])[:, 0]
        for below in self.subtree(row):
            self._update_row(below)

    def motion(self, motion: Motion, standing: NDArray[np.bool_]) -> Motion:
        """Return `motion` with this pose and contact labels `standing` (frames, K)."""
        features = motion.features.copy()
        skeleton = self.skeleton
        for joint, local in zip(self.used[1:], self.local[1:], strict=True):
            features[:, joint * GROUP : (joint + 1) * GROUP] = matrix_to_six(local)
        if skeleton.reference_frames:
            for joint, channel in zip(skeleton.translated, skeleton.translated_channels, strict=True):
                if joint in self.row:
                    features[:, channel : channel + 3] = self.offsets[self.row[joint]] - skeleton.offsets[joint]
        velocity = np.diff(self.root[:, :2], axis=0) * (motion.fps / RATE)
        root = skeleton.root_channel
        features[:, root : root + 2] = np.concatenate([velocity[:1], velocity])
        features[:, root + 2] = self.root[:, 2]
        features[:, skeleton.contact_channels] = standing
        return replace(motion, features=features)
