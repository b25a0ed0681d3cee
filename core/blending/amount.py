"""Amount of a variation: a motion between a source and its variation, in pose, course and timing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ClipError
from ..motion.body_parts import find_parts
from ..motion.feet_cleanup import clean_feet
from ..motion.flips import repair_flips
from ..motion.motion import RATE, Motion, with_properties
from ..motion.resampling import interpolate_rows, resample
from ..motion.retarget import onto_skeleton
from ..motion.skeleton import GROUP, Skeleton
from ..numeric.rotation import Array, axis_rotation, held_yaw, matrix_to_six, six_to_matrix, wrapped
from .alignment import align


def amounts_of_parts(skeleton: Skeleton, amounts: Mapping[str, float]) -> dict[int, float]:
    """Return the amount of each joint of body parts, given by name. Raises ClipError for a part that there is not."""
    known = {part.name: part.joints for part in find_parts(skeleton)}
    for name in amounts:
        if name not in known:
            raise ClipError(f"There is no body part “{name}”; choose of {', '.join(known)}.")
    return {joint: amount for name, amount in amounts.items() for joint in known[name]}


@dataclass(frozen=True, eq=False)
class Amount:
    """A source and its variation, aligned in time once; `at` returns the motion at any amount."""

    source: Motion
    variation: Motion
    rows: tuple[Array, Array]

    @staticmethod
    def between(source: Motion, variation: Motion) -> Amount:
        """Align a variation with its source. Raises ClipError for motions of different skeletons."""
        if not source.skeleton.same_rig(variation.skeleton):
            raise ClipError("The variation and its source move different bones; generate it again.")
        variation = onto_skeleton(variation, source.skeleton)  # read by itself, it may have other feet
        source = resample(source, variation.fps) if source.fps != variation.fps else source
        return Amount(source, variation, align(source, variation))

    def at(self, amount: float, of_joints: Mapping[int, float] | None = None) -> Motion:
        """Return the motion at an amount: 0 is the source, 1 the variation, above 1 more than it.

        `of_joints` are other amounts of some joints. Course, timing and length have the root's. Feet stand where they
        stand in both, or in the one that counts more. Raises ClipError for amounts outside 0 to 2.
        """
        skeleton = self.source.skeleton
        amounts = np.full(skeleton.joints, amount)
        for joint, own in (of_joints or {}).items():
            amounts[joint] = own
        if not ((amounts >= 0.0) & (amounts <= 2.0)).all():
            raise ClipError("The amount of a variation must be from 0 to 2.")
        for motion, all_of_it in ((self.source, 0.0), (self.variation, 1.0)):
            if (amounts == all_of_it).all():
                return motion
        blended = repair_flips(self._blended(amounts), self.source)
        carrying = amounts[_joints_above(skeleton.parents, skeleton.contacts)]
        # Legs that are all of one of them stand as they do there.
        return blended if (carrying == 0.0).all() or (carrying == 1.0).all() else clean_feet(blended, self.source)

    def _blended(self, amounts: Array) -> Motion:
        skeleton, root = self.source.skeleton, float(amounts[0])
        pair = (self.source, self.variation)
        at = self._row_pairs(root)
        one, other = (interpolate_rows(motion.features, rows) for motion, rows in zip(pair, at, strict=True))
        features = one + _channel_amounts(self.source, amounts) * (other - one)
        yaws = [_yaw(motion, rows) for motion, rows in zip(pair, at, strict=True)]
        # Variations may turn the other way: the angles between are taken from the difference at the first row on.
        difference = yaws[1] - yaws[0]
        yaw = yaws[0] + root * (difference - difference[0] + wrapped(difference[:1]))
        features[:, :GROUP] = _root_rotations((one, other), yaws, yaw, root)
        channel, pace = skeleton.root_channel, RATE / self.source.fps
        plane = np.zeros((len(yaw), 2))
        for motion, rows, own, share in zip(pair, at, yaws, (1.0 - root, root), strict=True):
            steps = np.diff(interpolate_rows(motion.root_positions()[:, :2], rows), axis=0)
            turn = axis_rotation(2, (yaw - own)[1:])[:, :2, :2]
            plane[1:] += share * np.einsum("tij,tj->ti", turn, steps) / pace
        plane[0] = plane[1]
        features[:, channel : channel + 2] = plane
        contacts = skeleton.contact_channels
        features[:, contacts] = features[:, contacts] > 0.5
        blended = Motion(features, skeleton, self.source.fps, self.source.origin)
        if not skeleton.properties:
            return blended
        return with_properties(blended, blended.property_values())

    def _row_pairs(self, root: float) -> tuple[Array, Array]:
        """Return the rows (T,) of source and variation that each new row is made of."""
        share = min(root, 1.0)
        times = (1.0 - share) * self.rows[0] + share * self.rows[1]
        frames = max(2, round(float(times[-1])) + 1)
        wanted = np.linspace(0.0, times[-1], frames)
        # Equal times are moved apart by nothing that counts, since they have to increase.
        rising = times + np.linspace(0.0, 1e-6, len(times))
        one, other = (np.interp(wanted, rising, rows) for rows in self.rows)
        return one, other


def _joints_above(parents: Sequence[int], joints: Sequence[int]) -> list[int]:
    """Return some joints and all between them and the root."""
    found: set[int] = set()
    for joint in joints:
        while joint >= 0:
            found.add(joint)
            joint = parents[joint]
    return sorted(found)


def _channel_amounts(source: Motion, amounts: Array) -> Array:
    """Return the amount of each channel (C,): that of its joint, and the root's of all that belong to none."""
    skeleton = source.skeleton
    channels = np.full(skeleton.channels, amounts[0])
    channels[: skeleton.joints * GROUP] = np.repeat(amounts, GROUP)
    for joint, channel in zip(skeleton.translated, skeleton.translated_channels, strict=True):
        channels[channel : channel + 3] = amounts[joint]
    channels[skeleton.contact_channels] = amounts[list(skeleton.contacts)]
    return channels


def _yaw(motion: Motion, rows: Array) -> Array:
    """Return the continuous yaw (N,) of the root at fractional rows."""
    yaw = np.unwrap(held_yaw(motion.rotations()[:, 0]))
    return np.asarray(interpolate_rows(yaw[:, None], rows)[:, 0])


def _root_rotations(rows: Sequence[Array], yaws: Sequence[Array], yaw: Array, amount: float) -> Array:
    """Return the root's rotation (T, 6) between two, each without its yaw, turned by `yaw`."""
    upright = [
        matrix_to_six(axis_rotation(2, -own) @ six_to_matrix(one[:, :GROUP]))
        for one, own in zip(rows, yaws, strict=True)
    ]
    between = upright[0] + amount * (upright[1] - upright[0])
    return matrix_to_six(axis_rotation(2, yaw) @ six_to_matrix(between))
