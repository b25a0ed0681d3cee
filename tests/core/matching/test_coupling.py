"""The coupling of body parts: the same for the same clip, and such that variations differ from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.evaluation.metrics import evaluate
from core.generation.generate import generate
from core.matching.coupling import LEAST_DIFFERENCE, MAX_COUPLING, MIN_COUPLING, CouplingTrial, choose_coupling
from core.matching.instant import instant_model
from core.matching.stages import make_matchers
from core.motion.motion import Motion, with_contact_labels
from core.motion.resampling import resample


def nothing() -> None:
    """Do nothing, in place of a check for cancellation."""


@pytest.mark.parametrize("name", ["salsa", "elephant"])
def test_variations_of_a_clip_differ_from_it_as_measured(name: str, clip: Callable[[str], Motion]) -> None:
    source = with_contact_labels(resample(clip(name), 30))
    figures = evaluate(source, generate(instant_model(source, name), count=6, seed=5))
    assert 0.15 < figures["rotation_share"] < LEAST_DIFFERENCE + 0.15
    assert figures["same_time"] < 0.3


def test_looser_parts_differ_more(clip: Callable[[str], Motion]) -> None:
    model = instant_model(clip("elephant"), "elephant")
    trial = CouplingTrial(model, make_matchers(model))
    loose, tight = trial.difference(MIN_COUPLING), trial.difference(MAX_COUPLING)
    assert loose > 2.0 * tight
    assert trial.difference(MIN_COUPLING) == loose
    assert MIN_COUPLING < choose_coupling(trial, nothing) < MAX_COUPLING


class _Straight(CouplingTrial):
    """A trial whose samples differ by a straight line of the coupling's logarithm."""

    def __init__(self, slope: float, middle: float, parts: int = 4) -> None:
        self._slope, self._middle, self.parts = slope, middle, parts

    def difference(self, coupling: float) -> float:
        return LEAST_DIFFERENCE - self._slope * float(np.log(coupling / self._middle))


@pytest.mark.parametrize("middle", [0.2, 0.33, 0.6])
def test_the_coupling_follows_a_straight_line_exactly(middle: float) -> None:
    assert choose_coupling(_Straight(0.8, middle), nothing) == pytest.approx(middle, rel=1e-6)


def test_clips_that_always_or_never_differ_take_an_end_of_the_range() -> None:
    assert choose_coupling(_Straight(0.8, 100.0), nothing) == pytest.approx(MAX_COUPLING)
    assert choose_coupling(_Straight(0.8, 0.001), nothing) < 1.2 * MIN_COUPLING
    assert choose_coupling(_Straight(0.8, 0.3, parts=1), nothing) == pytest.approx(MAX_COUPLING)
