"""Orders of a clip's moves: how far one is from the clip's own, and how much of the clip is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..evaluation.copying import same_time
from ..numeric.matrix_product import matrix_product
from ..numeric.rotation import Array
from .components import Numbers

ORDERS = 12
"""Orders of the clip of which a variation takes the best."""

LIKENESS_WEIGHT = 0.5
"""Weight of unlike means and deviations, beside the share of rows at the same time."""

UNKNOWN_WEIGHT = 3.0
"""Weight of steps that the clip does not know, beside the share of rows at the same time."""

TINY = 1e-12
"""Least variance, by which a clip that stands still can be divided."""


class ClipOrder:
    """Order of a clip's moves, from which those of its samples are told apart.

    `rows` (S, D) are the clip's, `parts` the columns of each body part, and `lengths` the rows of each of its
    consecutive clips. Rows within `tolerance` rows of the same time are at the same time.
    """

    def __init__(self, rows: Numbers, parts: Sequence[slice], lengths: Sequence[int], tolerance: int) -> None:
        self._rows, self._tolerance, self._parts = rows.astype(np.float64), tolerance, parts
        self._statistics = [_Statistics.of(rows), _Statistics.of(np.diff(rows, axis=0))]
        self._steps = [KnownSteps(rows[:, columns], lengths) for columns in parts]

    def costs(self, samples: Numbers) -> Array:
        """Return the cost (B,) of each of some samples (B, T, D): less for an order farther from the clip's own.

        It is the share of rows at the same time; the difference of means and deviations of rows and of their steps,
        which grows where a move of the clip is missing; and what body parts do that the clip does not: someone who
        falls in the clip does not get up.
        """
        doubles = samples.astype(np.float64)
        costs = np.array([same_time(self._rows, one, tolerance=self._tolerance) for one in doubles])
        for known, rows in zip(self._statistics, (samples, np.diff(samples, axis=1)), strict=True):
            costs += LIKENESS_WEIGHT * known.differences(rows)
        for known_steps, columns in zip(self._steps, self._parts, strict=True):
            costs += UNKNOWN_WEIGHT / len(self._parts) * known_steps.distances(samples[..., columns])
        return costs


@dataclass(frozen=True, eq=False)
class _Statistics:
    """Means and deviations (D,) of rows, and the sum of their variances."""

    means: Numbers
    deviations: Numbers
    variance: float

    @classmethod
    def of(cls, rows: Numbers) -> _Statistics:
        variances = rows.var(0)
        return cls(rows.mean(0), np.sqrt(variances), max(float(variances.sum()), TINY))

    def differences(self, rows: Numbers) -> Array:
        """Return the squared differences (B,) from means and deviations of rows (B, T, D), in units of the variance."""
        gaps = np.square(self.means - rows.mean(1)) + np.square(self.deviations - rows.std(1))
        return gaps.sum(1).astype(np.float64) / self.variance


class KnownSteps:
    """Steps of a clip (S, D): rows beside their differences from the next ones, both equally heavy.

    From one of consecutive clips to the next, whose `lengths` are given, there is none.
    """

    def __init__(self, clip: Numbers, lengths: Sequence[int]) -> None:
        self._variance = max(float(clip.var(0).sum()), TINY)
        self._scale = np.sqrt(self._variance / max(float(np.square(np.diff(clip, axis=0)).sum(1).mean()), TINY))
        steps = np.delete(self._steps_of(clip), np.cumsum(lengths)[:-1] - 1, axis=0)
        self._squares, self._transposed = np.square(steps).sum(1), np.ascontiguousarray(steps.T)

    def distances(self, samples: Numbers) -> Array:
        """Return the mean squared distances (B,) of samples' steps (B, T, D) to the nearest of the clip.

        The unit is the clip's variance; 0 means that each step is one of the clip's.
        """
        made = self._steps_of(samples)
        nearest = (self._squares - 2.0 * matrix_product(made, self._transposed)).min(2) + np.square(made).sum(2)
        return np.maximum(nearest, 0.0).mean(1).astype(np.float64) / self._variance

    def _steps_of(self, rows: Numbers) -> Numbers:
        steps = self._scale * np.diff(rows, axis=-2)
        return np.concatenate([rows[..., :-1, :], steps.astype(np.float32)], axis=-1)
