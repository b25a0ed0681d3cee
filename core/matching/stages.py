"""The matched stages of a model, ready to run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..model.model import Model
from .clip_rows import ClipRows
from .components import Numbers
from .matcher import Matcher, Place, never_cancelled
from .sway import Sway


def make_matchers(model: Model, check_cancelled: Callable[[], None] = never_cancelled) -> list[Matcher]:
    """One matcher for each stage of a model that is not trained, none for a trained one; numpy alone.

    `check_cancelled` is called often while they work and may raise.
    """
    if model.matched is None:
        return []
    clip = ClipRows.of(model.channels, model.source, model.matched.cuts)
    weights, count = part_weights(len(clip.parts), model.matched.coupling), model.recipe.stage_count
    lengths, sway = model.lengths, Sway(clip, model.channels, model.matched.sway)
    return [
        Matcher(
            clip,
            lengths[k],
            Place(k, count),
            weights,
            sway=sway if k == count - 1 else None,
            check_cancelled=check_cancelled,
        )
        for k in range(model.matched.first, count)
    ]


def part_weights(parts: int, coupling: float) -> Numbers:
    """Shares of each part's squared distance in the search for another, (parts, parts)."""
    weights = np.full((parts, parts), coupling**2, dtype=np.float32)
    np.fill_diagonal(weights, 1.0)
    return weights
