"""Between a motion's features and what the networks see: the learned channels, scaled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .motion import Motion
from .rotation import Array
from .skeleton import GROUP, Skeleton


def learned_channels(learned: Sequence[int]) -> NDArray[np.int64]:
    """Feature columns of the learned groups."""
    return (np.asarray(learned)[:, None] * GROUP + np.arange(GROUP)).reshape(-1)


def channel_gain(skeleton: Skeleton, learned: Sequence[int], root_gain: float) -> Array:
    """What each learned channel is multiplied with: `root_gain` for velocities and moving offsets, 1 for the rest.

    The root's height keeps its size, which is already that of a rotation's numbers.
    """
    gain = np.ones(skeleton.channels)
    gain[skeleton.root_channel : skeleton.root_channel + 2] = root_gain
    for channel in skeleton.translated_channels:
        gain[channel : channel + 3] = root_gain
    return gain[learned_channels(learned)]


def to_network(motion: Motion, learned: Sequence[int], gain: Array) -> NDArray[np.float32]:
    """Features as (1, learned channels, frames)."""
    return np.ascontiguousarray((motion.features[:, learned_channels(learned)] * gain).T[None], dtype=np.float32)


def from_network(rows: NDArray[np.float32], source: Motion, learned: Sequence[int], gain: Array) -> Motion:
    """A motion from network output (learned channels, frames); channels that were not learned keep their mean.

    Contact labels come out between 0 and 1.
    """
    skeleton = source.skeleton
    features = np.repeat(source.features.mean(0, keepdims=True), rows.shape[1], axis=0)
    features[:, learned_channels(learned)] = rows.T.astype(np.float64) / gain
    labels = skeleton.contact_channels
    features[:, labels] = features[:, labels].clip(0.0, 1.0)
    return Motion(features, skeleton, source.fps, source.origin)
