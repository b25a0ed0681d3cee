"""Clean feet: the root follows the standing foot, then the legs reach for where their feet stand.

GANimator optimises the whole motion for this (8.5 s for 648 frames); here each leg is solved on its own by a few damped
least-squares steps for all frames at once. Nothing but the root and the legs moves.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array
from .leg_ik import LegIK, find_legs
from .motion import Motion
from .stances import contact_runs, corrections, standing_mask

STEADY = 3.0
"""Frames over which the root's correction is smoothed; what is left of it is the legs' part."""


def clean_feet(motion: Motion, source: Motion) -> Motion:
    """Make standing feet stand, in the plane and at the height at which they stand in `source` (same skeleton).

    Raises nothing; a skeleton without contacts comes back as it is.
    """
    skeleton = motion.skeleton
    if not skeleton.contacts:
        return motion
    runs = contact_runs(motion.contact_labels())
    standing = standing_mask(runs, motion.frames)
    ground = contact_heights(source)
    pose = LegIK(motion)
    pose.root = root_from_stance(motion, pose, standing, ground)
    pose.follow()
    for leg in find_legs(skeleton):
        joint = skeleton.contacts[leg.contact]
        path = pose.place(joint)
        pose.reach(leg, path + corrections(path, runs[leg.contact], ground[leg.contact]))
    return pose.motion(motion, standing)


@lru_cache(maxsize=4)  # every variation of a batch asks for the same source
def contact_heights(source: Motion) -> Array:
    """Height (K,) of each contact joint while it stands in the source; its lowest where it never does."""
    pose = LegIK(source)
    heights = np.stack([pose.place(joint)[:, 2] for joint in source.skeleton.contacts], axis=1)
    standing = source.contact_labels() > 0.5
    return np.array(
        [
            np.median(heights[standing[:, k], k]) if standing[:, k].any() else heights[:, k].min()
            for k in range(heights.shape[1])
        ]
    )


def root_from_stance(motion: Motion, pose: LegIK, standing: NDArray[np.bool_], ground: Array) -> Array:
    """Root path (frames, 3) whose planar velocity is minus that of the standing feet beside the root.

    `paper.md`, *What three prototypes showed*: the network's own velocity counts only where no foot stands. The height
    is shifted smoothly so that the standing feet are where they stand in the source.
    """
    feet = np.stack([pose.place(joint) for joint in motion.skeleton.contacts], axis=1)
    relative = feet - pose.root[:, None]
    both = (standing[1:] & standing[:-1]).astype(float)
    count = both.sum(1)
    stance = -(np.diff(relative, axis=0)[..., :2] * both[..., None]).sum(1) / np.maximum(count, 1)[:, None]
    own = np.diff(pose.root[:, :2], axis=0)
    known = np.minimum(count, 1.0)
    near = _smooth(known, STEADY)
    error = np.stack([_smooth((stance - own)[:, k] * known, STEADY) / np.maximum(near, 0.05) for k in range(2)], axis=1)
    velocity = own + error
    root = pose.root.copy()
    root[1:, :2] = root[0, :2] + np.cumsum(velocity, axis=0)
    stands = standing.any(1)
    if stands.any():
        above = np.where(standing, feet[..., 2] - ground, np.inf).min(1)
        lift = np.interp(np.arange(motion.frames), np.flatnonzero(stands), -above[stands])
        root[:, 2] += _smooth(lift, STEADY)
    return root


def _smooth(values: Array, sigma: float) -> Array:
    """Gaussian smoothing of (frames,) values, ends held."""
    radius = int(4 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    padded = np.pad(values, radius, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")
