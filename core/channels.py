"""Between a motion's features and what the networks see: learned groups and folds, in an order that suits products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .clusters import cluster_order
from .folds import Fold, find_folds
from .motion import Motion, learned_groups
from .recipe import Recipe
from .rotation import Array
from .skeleton import GROUP, Skeleton, group_neighbours


@dataclass(frozen=True, eq=False)
class Channels:
    """The groups that the networks see, six channels each.

    `groups` are groups of the skeleton, or `skeleton.groups` + f for the f-th of `folds`; `still` (channels,) are the
    values of everything that is not learned. Root velocities and moving offsets, which are small numbers, are
    multiplied by `root_gain`.
    """

    skeleton: Skeleton
    groups: tuple[int, ...]
    folds: tuple[Fold, ...]
    still: Array
    root_gain: float

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """Feature column of each learned channel, -1 for the channels of folds."""
        columns = np.asarray(self.groups)[:, None] * GROUP + np.arange(GROUP)
        columns[np.asarray(self.groups) >= self.skeleton.groups] = -1
        return columns.reshape(-1)

    @cached_property
    def gain(self) -> Array:
        """What each learned channel was multiplied with."""
        skeleton = self.skeleton
        gain = np.ones(skeleton.channels + 1)
        gain[skeleton.root_channel : skeleton.root_channel + 2] = self.root_gain
        for channel in skeleton.translated_channels:
            gain[channel : channel + 3] = self.root_gain
        return gain[self.columns]

    def near(self, distance: int) -> NDArray[np.bool_]:
        """Which groups see each other (G, G)."""
        return group_neighbours(self.skeleton, self.groups, distance, [fold.joint for fold in self.folds])

    def encode(self, features: Array) -> NDArray[np.float32]:
        """Features (frames, channels) as network rows (learned channels, frames)."""
        rows = features[:, self.columns] * self.gain
        for fold, start in self._fold_channels():
            rows[:, start : start + GROUP] = fold.encode(features)
        return np.ascontiguousarray(rows.T, dtype=np.float32)

    def decode(self, rows: NDArray[np.float32]) -> Array:
        """Features (frames, channels) from network rows; contact labels come out between 0 and 1."""
        values = rows.T.astype(np.float64)
        features = np.repeat(self.still[None], len(values), axis=0)
        direct = self.columns >= 0
        features[:, self.columns[direct]] = values[:, direct] / self.gain[direct]
        for fold, start in self._fold_channels():
            features[:, fold.columns] = fold.decode(values[:, start : start + GROUP])
        labels = self.skeleton.contact_channels
        features[:, labels] = features[:, labels].clip(0.0, 1.0)
        return features

    def _fold_channels(self) -> list[tuple[Fold, int]]:
        first = self.skeleton.groups
        return [(self.folds[g - first], k * GROUP) for k, g in enumerate(self.groups) if g >= first]


def choose_channels(source: Motion, recipe: Recipe) -> Channels:
    """The channels for training on `source`: what moves, hands folded, limbs together. Raises ClipError."""
    skeleton = source.skeleton
    learned = learned_groups(source)
    folds = tuple(find_folds(source, learned)) if recipe.fold_hands else ()
    folded = {member for fold in folds for member in fold.members}
    groups = [g for g in learned if g not in folded] + [skeleton.groups + f for f in range(len(folds))]
    still = source.features.mean(0)
    plain = Channels(skeleton, tuple(groups), folds, still, recipe.root_gain)
    return Channels(skeleton, _reordered(groups, cluster_order(plain.near(recipe.distance))), folds, still,
                    recipe.root_gain)  # fmt: skip


def _reordered(groups: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    return tuple(groups[place] for place in order)
