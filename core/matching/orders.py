"""Orders of a clip's moves: how far one is from the clip's own, and how much of the clip is in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..evaluation.copying import same_time
from ..numeric.matrix_product import matrix_product
from .components import Numbers

ORDERS = 12
"""Orders of the clip of which a variation takes the best."""

LIKENESS_WEIGHT = 0.5
"""Weight of unlike means and deviations, beside the share of rows at the same time."""

UNKNOWN_WEIGHT = 3.0
"""Weight of steps that the clip does not know, beside the share of rows at the same time."""


def order_cost(clip: Numbers, sample: Numbers, tolerance: int, parts: Sequence[slice], lengths: Sequence[int]) -> float:
    """Return the cost of a sample (T, D) of a clip (S, D): less for an order farther from the clip's own.

    It is the share of rows within `tolerance` rows of the same time; the difference of means and deviations of rows and
    of their steps, which grows where a move of the clip is missing; and what body `parts`, the columns of each, do that
    the clip does not: someone who falls in the clip does not get up. `lengths` are the rows of each of the consecutive
    clips.
    """
    cost = same_time(clip.astype(np.float64), sample.astype(np.float64), tolerance=tolerance)
    for one, other in ((clip, sample), (np.diff(clip, axis=0), np.diff(sample, axis=0))):
        gap = np.square(one.mean(0) - other.mean(0)) + np.square(one.std(0) - other.std(0))
        cost += LIKENESS_WEIGHT * float(gap.sum() / max(float(one.var(0).sum()), 1e-12))
    unknown = [unknown_steps(clip[:, columns], sample[:, columns], lengths) for columns in parts]
    return cost + UNKNOWN_WEIGHT * float(np.mean(unknown))


def unknown_steps(clip: Numbers, sample: Numbers, lengths: Sequence[int]) -> float:
    """Return the mean squared distance of a sample's steps (T, D) to the nearest of the clip (S, D).

    A step is a row beside its difference from the next one, both equally heavy; from one clip to the next, whose
    `lengths` are given, there is none. The unit is the variance of the clip; 0 means that each step is one of the
    clip's.
    """
    usual = max(float(clip.var(0).sum()), 1e-12)
    scale = np.sqrt(usual / max(float(np.square(np.diff(clip, axis=0)).sum(1).mean()), 1e-12))
    known, made = (np.concatenate([rows[:-1], scale * np.diff(rows, axis=0)], axis=1) for rows in (clip, sample))
    known = np.delete(known, np.cumsum(lengths)[:-1] - 1, axis=0)
    squared = np.square(made).sum(1)[:, None] + np.square(known).sum(1) - 2.0 * matrix_product(made, known.T)
    return float(np.maximum(squared.min(1), 0.0).mean()) / usual
