"""Foot clean-up: move the root with the standing foot, then solve each leg so that its foot stands still.

GANimator optimises the whole motion for this (8.5 s for 648 frames). Here each leg is solved on its own by a few damped
least-squares steps for all frames at once. Only the root and the legs change.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array
from ..numeric.smoothing import smooth
from .leg_ik import LegIK, find_legs
from .motion import RATE, Motion
from .stances import contact_runs, stance_corrections, standing_mask
from .treadmill import belt_velocity

ROOT_SMOOTHING = 3.0
"""Standard deviation in frames of the Gaussian that smooths the root's correction; the legs make up the rest."""


def clean_feet(motion: Motion, source: Motion) -> Motion:
    """Keep standing feet in place, at the height at which they stand in `source` (same skeleton).

    Where the source walks on a treadmill, feet are kept on the belt and the root in its place. A motion without contact
    joints is returned unchanged.
    """
    skeleton = motion.skeleton
    if not skeleton.contacts:
        return motion
    belt = belt_of(source)
    motion = seen_from_belt(motion, belt)
    runs = contact_runs(motion.contact_labels())
    standing = standing_mask(runs, motion.frames)
    ground = contact_heights(source)
    pose = LegIK(motion)
    root = root_from_stance(motion, pose, standing, ground)
    pose.root = np.concatenate([pose.root[:, :2], root[:, 2:]], axis=1) if any(belt) else root
    pose.update()
    for leg in find_legs(skeleton):
        joint = skeleton.contacts[leg.contact]
        path = pose.path_of(joint)
        pose.solve(leg, path + stance_corrections(path, runs[leg.contact], ground[leg.contact]))
    return seen_from_belt(pose.motion(motion, standing), (-belt[0], -belt[1]))


@lru_cache(maxsize=4)
def belt_of(source: Motion) -> tuple[float, float]:
    """Return the planar velocity, in core units per 1/30 s, of the belt under a walk in place; else zeros."""
    contacts = list(source.skeleton.contacts)
    if not contacts:
        return 0.0, 0.0
    feet = source.positions()[:, contacts]
    root = source.features[:, source.skeleton.root_channel : source.skeleton.root_channel + 2]
    x, y = belt_velocity(np.gradient(feet, axis=0) * (source.fps / RATE), feet[..., 2], root.mean(axis=0))
    return float(x), float(y)


def seen_from_belt(motion: Motion, belt: tuple[float, float]) -> Motion:
    """Return the motion as it looks from a belt of this velocity: a walk in place walks over ground that stands."""
    if not any(belt):
        return motion
    features = motion.features.copy()
    root = motion.skeleton.root_channel
    features[:, root : root + 2] -= belt
    return replace(motion, features=features)


@lru_cache(maxsize=4)  # every variation of a batch asks for the same source
def contact_heights(source: Motion) -> Array:
    """Return the median height (K,) of each contact joint while it stands in the source, else its minimum."""
    pose = LegIK(source)
    heights = np.stack([pose.path_of(joint)[:, 2] for joint in source.skeleton.contacts], axis=1)
    standing = source.contact_labels() > 0.5
    return np.array(
        [
            np.median(heights[standing[:, k], k]) if standing[:, k].any() else heights[:, k].min()
            for k in range(heights.shape[1])
        ]
    )


def slide_more(motion: Motion, source: Motion) -> bool:
    """Return whether feet slide more, on the ground or belt of `source` (same skeleton), than the source's do."""
    return slide_speed(seen_from_belt(motion, belt_of(source))) > source_slide_speed(source)


def slide_speed(motion: Motion) -> float:
    """Return the mean speed (core units a frame) of contact joints while their labels are on; 0 where none ever is."""
    planted = motion.contact_labels()[1:] > 0.5
    if not planted.any():
        return 0.0
    pose = LegIK(motion)
    feet = np.stack([pose.path_of(joint) for joint in motion.skeleton.contacts], axis=1)
    return float(np.linalg.norm(np.diff(feet, axis=0), axis=2)[planted].mean())


@lru_cache(maxsize=4)  # every variation of a batch asks for the same source
def source_slide_speed(source: Motion) -> float:
    """Return the slide speed of a source's feet on its ground or belt, see `slide_speed`."""
    return slide_speed(seen_from_belt(source, belt_of(source)))


def root_from_stance(motion: Motion, pose: LegIK, standing: NDArray[np.bool_], ground: Array) -> Array:
    """Compute a root path (frames, 3) with the planar velocity that keeps the standing feet in place.

    The generated velocity is used only where no foot stands. The height is shifted smoothly so that standing feet have
    the heights `ground` (K,) of the source.
    """
    feet = np.stack([pose.path_of(joint) for joint in motion.skeleton.contacts], axis=1)
    relative = feet - pose.root[:, None]
    both = (standing[1:] & standing[:-1]).astype(float)
    count = both.sum(1)
    stance = -(np.diff(relative, axis=0)[..., :2] * both[..., None]).sum(1) / np.maximum(count, 1)[:, None]
    generated = np.diff(pose.root[:, :2], axis=0)
    known = np.minimum(count, 1.0)
    near = smooth(known, ROOT_SMOOTHING, "repeat")
    error = smooth((stance - generated) * known[:, None], ROOT_SMOOTHING, "repeat") / np.maximum(near, 0.05)[:, None]
    velocity = generated + error
    root = pose.root.copy()
    root[1:, :2] = root[0, :2] + np.cumsum(velocity, axis=0)
    stands = standing.any(1)
    if stands.any():
        above = np.where(standing, feet[..., 2] - ground, np.inf).min(1)
        lift = np.interp(np.arange(motion.frames), np.flatnonzero(stands), -above[stands])
        root[:, 2] += smooth(lift, ROOT_SMOOTHING, "repeat")
    return root
