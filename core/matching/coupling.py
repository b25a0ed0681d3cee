"""How far the parts of a body belong together in a clip: measured by what comes of searching for them apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..generation.pyramid import Rows, run_stages
from ..model.model import Model
from .matcher import Matcher, never_stop
from .stages import part_weights

LOOSEST, TIGHTEST = 0.07, 0.85
"""Couplings from parts that hardly see each other to whole bodies."""

HALVINGS = 5
"""How often what lies between the two is halved; the last halves are a tenth apart."""

NOVELTY = 0.3
"""How far from the clip samples may go, in distances of two of its patches: what goes farther has torn apart what
belongs together."""

COURSE = 0.5
"""Share of the clip's rows from which on a length shows what comes of a coupling, at a third of the cost of all."""

SAMPLES, MOST_FRAMES = 3, 700
"""Samples that are measured at each coupling, as long as the clip or so many frames."""


def choose_coupling(model: Model, matchers: Sequence[Matcher], ask_stop: Callable[[], None] = never_stop) -> float:
    """The loosest coupling, to a tenth, at which samples stay as near to the clip as NOVELTY says.

    The tightest where none does; `ask_stop` is called often and may raise.
    """
    parts, lengths = matchers[0].parts, model.recipe.lengths(min(model.source.frames, MOST_FRAMES))
    count = next(k for k, length in enumerate(lengths, start=1) if length >= COURSE * lengths[-1])
    low, high = math.log(LOOSEST), math.log(TIGHTEST)
    for _ in range(HALVINGS if parts > 1 else 0):
        ask_stop()
        middle = 0.5 * (low + high)
        weights = part_weights(parts, math.exp(middle))
        if novelty([matcher.coupled(weights) for matcher in matchers[:count]], lengths[:count]) > NOVELTY:
            low = middle
        else:
            high = middle
    return math.exp(high)


def novelty(matchers: Sequence[Matcher], lengths: Sequence[int]) -> float:
    """How far from the clip a few samples are, as matched stages of these lengths leave them: see `Matcher.novelty`."""
    random = np.random.default_rng(0)
    noises: list[Rows | None] = [random.standard_normal((SAMPLES, 1, length), dtype=np.float32) for length in lengths]
    base = np.zeros((SAMPLES, matchers[0].width, lengths[0]), dtype=np.float32)
    return float(np.mean([matchers[-1].novelty(rows) for rows in run_stages(matchers, lengths, noises, base)]))
