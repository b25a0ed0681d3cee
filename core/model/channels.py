"""Between a motion's features and what the networks see: learned groups and folds, in an order that suits products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..files.fields import FAR, FieldError, Fields
from ..motion.motion import Motion, learned_groups
from ..motion.skeleton import GROUP, Skeleton, group_neighbours
from ..numeric.rotation import Array
from .clusters import cluster_order
from .hand_pca import JointPCA, find_joint_pcas
from .recipe import Recipe

TYPICAL = 0.12
"""Root mean square deviation of a joint's channels in a lively clip: salsa's median joint has 0.14, a walk's 0.10."""

MOST_EVEN = 5.0
"""The most by which the numbers of a joint that turns little are raised."""

_LEAST_GAIN = 1e-6


@dataclass(frozen=True, eq=False)
class Channels:
    """The groups that the networks see, six channels each.

    `groups` are groups of the skeleton, or `skeleton.groups` + f for the f-th of `joint_pcas`; `still` (channels,) are
    the values of everything that is not learned. What channels of group k differ from their mean is multiplied by
    `gains[k]` before the networks see it, the root's height by `height_gain`.
    """

    skeleton: Skeleton
    groups: tuple[int, ...]
    joint_pcas: tuple[JointPCA, ...]
    still: Array
    gains: tuple[float, ...]
    height_gain: float = 1.0

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """Feature column of each learned channel, -1 for the channels of folds."""
        columns = np.asarray(self.groups)[:, None] * GROUP + np.arange(GROUP)
        columns[np.asarray(self.groups) >= self.skeleton.groups] = -1
        return columns.reshape(-1)

    @cached_property
    def gain(self) -> Array:
        """What each learned channel's difference from its mean is multiplied with."""
        gain = np.repeat(self.gains, GROUP)
        gain[self.columns == self.skeleton.root_channel + 2] = self.height_gain
        return gain

    @cached_property
    def middle(self) -> Array:
        """Mean of each learned channel, which is the same for the networks; 0 for the channels of folds."""
        return np.where(self.columns >= 0, self.still[self.columns], 0.0)

    def near(self, distance: int) -> NDArray[np.bool_]:
        """Which groups see each other (G, G)."""
        return group_neighbours(self.skeleton, self.groups, distance, [fold.joint for fold in self.joint_pcas])

    def encode(self, features: Array) -> NDArray[np.float32]:
        """Features (frames, channels) as network rows (learned channels, frames)."""
        rows = self.middle + (features[:, self.columns] - self.middle) * self.gain
        for fold, start in self._fold_channels():
            rows[:, start : start + GROUP] = fold.encode(features) * self.gain[start]
        return np.ascontiguousarray(rows.T, dtype=np.float32)

    def decode(self, rows: NDArray[np.float32]) -> Array:
        """Features (frames, channels) from network rows (learned channels, frames); labels are kept between 0 and 1."""
        values = rows / self.gain[:, None]
        values += (self.middle - self.middle / self.gain)[:, None]
        features = np.empty((rows.shape[1], len(self.still)))
        features[:] = self.still
        direct = self.columns >= 0
        features[:, self.columns[direct]] = values[direct].T
        for fold, start in self._fold_channels():
            features[:, fold.columns] = fold.decode(values[start : start + GROUP].T)
        labels = self.skeleton.contact_channels
        features[:, labels] = features[:, labels].clip(0.0, 1.0)
        if self.skeleton.upright:
            # A heading that leaned, however little, would lift the feet a body's length below it.
            features[:, [2, 5]] = 0.0
        return features

    def _fold_channels(self) -> list[tuple[JointPCA, int]]:
        first = self.skeleton.groups
        return [(self.joint_pcas[g - first], k * GROUP) for k, g in enumerate(self.groups) if g >= first]


def read_channels(fields: Fields, source: Motion) -> Channels:
    """The channels that a model's description names, for its clip. Raises FieldError."""
    skeleton = source.skeleton
    joint_pcas = tuple(JointPCA.from_json(fold, skeleton.joints) for fold in fields.parts("folds", skeleton.joints))
    most = skeleton.groups + len(joint_pcas)
    groups, gains = fields.wholes("groups", 0, most - 1, most), fields.numbers("gains", _LEAST_GAIN, FAR, most)
    if not groups or len(set(groups)) != len(groups):
        raise FieldError("its learned groups are none, or one twice")
    if len(groups) != len(gains):
        raise FieldError("its gains do not fit its groups")
    height = fields.number("height_gain", _LEAST_GAIN, FAR, 1.0)
    return Channels(skeleton, groups, joint_pcas, source.features.mean(0), gains, height)


def choose_channels(source: Motion, recipe: Recipe) -> Channels:
    """The channels for training on `source`: what moves, hands folded, limbs together. Raises ClipError."""
    skeleton = source.skeleton
    learned = learned_groups(source)
    joint_pcas = tuple(find_joint_pcas(source, learned)) if recipe.fold_hands else ()
    folded = {member for fold in joint_pcas for member in fold.members}
    groups = [g for g in learned if g not in folded] + [skeleton.groups + f for f in range(len(joint_pcas))]
    still = source.features.mean(0)
    plain = Channels(skeleton, tuple(groups), joint_pcas, still, (1.0,) * len(groups))
    ordered = _reordered(groups, cluster_order(plain.near(recipe.distance)))
    return Channels(skeleton, ordered, joint_pcas, still, _gains(source, ordered, recipe), _height_gain(source, recipe))


def _height_gain(source: Motion, recipe: Recipe) -> float:
    """What raises the height of the root to the size of a joint's channels, at most `root_gain`.

    All that the root carries shakes with it, and in a walk it moves by a hundredth of the body only.
    """
    height = float(source.features[:, source.skeleton.root_channel + 2].std())
    return float(np.clip(TYPICAL / max(height, 1e-6), 1.0, max(recipe.root_gain, 1.0)))


def _gains(source: Motion, groups: Sequence[int], recipe: Recipe) -> tuple[float, ...]:
    """`root_gain` for the root and moving offsets; joints that turn little are raised towards a typical joint.

    A chest that jitters by a hundredth shakes all that it carries, yet an L1 loss and a critic hardly see a hundredth.
    """
    skeleton = source.skeleton
    spread = source.features.std(0).reshape(skeleton.groups, GROUP)
    sizes = np.sqrt((spread**2).mean(1)).clip(1e-6)
    root, last = skeleton.root_channel // GROUP, skeleton.first_property_group
    gains = []
    for group in groups:
        if group < skeleton.joints:
            gains.append(float(np.clip((TYPICAL / sizes[group]) ** recipe.even_joints, 1.0, MOST_EVEN)))
        else:
            gains.append(recipe.root_gain if root <= group < last else 1.0)
    return tuple(gains)


def _reordered(groups: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    return tuple(groups[place] for place in order)
