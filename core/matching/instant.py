"""Models with matched stages: of a clip without training, or of a trained model above a level."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..cycles.unroll import learnable
from ..errors import ClipError
from ..files.fields import FieldError
from ..model.channels import choose_channels
from ..model.matched import Matched, check_cuts
from ..model.model import Model
from ..model.recipe import INSTANT, Recipe
from ..motion.motion import RATE, Motion, with_contact_labels
from ..motion.resampling import resample
from ..system.threads import one_thread
from .coupling import CYCLE_MATCHING, choose_matching
from .matcher import never_cancelled
from .stage_index import PATCH_ROWS
from .stages import make_matchers

Weights = TypeVar("Weights", NDArray[np.float32], NDArray[np.float16])

COARSEST_ROWS = 5 * PATCH_ROWS
"""Rows of the first length: enough patches for another order."""

MIN_COARSEST_SHARE = 0.1
"""Share of the clip's rows that the first length has at least: below it, a patch of a long clip lasts minutes."""

MAX_COARSEST_SHARE = 0.4
"""Share of the clip's rows that the first length has at most: above it, a patch of a short clip is too brief."""

GROWTH_RATIO = 1.5
"""Ratio of each length to the one below, about."""


def instant_model(
    motion: Motion, name: str = "", *, cuts: Sequence[int] = (), check_cancelled: Callable[[], None] = never_cancelled
) -> Model:
    """Return a model of a clip without training; `cuts` are the frames at which other clips begin in it.

    A short cycle is repeated, see `learnable`. `check_cancelled` is called often and may raise. Raises ClipError for a
    clip that cannot be learned, and for cuts outside it or out of order.
    """
    started = time.perf_counter()
    motion = motion if cuts else learnable(motion)
    source = with_contact_labels(resample(motion, RATE))
    source_cuts = [round(cut * source.frames / motion.frames) for cut in cuts]
    try:
        check_cuts(source_cuts, source.frames)
    except FieldError as error:
        raise ClipError(f"The clips cannot be separated: {error}.") from error
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
        matched=Matched(cuts=tuple(source_cuts)),
    )
    with one_thread():
        matched = choose_matching(model, make_matchers(model, check_cancelled), check_cancelled)
    return replace(model, matched=matched, seconds=time.perf_counter() - started)


def without_networks(model: Model, instant: Model) -> Model:
    """Return a trained model with the matched stages of an instant one of its clip in place of its networks.

    Name, seed and history stay those of the training, and its recipe keeps name and iterations.
    """
    trained = model.recipe
    return replace(
        model,
        channels=instant.channels,
        recipe=replace(instant.recipe, name=trained.name, iterations=trained.iterations),
        source=instant.source,
        amplitudes=instant.amplitudes,
        code=instant.code,
        weights={},
        critics={},
        sampling_noise=instant.sampling_noise,
        matched=instant.matched,
    )


def matched_above(model: Model, level: int, matching: Matched | None = None) -> Model:
    """Return a trained model whose levels after `level`, counted from 1, are matched; their weights are dropped.

    `matching` has the coupling, if it is known. Only repeated cycles sway: networks give every other clip a new order.
    Raises ValueError for a level that the recipe does not have.
    """
    recipe = model.recipe
    if not 1 <= level <= recipe.levels:
        raise ValueError(f"The recipe has levels 1 to {recipe.levels}.")
    first, count = recipe.first_stage(level), recipe.stage_count
    noise = (*model.sampling_noise[:level], *(1.0,) * (recipe.levels - level))
    matched = CYCLE_MATCHING if model.source.repeats else replace(matching or Matched(), sway=0.0)
    return replace(
        model,
        sampling_noise=noise,
        amplitudes=(*model.amplitudes[:first], *(1.0,) * (count - first)),
        weights=_first_stages(model.weights, first),
        critics=_first_stages(model.critics, first),
        matched=replace(matched, first=first),
    )


def _first_stages(arrays: dict[str, Weights], count: int) -> dict[str, Weights]:
    """Return the arrays of the first `count` stages, by their names in a model."""
    stages = tuple(f"stage{stage}." for stage in range(count))
    return {name: array for name, array in arrays.items() if name.startswith(stages)}


def instant_recipe(frames: int) -> Recipe:
    """Return the recipe of a clip of `frames` frames: the first length, and the stages from there to all frames."""
    first = min(max(COARSEST_ROWS / frames, MIN_COARSEST_SHARE), MAX_COARSEST_SHARE)
    count = max(INSTANT.levels, math.ceil(math.log(1.0 / first) / math.log(GROWTH_RATIO)))
    growth = (1.0 / first) ** (1.0 / (count - 1))
    return replace(INSTANT, first_length=first, growth=growth, stages=_stages_of_levels(count, INSTANT.levels))


def _stages_of_levels(count: int, levels: int) -> tuple[int, ...]:
    """Return the number of stages of each level, as even as possible; the first levels have the remainder."""
    each, more = divmod(count, levels)
    return tuple(each + (level < more) for level in range(levels))
