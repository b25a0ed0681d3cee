"""Sparse rows: what a few bones and the root do, comparable between bodies of different shape and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..motion.legs import leg_roots
from ..motion.motion import Motion, forward_kinematics
from ..motion.skeleton import BODY
from ..numeric.rotation import Array, axis_rotation, vector_from_rotation
from ..numeric.smoothing import smooth
from .facing import Course

MIN_SPREAD = {"position": 0.01 * BODY, "velocity": 0.001 * BODY, "rotation": 0.1, "speed": 0.002 * BODY}
"""Spread of each kind of number below which it counts as still, in core units, those a frame, and radians."""

WEIGHTS = {"position": 1.0, "velocity": 0.7, "rotation": 0.15, "speed": 0.5, "standing": 6.0}
"""Weights of the kinds of numbers of one bone; those of a kind share it."""

STANDING_SPREAD = 0.25
"""Variance of the numbers that tell whether a foot stands; those of other kinds have 1."""

FOOT_SHARE = 2.0
"""Weight of a foot beside that of other bones: feet tell the time of a step."""

STEP_SMOOTHING = 1.0
"""Standard deviation, in rows, of the Gaussian over the speed of feet."""

SWING_PERCENTILE = 95
"""Percentile of a foot's speed that counts as that of its swing."""

STILL_SHARE = 0.3
"""Share of its speed in the swing at which a foot is half still."""

Numbers = dict[str, Array]
"""Numbers (T, N) of a bone by kind."""


@dataclass(frozen=True, eq=False)
class SparseClip:
    """Numbers of some joints of a motion at 30 fps that stands on the ground, not on a treadmill.

    `swings` has the speed of each foot in its swing; 0 for joints that are no feet, or never swing.
    """

    numbers: list[Numbers]
    swings: list[float]

    @staticmethod
    def of(motion: Motion, course: Course, joints: Sequence[int], swings: Sequence[float] | None = None) -> SparseClip:
        """Read a motion; `swings` are those of the clip that it varies, or else its own."""
        positions, rotations = forward_kinematics(
            motion.skeleton, motion.rotations(), motion.root_positions(), motion.local_offsets()
        )
        spin = axis_rotation(2, -course.heading)
        below = np.concatenate([course.plane, np.zeros((motion.frames, 1))], axis=1)
        speeds = [_foot_speed(motion, positions, joint) for joint in joints]
        if swings is None:
            swings = [float(np.percentile(speed, SWING_PERCENTILE)) if len(speed) else 0.0 for speed in speeds]
        result = []
        for joint, speed, swing in zip(joints, speeds, swings, strict=True):
            place = np.einsum("tij,tj->ti", spin, positions[:, joint] - below)
            turned = spin @ rotations[:, joint]
            # bones of two bodies have other axes at rest: turns count from the mean
            turn = vector_from_rotation(turned @ _mean_rotation(turned).T)
            numbers = {"position": place, "velocity": np.gradient(place, axis=0), "rotation": turn}
            if swing > MIN_SPREAD["velocity"]:
                numbers["standing"] = 1.0 / (1.0 + (speed / (STILL_SHARE * swing)) ** 2)
            result.append(numbers)
        along = np.einsum("tij,tj->ti", spin[:, :2, :2], np.gradient(course.plane, axis=0))
        result[0]["speed"] = np.concatenate([along, np.gradient(course.heading)[:, None]], axis=1)
        return SparseClip(result, list(swings))


def comparable(driver: SparseClip, clips: Sequence[SparseClip]) -> tuple[Array, list[Array]]:
    """Return rows of the driver (T, D) and of clips of one body (N, D) whose squared distance is about 1 at random.

    Each number counts less its mean in the driver or in the first of the clips, and by its spread there.
    """
    rows: list[list[Array]] = [[] for _ in (driver, *clips)]
    total = 0.0
    for number, (there, here) in enumerate(zip(driver.numbers, clips[0].numbers, strict=True)):
        share = FOOT_SHARE if "standing" in there and "standing" in here else 1.0
        for kind in (kind for kind in there if kind in here):
            weight = share * WEIGHTS[kind]
            total += 2.0 * weight * (STANDING_SPREAD if kind == "standing" else 1.0)
            scale = np.sqrt(weight / there[kind].shape[1])
            rows[0].append(scale * _standard(there[kind], there[kind], kind))
            for list_of, clip in zip(rows[1:], clips, strict=True):
                list_of.append(scale * _standard(clip.numbers[number][kind], here[kind], kind))
    whole = [np.concatenate(parts, axis=1) / np.sqrt(total) for parts in rows]
    return whole[0], whole[1:]


def _standard(numbers: Array, of: Array, kind: str) -> Array:
    """Return numbers (T, N) less the mean of others and by their spread; those that hardly move count less."""
    if kind == "standing":
        return numbers
    return np.asarray((numbers - of.mean(0)) / np.sqrt(of.var(0) + MIN_SPREAD[kind] ** 2))


def _foot_speed(motion: Motion, positions: Array, joint: int) -> Array:
    """Return the speed (T, 1) of the slowest contact on a joint's leg; empty for a joint of no leg that touches the
    ground.
    """
    skeleton = motion.skeleton
    legs = [skeleton.subtree(root) for root in leg_roots(skeleton)]
    leg = next((leg for leg in legs if joint in leg), [joint])
    feet = [one for one in skeleton.contacts if one in leg]
    if not feet:
        return np.empty((0, 1))
    speeds = np.linalg.norm(np.gradient(positions[:, feet], axis=0), axis=2).min(1)
    return smooth(speeds[:, None], STEP_SMOOTHING, "repeat")


def _mean_rotation(rotations: Array) -> Array:
    u, _, v = np.linalg.svd(rotations.mean(0))
    u[:, 2] *= np.linalg.det(u @ v)
    return np.asarray(u @ v)
