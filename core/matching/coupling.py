"""Choice of the coupling of a clip's body parts, measured on samples of the matched stages."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..evaluation.copying import SAME_TIME_FRAMES
from ..model.matched import Matched
from ..model.model import Model
from ..model.pyramid import Rows, run_stages
from .matcher import Matcher, never_cancelled
from .stages import part_weights

MIN_COUPLING = 0.13
"""Coupling of parts that are matched almost independently."""

MAX_COUPLING = 0.85
"""Coupling of parts that are matched as whole bodies."""

BISECTION_STEPS = 5
"""Halvings of the range of couplings (in logarithms); the last halves are about a tenth apart."""

MAX_NOVELTY = 0.32
"""Distance of samples from the clip at most, in distances of two clip patches: above it, parts no longer fit each
other."""

MIN_LENGTH_SHARE = 0.5
"""Share of the last length from which on a stage predicts the result of a coupling, at a third of the cost of all."""

MIN_SAMPLES = 3
"""Samples that are measured at each coupling at least."""

MIN_SAMPLED_FRAMES = 600
"""Frames of all samples together, about: short clips get more samples."""

MAX_SAMPLE_FRAMES = 700
"""Frames of a sample at most; otherwise it is as long as the clip."""

COPIED_SHARES = (0.3, 0.6)
"""Share of samples at the same time as the clip: up to the first value sway is 0, from the second on it is 1."""

CYCLE_COUPLING = 0.68
"""Coupling of repeated cycles: limbs stay in phase, but take their steps from different ones."""

CYCLE_SWAY = 0.8
"""Sway of repeated cycles, whose variations differ by it alone."""


def choose_matching(
    model: Model, matchers: Sequence[Matcher], check_cancelled: Callable[[], None] = never_cancelled
) -> Matched:
    """Measure the coupling of a clip, and its sway if its samples still copy its order.

    The limbs of a repeated cycle stay in phase, and only sway varies it. All stages of the model must be matched.
    `check_cancelled` is called often and may raise.
    """
    if model.source.repeats:
        return Matched(0, CYCLE_COUPLING, (), CYCLE_SWAY)
    trial = CouplingTrial(model, matchers)
    coupling = choose_coupling(trial, check_cancelled)
    low, high = COPIED_SHARES
    sway = min(max((trial.same_time(coupling) - low) / (high - low), 0.0), 1.0)
    return Matched(0, coupling, model.matched.cuts if model.matched else (), sway)


def choose_coupling(trial: CouplingTrial, check_cancelled: Callable[[], None]) -> float:
    """Return the least coupling, to about a tenth, at which the novelty of samples is at most MAX_NOVELTY.

    Return MAX_COUPLING if there is none.
    """
    low, high = math.log(MIN_COUPLING), math.log(MAX_COUPLING)
    for _ in range(BISECTION_STEPS if trial.parts > 1 else 0):
        check_cancelled()
        middle = 0.5 * (low + high)
        if trial.novelty(math.exp(middle)) > MAX_NOVELTY:
            low = middle
        else:
            high = middle
    return math.exp(high)


class CouplingTrial:
    """A few samples of a model's matched stages at any coupling, up to the first stage that predicts the result."""

    def __init__(self, model: Model, matchers: Sequence[Matcher]) -> None:
        frames = min(model.source.frames, MAX_SAMPLE_FRAMES)
        lengths, self._count = model.recipe.lengths(frames), max(MIN_SAMPLES, MIN_SAMPLED_FRAMES // frames)
        count = next(k for k, length in enumerate(lengths, start=1) if length >= MIN_LENGTH_SHARE * lengths[-1])
        self._matchers, self._lengths, self.parts = matchers[:count], lengths[:count], matchers[0].parts
        self._tolerance = round(SAME_TIME_FRAMES * model.lengths[count - 1] / model.source.frames)
        self._base = np.zeros((self._count, len(model.channels.columns), lengths[0]), dtype=np.float32)

    def novelty(self, coupling: float) -> float:
        """Return the mean distance of samples from the clip, see `Matcher.novelty`."""
        return float(np.mean([self._matchers[-1].novelty(rows) for rows in self._samples(coupling)]))

    def same_time(self, coupling: float) -> float:
        """Return the share of the samples' rows at the same time as the clip, see `Matcher.same_time`."""
        shares = [self._matchers[-1].same_time(rows, self._tolerance) for rows in self._samples(coupling)]
        return float(np.mean(shares))

    def _samples(self, coupling: float) -> Rows:
        weights, random = part_weights(self.parts, coupling), np.random.default_rng(0)
        noises: list[Rows | None] = [
            random.standard_normal((self._count, 1, length), dtype=np.float32) for length in self._lengths
        ]
        return run_stages([one.coupled(weights) for one in self._matchers], self._lengths, noises, self._base)
