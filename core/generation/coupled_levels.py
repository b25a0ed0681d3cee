"""Matched levels above trained ones, with the coupling of body parts measured on what the networks below make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..matching.coupling import MIN_COUPLING_ABOVE, CouplingTrial, choose_coupling, trial_size
from ..matching.instant import matched_above
from ..matching.matcher import Matcher, never_cancelled
from ..model.model import Model
from ..model.pyramid import Rows, run_stages
from ..system.threads import one_thread
from .generate import Sampler
from .noise import noise_code

TRIAL_SEED = 0xFFFFFE00
"""Seed of the samples on which a coupling is measured: no variation that a person looks at is among them."""


def coupled_above(model: Model, level: int, check_cancelled: Callable[[], None] = never_cancelled) -> Model:
    """Return a trained model whose levels after `level`, counted from 1, are matched, with a coupling of its own.

    Networks have coupled the parts already: with the coupling that the clip has without training, variations of many
    clips come out too near to it. Repeated cycles keep theirs, since it holds the limbs in phase. `check_cancelled` is
    called often and may raise. Raises ValueError for a level that the recipe does not have.
    """
    above = matched_above(model, level)
    matched = above.matched
    if matched is None or above.source.repeats or matched.first == above.recipe.stage_count:
        return above
    with one_thread():
        sampler = Sampler(above)
        matchers = [one for one in sampler.generators if isinstance(one, Matcher)]
        trial = CouplingTrial(above, matchers, _trained_rows(sampler, check_cancelled))
        coupling = choose_coupling(trial, check_cancelled, MIN_COUPLING_ABOVE)
    return replace(above, matched=replace(matched, coupling=coupling))


def _trained_rows(sampler: Sampler, check_cancelled: Callable[[], None]) -> Rows:
    """Return the rows (N, C, T) of a trial's samples as the trained stages make them."""
    count, frames = trial_size(sampler.model)
    trained = sampler.model.trained_stages
    lengths, amplitudes = sampler.model.recipe.lengths(frames)[:trained], sampler.amplitudes()
    samples = []
    for number in range(count):
        check_cancelled()
        noises: list[Rows | None] = [
            noise_code(TRIAL_SEED, number, stage, length)[None] * np.float32(amplitudes[stage])
            for stage, length in enumerate(lengths)
        ]
        samples.append(run_stages(sampler.generators[:trained], lengths, noises, sampler.zero_rows(1, lengths[0])))
    return np.concatenate(samples)
