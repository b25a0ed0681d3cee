"""How long a training will take on this machine, measured in about a second before it starts."""

from __future__ import annotations

import time
from dataclasses import replace

from .model.recipe import FAST, Recipe, rows_a_training, rows_an_iteration
from .motion.motion import Motion
from .system.devices import pick_device
from .train import Training

ROUNDS = 3


def expected_seconds(motion: Motion, recipe: Recipe, *, device: str = "auto", threads: int | None = None) -> float:
    """Seconds that `train` will need, from timing a few iterations of level 1 at the size of the fast recipe.

    Raises ClipError for a clip that cannot be trained on.
    """
    probe = replace(recipe, batch=FAST.batch, crop=FAST.crop, critic_steps=1, pool=0)
    training = Training(motion, probe, 0, pick_device(device), threads, lambda: False)
    try:
        level = training.start_level(0)
        level.iterate()
        seconds = min(_timed(level.iterate) for _ in range(ROUNDS))
    finally:
        training.close()
    lengths = training.pyramid.lengths
    rows = sum(rows_an_iteration(probe, lengths, k) for k in range(probe.stages[0]))
    return seconds * rows_a_training(recipe, lengths) / rows


def _timed(call: object) -> float:
    assert callable(call)
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
