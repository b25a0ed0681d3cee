"""Sizes of the arrays of a model, from its channels and recipe: what a file holds is compared with them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from .channels import Channels
from .motion.skeleton import GROUP
from .recipe import Recipe


def group_widths(groups: int, hidden: Sequence[int]) -> list[int]:
    """Channels a group has in each hidden layer: the wanted total rounded up to whole groups."""
    return [math.ceil(channels / groups) for channels in hidden]


def generator_shapes(channels: Channels, recipe: Recipe) -> dict[str, tuple[int, ...]]:
    """Shape of each array of the generators, by its name in the model."""
    groups = len(channels.groups)
    widths = [GROUP, *group_widths(groups, recipe.hidden), GROUP]
    return _stages(recipe, "layer", _layers(channels, recipe, widths))


def critic_shapes(channels: Channels, recipe: Recipe) -> dict[str, tuple[int, ...]]:
    """Shape of each array of the critics, by its name in the model; their last layer sees all groups as one."""
    groups = len(channels.groups)
    widths = [GROUP, *group_widths(groups, recipe.hidden)]
    score = ((1, 1, groups * widths[-1], recipe.kernel), (1,))
    return _stages(recipe, "critic", [*_layers(channels, recipe, widths), score])


def _layers(channels: Channels, recipe: Recipe, widths: Sequence[int]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Shapes of weight and bias of each layer between these widths of a group."""
    pairs = int(channels.near(recipe.distance).sum())
    return [
        ((pairs, outside, inside, recipe.kernel), (len(channels.groups) * outside,))
        for inside, outside in itertools.pairwise(widths)
    ]


def _stages(
    recipe: Recipe, part: str, layers: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for stage in range(recipe.stage_count):
        for number, (weight, bias) in enumerate(layers):
            shapes[f"stage{stage}.{part}{number}.weight"] = weight
            shapes[f"stage{stage}.{part}{number}.bias"] = bias
    return shapes
