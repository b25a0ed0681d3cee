"""Divergence of a training: detection, and continuation from an earlier checkpoint with lower learning rates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import RiffError
from ..model.recipe import Recipe
from ..system.log import log
from .checkpoint import Checkpoint
from .stage import Stage

RATE_CUT = 0.25
"""Factor of the learning rates after each divergence."""

MAX_ROLLBACKS = 2
"""Divergences after which a training continues; it ends at the next one."""


class Diverged(Exception):
    """A loss or a weight is NaN or infinite."""


def check_losses(stages: Iterable[Stage]) -> None:
    """Raise Diverged where a latest loss is not finite; on a GPU this waits for its work."""
    if not all(math.isfinite(loss) for stage in stages for loss in stage.losses.values()):
        raise Diverged


def check_weights(stages: Iterable[Stage]) -> None:
    """Raise Diverged where a weight is not finite: the last step of a level has no loss after it."""
    networks = [network for stage in stages for network in (stage.generator, stage.averaged, stage.critic)]
    if not all(bool(torch.isfinite(weight).all()) for network in networks for weight in network.parameters()):
        raise Diverged


def check_state(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise Diverged where the state of a training holds a number that is not finite; the bank is frozen."""
    if not all(bool(np.isfinite(array).all()) for name, array in arrays.items() if name != "bank"):
        raise Diverged


def roll_back(good: Checkpoint) -> Checkpoint:
    """Return the checkpoint with lower learning rates. Raises RiffError after the last permitted divergence."""
    if good.rate_cuts >= MAX_ROLLBACKS:
        raise RiffError(
            "Training diverged three times, with lower learning rates too. Choose another recipe, or an action "
            "without jumps."
        )
    log.note(f"Training diverged; continuing from step {good.step} with lower learning rates")
    return replace(good, rate_cuts=good.rate_cuts + 1)


def recipe_with_rate_cuts(recipe: Recipe, times: int) -> Recipe:
    """Return the recipe with the learning rates after so many divergences."""
    if not times:
        return recipe
    share = RATE_CUT**times
    return replace(recipe, generator_rate=recipe.generator_rate * share, critic_rate=recipe.critic_rate * share)
