"""Orders of a clip's moves: how far one is from the clip's own, and how much of the clip is in it."""

from __future__ import annotations

import numpy as np

from ..evaluation.copying import same_time
from .components import Numbers

ORDERS = 12
"""Orders of the clip of which a variation takes the best."""

LIKENESS_WEIGHT = 0.5
"""Weight of unlike means and deviations, beside the share of rows at the same time."""


def order_cost(clip: Numbers, sample: Numbers, tolerance: int) -> float:
    """Return the cost of a sample (T, D) of a clip (S, D): less for an order farther from the clip's own.

    It is the share of rows within `tolerance` rows of the same time, and the difference of means and deviations of rows
    and of their steps, which grows where a move of the clip is missing.
    """
    cost = same_time(clip.astype(np.float64), sample.astype(np.float64), tolerance=tolerance)
    for one, other in ((clip, sample), (np.diff(clip, axis=0), np.diff(sample, axis=0))):
        gap = np.square(one.mean(0) - other.mean(0)) + np.square(one.std(0) - other.std(0))
        cost += LIKENESS_WEIGHT * float(gap.sum() / max(float(one.var(0).sum()), 1e-12))
    return cost
