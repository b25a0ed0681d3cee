"""Cheats: motions made from the source without learning, which score well in the papers' figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.motion.body_parts import ROOT_PART, find_parts
from core.motion.motion import Motion
from core.motion.skeleton import GROUP
from core.numeric.rotation import Array, axis_rotation, matrix_to_six
from core.numeric.smoothing import SMOOTHING_ROWS, smooth

CHUNK_FRAMES = 45
"""Frames of a shuffled piece: 1.5 s."""

NOISE_DEGREES = 8.0

LIMB_DEGREES = 40.0
"""Constant rotation of a limb: far from the source in the sum of all joints, and nothing new."""


def all_cheats(source: Motion) -> dict[str, Motion]:
    """Return all cheats by name; cheats that keep the source's frames have its length, the others twice its length."""
    return {
        "copy": source,
        "shuffled chunks": shuffled_chunks(source),
        "white noise of 8°": with_noise(source, deviation=0.0),
        "smooth noise of 8°": with_noise(source, deviation=SMOOTHING_ROWS),
        "frozen pose": frozen_pose(source),
        "flipped labels": flipped_labels(source),
        "copy with an arm held otherwise": with_limb_turned(source),
    }


def shuffled_chunks(source: Motion, seed: int = 1) -> Motion:
    """Concatenate pieces of the source from random times without blending. Raises ValueError for too short a source."""
    count = 2 * source.frames // CHUNK_FRAMES
    starts = np.random.default_rng(seed).integers(0, source.frames - CHUNK_FRAMES, count)
    return replace(source, features=np.concatenate([source.features[start : start + CHUNK_FRAMES] for start in starts]))


def with_noise(motion: Motion, deviation: float, degrees: float = NOISE_DEGREES, seed: int = 2) -> Motion:
    """Rotate every joint about its three axes by normal noise of `degrees` standard deviation.

    `deviation` is the standard deviation, in rows, of the Gaussian that smooths the noise over time; 0: white noise.
    """
    angles = np.random.default_rng(seed).normal(size=(motion.frames, motion.skeleton.joints * 3))
    if deviation:
        angles = smooth(angles, deviation)
    angles = (angles / angles.std() * np.radians(degrees)).reshape(motion.frames, -1, 3)
    rotations: Array = motion.rotations()
    for axis in range(3):
        rotations = rotations @ axis_rotation(axis, angles[..., axis])
    features = motion.features.copy()
    features[:, : motion.skeleton.joints * GROUP] = matrix_to_six(rotations).reshape(motion.frames, -1)
    return replace(motion, features=features)


def with_limb_turned(source: Motion, degrees: float = LIMB_DEGREES) -> Motion:
    """Turn the first joint of one limb, an arm where there is one, by a constant angle."""
    parts = [part for part in find_parts(source.skeleton) if part.name != ROOT_PART]
    limb = next((part for part in parts if part.name.endswith("Arm")), parts[-1])
    own = slice(limb.joints[0] * GROUP, limb.joints[0] * GROUP + GROUP)
    features = source.features.copy()
    turn = axis_rotation(0, np.radians(degrees))
    features[:, own] = matrix_to_six(source.rotations()[:, limb.joints[0]] @ turn)
    return replace(source, features=features)


def frozen_pose(source: Motion, frame: int | None = None) -> Motion:
    """Repeat one frame for twice the source's length; by default the frame nearest to the mean pose."""
    if frame is None:
        frame = int(np.linalg.norm(source.features - source.features.mean(0), axis=1).argmin())
    return replace(source, features=np.repeat(source.features[frame : frame + 1], 2 * source.frames, axis=0))


def flipped_labels(source: Motion) -> Motion:
    """Return the source with every contact label inverted."""
    features, labels = source.features.copy(), source.skeleton.contact_channels
    features[:, labels] = 1.0 - features[:, labels]
    return replace(source, features=features)


def zeroed_labels(source: Motion) -> Motion:
    """Return the source with every contact label 0."""
    features = source.features.copy()
    features[:, source.skeleton.contact_channels] = 0.0
    return replace(source, features=features)
