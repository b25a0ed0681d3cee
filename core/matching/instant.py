"""Models that are matched: made at once from any clip without training, or from a trained model above a level."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..files.fields import FieldError
from ..model.channels import choose_channels
from ..model.matched import Matched, check_cuts
from ..model.model import Model
from ..model.recipe import INSTANT, Recipe
from ..motion.motion import RATE, Motion, with_contact_labels
from ..motion.resampling import resample
from ..system.threads import one_thread
from .coupling import choose_matching
from .matcher import PATCH, never_cancelled
from .stages import make_matchers

Weights = TypeVar("Weights", NDArray[np.float32], NDArray[np.float16])

COARSEST = 5 * PATCH
"""Rows of the first length, so that there is room for another order of patches."""

COARSEST_SHARE = (0.1, 0.4)
"""Shares of a clip's rows that the first length has at least and at most: patches of a long clip would last minutes,
those of a short one no time at all."""

GROWTH = 1.5
"""Ratio of one length to that below it, about."""


def instant_model(
    motion: Motion, name: str = "", *, cuts: Sequence[int] = (), check_cancelled: Callable[[], None] = never_cancelled
) -> Model:
    """Make a model of a clip without training; `cuts` are the frames at which other clips begin in it.

    `check_cancelled` is called often and may raise. Raises ClipError for a clip under two seconds, one in which no
    joint turns, or cuts that do not lie in it.
    """
    started = time.perf_counter()
    source = with_contact_labels(resample(motion, RATE))
    ends = [round(cut * source.frames / motion.frames) for cut in cuts]
    try:
        check_cuts(ends, source.frames)
    except FieldError as error:
        raise ClipError(f"The clips cannot be told apart: {error}.") from error
    recipe = instant_recipe(source.frames)
    channels = choose_channels(source, recipe)
    model = Model(
        name,
        channels,
        recipe,
        source,
        motion.fps,
        (1.0,) * recipe.stage_count,
        np.zeros((1, len(channels.columns), recipe.lengths(source.frames)[0]), dtype=np.float32),
        {},
        matched=Matched(cuts=tuple(ends)),
    )
    with one_thread():
        matched = choose_matching(model, make_matchers(model, check_cancelled), check_cancelled)
    return replace(model, matched=matched, seconds=time.perf_counter() - started)


def matched_above(model: Model, level: int, *, check_cancelled: Callable[[], None] = never_cancelled) -> Model:
    """Return a trained model whose levels after `level`, counted from 1, are matched; their weights are dropped.

    `check_cancelled` is called often and may raise. Raises ValueError for a level that the recipe does not have.
    """
    recipe = model.recipe
    if not 1 <= level <= recipe.levels:
        raise ValueError(f"The recipe has levels 1 to {recipe.levels}.")
    first, count = recipe.first_stage(level), recipe.stage_count
    noise = (*model.sampling_noise[:level], *(1.0,) * (recipe.levels - level))
    # Measured on a model that is matched from the first stage on: what the networks give has the clip's own coupling.
    whole = replace(model, amplitudes=(1.0,) * count, weights={}, critics={}, matched=Matched())
    with one_thread():
        matched = choose_matching(whole, make_matchers(whole, check_cancelled), check_cancelled)
    return replace(
        model,
        sampling_noise=noise,
        amplitudes=(*model.amplitudes[:first], *(1.0,) * (count - first)),
        weights=_first_stages(model.weights, first),
        critics=_first_stages(model.critics, first),
        matched=replace(matched, first=first, sway=0.0),
    )


def _first_stages(arrays: dict[str, Weights], count: int) -> dict[str, Weights]:
    """Return the arrays of the first `count` stages, by their names in a model."""
    stages = tuple(f"stage{stage}." for stage in range(count))
    return {name: array for name, array in arrays.items() if name.startswith(stages)}


def instant_recipe(frames: int) -> Recipe:
    """The recipe of a clip of so many frames: its first length and how many stages lead from there to all frames."""
    low, high = COARSEST_SHARE
    first = min(max(COARSEST / frames, low), high)
    count = max(INSTANT.levels, math.ceil(math.log(1.0 / first) / math.log(GROWTH)))
    growth = (1.0 / first) ** (1.0 / (count - 1))
    return replace(INSTANT, first_length=first, growth=growth, stages=_stages_of_levels(count, INSTANT.levels))


def _stages_of_levels(count: int, levels: int) -> tuple[int, ...]:
    """Stages shared out evenly among levels, what is left over to the first ones."""
    each, more = divmod(count, levels)
    return tuple(each + (level < more) for level in range(levels))
