"""Coupling of a body's parts in a clip, measured on samples whose parts were searched for apart."""

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

LOOSEST, TIGHTEST = 0.07, 0.85
"""Couplings from parts that hardly see each other to whole bodies."""

HALVINGS = 5
"""Halvings of the range between the two; the last halves are a tenth apart."""

NOVELTY = 0.3
"""Distance of samples from the clip at most, in distances of two of its patches: what goes farther has torn apart what
belongs together."""

COURSE = 0.5
"""Share of the clip's rows from which on a length shows what comes of a coupling, at a third of the cost of all."""

SAMPLES, MAX_FRAMES, ENOUGH = 3, 700, 600
"""Samples that are measured at each coupling, as long as the clip or so many frames, and more of them until there are
enough frames."""


COPIED = (0.3, 0.6)
"""Shares of samples at the same time as the clip: below the first there is enough to be recombined, above the second
nothing."""


def choose_matching(
    model: Model, matchers: Sequence[Matcher], check_cancelled: Callable[[], None] = never_cancelled
) -> Matched:
    """Measure a clip's coupling, and its sway where even so its samples come out in its own order.

    All stages of the model are matched; `check_cancelled` is called often and may raise.
    """
    course = Course(model, matchers)
    coupling = choose_coupling(course, check_cancelled)
    low, high = COPIED
    sway = min(max((course.same_time(coupling) - low) / (high - low), 0.0), 1.0)
    return Matched(0, coupling, model.matched.cuts if model.matched else (), sway)


def choose_coupling(course: Course, check_cancelled: Callable[[], None]) -> float:
    """The loosest coupling, to a tenth, at which samples stay as near to the clip as NOVELTY says.

    The tightest where none does.
    """
    low, high = math.log(LOOSEST), math.log(TIGHTEST)
    for _ in range(HALVINGS if course.parts > 1 else 0):
        check_cancelled()
        middle = 0.5 * (low + high)
        if course.novelty(math.exp(middle)) > NOVELTY:
            low = middle
        else:
            high = middle
    return math.exp(high)


class Course:
    """A few samples of a model's matched stages up to the length that shows their course, at any coupling."""

    def __init__(self, model: Model, matchers: Sequence[Matcher]) -> None:
        frames = min(model.source.frames, MAX_FRAMES)
        lengths, self._count = model.recipe.lengths(frames), max(SAMPLES, ENOUGH // frames)
        count = next(k for k, length in enumerate(lengths, start=1) if length >= COURSE * lengths[-1])
        self._matchers, self._lengths, self.parts = matchers[:count], lengths[:count], matchers[0].parts
        self._tolerance = round(SAME_TIME_FRAMES * model.lengths[count - 1] / model.source.frames)
        self._base = np.zeros((self._count, len(model.channels.columns), lengths[0]), dtype=np.float32)

    def novelty(self, coupling: float) -> float:
        """Distance of samples from the clip, see `Matcher.novelty`."""
        return float(np.mean([self._matchers[-1].novelty(rows) for rows in self._samples(coupling)]))

    def same_time(self, coupling: float) -> float:
        """Share of samples that is where the clip is, see `Matcher.same_time`."""
        return float(np.mean([self._matchers[-1].same_time(rows, self._tolerance) for rows in self._samples(coupling)]))

    def _samples(self, coupling: float) -> Rows:
        weights, random = part_weights(self.parts, coupling), np.random.default_rng(0)
        noises: list[Rows | None] = [
            random.standard_normal((self._count, 1, length), dtype=np.float32) for length in self._lengths
        ]
        return run_stages([one.coupled(weights) for one in self._matchers], self._lengths, noises, self._base)
