"""The matched stages of a model, ready to run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..model.model import Model
from .clip_rows import ClipRows
from .components import Numbers
from .matcher import Matcher, never_cancelled
from .stage_index import StageIndex
from .sway import Sway


def make_matchers(model: Model, check_cancelled: Callable[[], None] = never_cancelled) -> list[Matcher]:
    """Return one matcher for each matched stage of a model, none for a model without them; numpy alone.

    The matchers call `check_cancelled` often while they run; it may raise.
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
            StageIndex(k, count),
            weights,
            sway=sway if k == count - 1 else None,
            check_cancelled=check_cancelled,
        )
        for k in range(model.matched.first, count)
    ]


def part_weights(parts: int, coupling: float) -> Numbers:
    """Return the weights of each part's squared distance in the search for another, (parts, parts)."""
    weights = np.full((parts, parts), coupling**2, dtype=np.float32)
    np.fill_diagonal(weights, 1.0)
    return weights
