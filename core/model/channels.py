"""Conversion between a motion's features and network rows: learned groups and joint PCAs, ordered by cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..files.fields import MAX_MAGNITUDE, FieldError, Fields
from ..motion.motion import Motion, learned_groups
from ..motion.skeleton import GROUP, Skeleton, group_neighbours
from ..numeric.rotation import Array
from .clusters import cluster_order
from .hand_pca import JointPCA, find_joint_pcas
from .recipe import Recipe

TYPICAL_DEVIATION = 0.12
"""Root mean square deviation of a joint's channels in a lively clip: 0.14 for the median joint of salsa, 0.10 for a
walk."""

MAX_JOINT_GAIN = 5.0
"""Largest gain of the channels of a joint that turns little."""

_MIN_GAIN = 1e-6


@dataclass(frozen=True, eq=False)
class Channels:
    """Learned groups of a skeleton, six channels each, with their scaling.

    `groups` are groups of the skeleton, or `skeleton.groups` + f for the f-th of `joint_pcas`; `still` (channels,) is
    the mean of all channels, which are constant where they are not learned. Deviations from the mean are multiplied by
    `gains[k]` in group k, that of the root's height by `height_gain`.
    """

    skeleton: Skeleton
    groups: tuple[int, ...]
    joint_pcas: tuple[JointPCA, ...]
    still: Array
    gains: tuple[float, ...]
    height_gain: float = 1.0

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """Feature column of each learned channel, -1 for the channels of joint PCAs."""
        columns = np.asarray(self.groups)[:, None] * GROUP + np.arange(GROUP)
        columns[np.asarray(self.groups) >= self.skeleton.groups] = -1
        return columns.reshape(-1)

    @cached_property
    def gain(self) -> Array:
        """Factor (learned channels,) of each channel's deviation from its mean."""
        gain = np.repeat(self.gains, GROUP)
        gain[self.columns == self.skeleton.root_channel + 2] = self.height_gain
        return gain

    @cached_property
    def middle(self) -> Array:
        """Mean of each learned channel, which scaling leaves unchanged; 0 for the channels of joint PCAs."""
        return np.where(self.columns >= 0, self.still[self.columns], 0.0)

    def near(self, distance: int) -> NDArray[np.bool_]:
        """Return the neighbour matrix (G, G) of the learned groups."""
        return group_neighbours(self.skeleton, self.groups, distance, [pca.joint for pca in self.joint_pcas])

    def encode(self, features: Array) -> NDArray[np.float32]:
        """Convert features (frames, channels) to network rows (learned channels, frames)."""
        rows = self.middle + (features[:, self.columns] - self.middle) * self.gain
        for pca, start in self._pca_channels():
            rows[:, start : start + GROUP] = pca.encode(features) * self.gain[start]
        return np.ascontiguousarray(rows.T, dtype=np.float32)

    def decode(self, rows: NDArray[np.float32]) -> Array:
        """Convert network rows (learned channels, frames) to features (frames, channels), labels clipped to [0, 1]."""
        values = rows / self.gain[:, None]
        values += (self.middle - self.middle / self.gain)[:, None]
        features = np.empty((rows.shape[1], len(self.still)))
        features[:] = self.still
        direct = self.columns >= 0
        features[:, self.columns[direct]] = values[direct].T
        for pca, start in self._pca_channels():
            features[:, pca.columns] = pca.decode(values[start : start + GROUP].T)
        labels = self.skeleton.contact_channels
        features[:, labels] = features[:, labels].clip(0.0, 1.0)
        if self.skeleton.upright:
            # Any tilt in the yaw joint would lift the feet, a body's length below it.
            features[:, [2, 5]] = 0.0
        return features

    def _pca_channels(self) -> list[tuple[JointPCA, int]]:
        first = self.skeleton.groups
        return [(self.joint_pcas[g - first], k * GROUP) for k, g in enumerate(self.groups) if g >= first]


def read_channels(fields: Fields, source: Motion) -> Channels:
    """Parse the channels of a model's description, for its clip. Raises FieldError."""
    skeleton = source.skeleton
    joint_pcas = tuple(JointPCA.from_json(part, skeleton.joints) for part in fields.parts("folds", skeleton.joints))
    count = skeleton.groups + len(joint_pcas)
    groups, gains = (
        fields.wholes("groups", 0, count - 1, count),
        fields.numbers("gains", _MIN_GAIN, MAX_MAGNITUDE, count),
    )
    if not groups or len(set(groups)) != len(groups):
        raise FieldError("its learned groups are none, or one twice")
    if len(groups) != len(gains):
        raise FieldError("its gains do not fit its groups")
    height = fields.number("height_gain", _MIN_GAIN, MAX_MAGNITUDE, 1.0)
    return Channels(skeleton, groups, joint_pcas, source.features.mean(0), gains, height)


def choose_channels(source: Motion, recipe: Recipe) -> Channels:
    """Choose the channels for training on `source`: moving groups, hands as joint PCAs, ordered by cluster.

    Raises ClipError as `learned_groups` does.
    """
    skeleton = source.skeleton
    learned = learned_groups(source)
    joint_pcas = tuple(find_joint_pcas(source, learned)) if recipe.fold_hands else ()
    members = {member for pca in joint_pcas for member in pca.members}
    groups = [g for g in learned if g not in members] + [skeleton.groups + f for f in range(len(joint_pcas))]
    still = source.features.mean(0)
    plain = Channels(skeleton, tuple(groups), joint_pcas, still, (1.0,) * len(groups))
    ordered = _reordered(groups, cluster_order(plain.near(recipe.distance)))
    return Channels(skeleton, ordered, joint_pcas, still, _gains(source, ordered, recipe), _height_gain(source, recipe))


def _height_gain(source: Motion, recipe: Recipe) -> float:
    """Return the factor that scales the root's height to TYPICAL_DEVIATION, from 1 to `root_gain`.

    Noise in the root's height shakes the whole body, and in a walk the height varies by a hundredth of the body only.
    """
    height = float(source.features[:, source.skeleton.root_channel + 2].std())
    return float(np.clip(TYPICAL_DEVIATION / max(height, 1e-6), 1.0, max(recipe.root_gain, 1.0)))


def _gains(source: Motion, groups: Sequence[int], recipe: Recipe) -> tuple[float, ...]:
    """Return a gain for each group: `root_gain` for the root and moving offsets; for joints that turn little, a factor
    towards TYPICAL_DEVIATION.

    Jitter of a hundredth in the chest shakes all joints below it, but L1 loss and critic hardly react to a hundredth.
    """
    skeleton = source.skeleton
    spread = source.features.std(0).reshape(skeleton.groups, GROUP)
    sizes = np.sqrt((spread**2).mean(1)).clip(1e-6)
    root, last = skeleton.root_channel // GROUP, skeleton.first_property_group
    gains = []
    for group in groups:
        if group < skeleton.joints:
            gains.append(float(np.clip((TYPICAL_DEVIATION / sizes[group]) ** recipe.even_joints, 1.0, MAX_JOINT_GAIN)))
        else:
            gains.append(recipe.root_gain if root <= group < last else 1.0)
    return tuple(gains)


def _reordered(groups: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    return tuple(groups[index] for index in order)
