"""Inverse kinematics of a whole body by damped least squares, for several frames at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..motion.motion import Motion
from ..motion.skeleton import BODY, Skeleton
from ..numeric.rotation import Array, rotation_from_vector, vector_from_rotation

ITERATIONS = 40
"""Damped least-squares steps."""

DAMPING = 1e-4
"""Damping as a share of what a joint of the limb moves; it keeps a stretched limb from snapping."""

MOST_TURN = 0.4
"""Largest turn of a joint in radians in one step."""

HEAVY = 30.0
"""Factor by which a joint that carries the whole body turns less than one that carries nothing."""

LIMB_SHARE = 0.3
"""Largest share of the body, by length, that a limb's joint carries: an arm with its hand does not carry the other."""

ROOT_MOBILITY = 0.08
"""Mobility of the root's position in square core units, where that of a light joint is 1 square radian."""

TURN_ARM = 0.15 * BODY
"""Lever in core units by which an error of a direction counts as one of a place."""

CLOSE = 1e-5 * BODY
"""Error in core units at which the search ends."""

STEADY = 1e-3
"""Share of its cost that a step saves at least; where less is saved in every frame, the search ends."""


@dataclass(frozen=True, eq=False)
class Hold:
    """Joint to hold at `places` (F, 3), turned as `turns` (F, 3, 3) if given, in frames with a weight (F,) above 0."""

    joint: int
    weights: Array
    places: Array
    turns: Array | None = None


class BodyIK:
    """Pose of a motion in some rows, of which joints are moved until they hold.

    `local` (J, F, 3, 3) and `offsets` (J, F, 3) are those of all joints, `root` (F, 3) the root's places.
    """

    def __init__(self, motion: Motion, rows: NDArray[np.int64]) -> None:
        self.skeleton = motion.skeleton
        self.local = motion.rotations()[rows].swapaxes(0, 1).copy()
        self.offsets = motion.local_offsets()[rows].swapaxes(0, 1).copy()
        self.root = motion.root_positions()[rows].copy()
        self.update()

    def update(self) -> None:
        """Recompute world positions (J, F, 3) and rotations (J, F, 3, 3) by forward kinematics."""
        self.positions, self.rotations = np.empty_like(self.offsets), np.empty_like(self.local)
        self.positions[0], self.rotations[0] = self.root, self.local[0]
        for joint in range(1, self.skeleton.joints):
            parent = self.skeleton.parents[joint]
            turn = self.rotations[parent]
            self.positions[joint] = self.positions[parent] + (turn @ self.offsets[joint, :, :, None])[..., 0]
            self.rotations[joint] = turn @ self.local[joint]

    def solve(self, holds: Sequence[Hold], movers: Sequence[int], *, root_moves: bool) -> None:
        """Turn joints `movers`, and move the root if it may, until the holds are met as far as they can be."""
        used = {joint for hold in holds for joint in (hold.joint, *self.skeleton.ancestors(hold.joint))}
        turning = [joint for joint in movers if joint in used]
        sliding = [joint for joint in turning if joint in self.skeleton.translated and self.skeleton.reference_frames]
        weights = mobilities(self.skeleton)
        errors, slopes = self._system(holds, turning, sliding)
        damping = np.full(len(self.root), DAMPING * BODY**2)
        for _ in range(ITERATIONS):
            if np.abs(errors).max() < CLOSE:
                return
            before, costs = (self.local.copy(), self.offsets.copy(), self.root.copy()), (errors**2).sum(1)
            self._step(errors, slopes, damping, turning, sliding, weights, root_moves)
            self.update()
            errors, slopes = self._system(holds, turning, sliding)
            worse = (errors**2).sum(1) > costs
            damping *= np.where(worse, 8.0, 0.5)
            damping = np.maximum(damping, DAMPING * BODY**2)
            if worse.any():
                self._take_back(before, worse)
                errors, slopes = self._system(holds, turning, sliding)
            elif ((errors**2).sum(1) >= (1.0 - STEADY) * costs).all():
                return

    def _take_back(self, before: tuple[Array, Array, Array], frames: NDArray[np.bool_]) -> None:
        """Restore the pose of some frames."""
        local, offsets, root = before
        self.local[:, frames], self.offsets[:, frames] = local[:, frames], offsets[:, frames]
        self.root[frames] = root[frames]
        self.update()

    def _step(
        self,
        errors: Array,
        slopes: Array,
        damping: Array,
        turning: list[int],
        sliding: list[int],
        weights: Array,
        root_moves: bool,
    ) -> None:
        """Move the joints by one step with a damping (F,); `slopes` (F, E, M, 3) are those of errors (F, E)."""
        mobility = np.concatenate([np.repeat(weights[turning, None], 3, axis=1), np.ones((len(sliding) + 1, 3))])
        if self.skeleton.upright and 0 in turning:
            mobility[turning.index(0), :2] = 0.0  # this joint turns about the vertical alone
        mobility[-1] = ROOT_MOBILITY if root_moves else 0.0
        scaled = slopes * mobility
        frames, count = errors.shape
        square = scaled.reshape(frames, count, -1) @ slopes.reshape(frames, count, -1).swapaxes(-1, -2)
        square[:, range(count), range(count)] += damping[:, None]
        pull = np.linalg.solve(square, errors[..., None])
        moves = np.einsum("femc,fe->mfc", scaled, pull[..., 0])
        for joint, turn in zip(turning, moves, strict=False):
            length = np.linalg.norm(turn, axis=-1, keepdims=True)
            spin = turn * np.minimum(1.0, MOST_TURN / np.maximum(length, 1e-12))
            parent = self.skeleton.parents[joint]
            if parent >= 0:
                spin = (spin[:, None] @ self.rotations[parent])[:, 0]
            self.local[joint] = rotation_from_vector(spin) @ self.local[joint]
        for joint, slide in zip(sliding, moves[len(turning) :], strict=False):
            self.offsets[joint] += (slide[:, None] @ self.rotations[self.skeleton.parents[joint]])[:, 0]
        self.root += moves[-1]

    def _system(self, holds: Sequence[Hold], turning: list[int], sliding: list[int]) -> tuple[Array, Array]:
        """Return the weighted errors (F, E) and their slopes (F, E, M, 3)."""
        frames, errors, slopes = len(self.root), [], []
        for hold in holds:
            above = {hold.joint, *self.skeleton.ancestors(hold.joint)}
            place = self.positions[hold.joint]
            slope = np.zeros((frames, 3, len(turning) + len(sliding) + 1, 3))
            for column, joint in enumerate(turning):
                if joint in above and joint != hold.joint:
                    slope[:, :, column] = -_skew(place - self.positions[joint])
            for column, joint in enumerate(sliding, start=len(turning)):
                if joint in above:
                    slope[:, :, column] = np.eye(3)
            slope[:, :, -1] = np.eye(3)
            errors.append(hold.weights[:, None] * (hold.places - place))
            slopes.append(hold.weights[:, None, None, None] * slope)
            if hold.turns is not None:
                weight = hold.weights * TURN_ARM
                turn = vector_from_rotation(hold.turns @ self.rotations[hold.joint].swapaxes(-1, -2))
                slope = np.zeros_like(slope)
                for column, joint in enumerate(turning):
                    if joint in above:
                        slope[:, :, column] = np.eye(3)
                errors.append(weight[:, None] * turn)
                slopes.append(weight[:, None, None, None] * slope)
        return np.concatenate(errors, axis=1), np.concatenate(slopes, axis=1)


def mobilities(skeleton: Skeleton) -> Array:
    """Return how readily each joint (J,) turns: 1 for one that carries nothing, little for one that carries all."""
    return np.asarray(1.0 / (1.0 + HEAVY * carried_shares(skeleton) ** 2))


def carried_shares(skeleton: Skeleton) -> Array:
    """Return the share (J,) of the body, by length, that each joint carries."""
    carried = np.linalg.norm(skeleton.offsets, axis=1)
    carried[0] = 0.0
    for joint in range(skeleton.joints - 1, 0, -1):
        carried[skeleton.parents[joint]] += carried[joint]
    return np.asarray(carried / max(float(carried[0]), 1e-9))


def limb_of(skeleton: Skeleton, joint: int) -> list[int]:
    """Return the joints of the limb that ends with a joint, its top last: none carries more than LIMB_SHARE."""
    shares, limb = carried_shares(skeleton), [joint]
    while (above := skeleton.parents[limb[-1]]) > 0 and shares[above] <= LIMB_SHARE:
        limb.append(above)
    return limb


def _skew(vectors: Array) -> Array:
    """Return the matrices (F, 3, 3) of the cross products with vectors (F, 3)."""
    result = np.zeros((*vectors.shape, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        result[:, j, i], result[:, i, j] = vectors[:, k], -vectors[:, k]
    return result
