"""Choice of the coupling of a clip's body parts, measured on samples of the matched stages."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..evaluation.copying import SAME_TIME_FRAMES, random_distance
from ..evaluation.metrics import PIECE_ROWS, global_diversity
from ..model.matched import Matched
from ..model.model import Model
from ..model.pyramid import Rows, resize, run_stages
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array
from .matcher import Matcher, never_cancelled
from .orders import ORDERS
from .stages import part_weights

MIN_COUPLING = 0.13
"""Coupling of parts that are matched almost independently."""

MAX_COUPLING = 0.85
"""Coupling of parts that are matched as whole bodies."""

BISECTION_STEPS = 4
"""Halvings of the range of couplings (in logarithms); within the last half, a straight line is followed."""

LEAST_DIFFERENCE = 0.35
"""Distance of the samples' rotations to the best patchwork of the clip, in distances of two frames of the clip. With
less, samples are copies; with more, parts no longer fit each other."""

MIN_LENGTH_SHARE = 0.5
"""Share of the last length from which on a stage predicts the figures of the result, at a third of the cost of all."""

MIN_SAMPLES = 3
"""Samples that are measured at each coupling at least."""

MIN_SAMPLED_FRAMES = 1200
"""Frames of all samples together, about: short clips get more samples."""

MAX_SAMPLE_FRAMES = 700
"""Frames of a sample at most; otherwise it is as long as the clip."""

BRIEF_SECONDS = 4.0
"""Duration of a clip below which samples are twice as long: in one as long as the clip, another order is soon found."""

COPIED_SHARES = (0.3, 0.6)
"""Share of samples at the same time as the clip: up to the first value sway is 0, from the second on it is 1."""

MIN_COUPLING_ABOVE = 0.05
"""Least coupling above trained networks, which have coupled the parts already."""

CYCLE_MATCHING = Matched(coupling=0.68, sway=0.8)
"""Matching of repeated cycles: limbs stay in phase, but take their steps from different ones, and sway alone varies
them."""


def choose_matching(
    model: Model, matchers: Sequence[Matcher], check_cancelled: Callable[[], None] = never_cancelled
) -> Matched:
    """Measure the coupling of a clip, and its sway if its samples still copy its order.

    The limbs of a repeated cycle stay in phase, and only sway varies it. All stages of the model must be matched.
    `check_cancelled` is called often and may raise.
    """
    if model.source.repeats:
        return CYCLE_MATCHING
    trial = CouplingTrial(model, matchers)
    coupling = choose_coupling(trial, check_cancelled)
    low, high = COPIED_SHARES
    sway = min(max((trial.same_time(coupling) - low) / (high - low), 0.0), 1.0)
    return Matched(0, coupling, model.matched.cuts if model.matched else (), sway)


def choose_coupling(trial: CouplingTrial, check_cancelled: Callable[[], None], least: float = MIN_COUPLING) -> float:
    """Return the coupling, from `least` to MAX_COUPLING, at which samples differ from the clip by LEAST_DIFFERENCE."""
    low, high = math.log(least), math.log(MAX_COUPLING)
    differences: dict[float, float] = {}
    for _ in range(BISECTION_STEPS if trial.parts > 1 else 0):
        check_cancelled()
        middle = 0.5 * (low + high)
        differences[middle] = trial.difference(math.exp(middle))
        low, high = (middle, high) if differences[middle] > LEAST_DIFFERENCE else (low, middle)
    if low not in differences or high not in differences:
        return math.exp(high)
    share = (differences[low] - LEAST_DIFFERENCE) / max(differences[low] - differences[high], 1e-9)
    return math.exp(low + share * (high - low))


def trial_size(model: Model) -> tuple[int, int]:
    """Return how many samples measure a coupling, and their frames at 30 fps."""
    source = model.source
    frames = min(source.frames, MAX_SAMPLE_FRAMES) * (2 if source.duration < BRIEF_SECONDS else 1)
    return max(MIN_SAMPLES, MIN_SAMPLED_FRAMES // frames), frames


class CouplingTrial:
    """A few samples of a model's matched stages at any coupling, up to the first stage that predicts the result.

    `below` (N, C, T) are the outputs of the trained stages below the `matchers`, as many and as long as `trial_size`
    says; None where all stages are matched.
    """

    def __init__(self, model: Model, matchers: Sequence[Matcher], below: Rows | None = None) -> None:
        source, channels = model.source, model.channels
        count, frames = trial_size(model)
        every, first = model.recipe.lengths(frames), model.recipe.stage_count - len(matchers)
        last = next(k for k in range(first, len(every)) if every[k] >= MIN_LENGTH_SHARE * every[-1])
        self.parts, self._channels = matchers[0].parts, channels
        self._matchers, self._lengths = matchers[: last + 1 - first], every[first : last + 1]
        share = model.lengths[last] / source.frames
        self._tolerance, self._piece = round(SAME_TIME_FRAMES * share), max(2, int(PIECE_ROWS * share))
        self._clip = self._rotations(resize(channels.encode(source.features)[None], model.lengths[last])[0])
        self._usual = max(random_distance(self._clip), 1e-9)
        zeros = np.zeros((count, len(channels.columns), every[0]), dtype=np.float32)
        self._base = zeros if below is None else below
        self._noises = self._choose_noises(np.random.default_rng(0), orders=ORDERS if below is None else 1)

    def _choose_noises(self, random: np.random.Generator, orders: int) -> list[Rows | None]:
        """Return the noise (N, 1, T) of each stage; at the first it is the best of several orders, as for variations.

        The orders are chosen once for all couplings, in the middle of their range.
        """
        count, middle = len(self._base), math.sqrt(MIN_COUPLING * MAX_COUPLING)
        candidates = random.standard_normal((count, orders, 1, self._lengths[0]), dtype=np.float32)
        best = candidates[:, 0]
        if orders > 1:
            first = self._matchers[0].coupled(part_weights(self.parts, middle))
            best = candidates[np.arange(count), first.best_orders(candidates, self._base[:1])[:, 0]]
        others = [random.standard_normal((count, 1, length), dtype=np.float32) for length in self._lengths[1:]]
        return [best, *others]

    def difference(self, coupling: float) -> float:
        """Return the mean global diversity of the samples' rotations, in distances of two frames of the clip."""
        samples = [self._rotations(rows) for rows in self._samples(coupling)]
        differences = [global_diversity(self._clip, sample, self._piece) for sample in samples]
        return float(np.mean(differences)) / self._usual

    def _rotations(self, rows: Rows) -> Array:
        """Return the rotations (T, joints × 6) of network rows (C, T)."""
        return self._channels.decode(rows)[:, : self._channels.skeleton.joints * GROUP]

    def same_time(self, coupling: float) -> float:
        """Return the share of the samples' rows at the same time as the clip, see `Matcher.same_time`."""
        shares = [self._matchers[-1].same_time(rows, self._tolerance) for rows in self._samples(coupling)]
        return float(np.mean(shares))

    def _samples(self, coupling: float) -> Rows:
        matchers = [one.coupled(part_weights(self.parts, coupling)) for one in self._matchers]
        return run_stages(matchers, self._lengths, self._noises, self._base)
