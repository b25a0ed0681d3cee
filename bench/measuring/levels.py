"""Seconds per iteration of each level, Riff's and the baseline's in turn, and estimates for whole recipes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch

from core.model.recipe import GANIMATOR, Recipe
from core.motion.motion import Motion
from core.system.devices import pick_device
from core.training.checkpoint import Checkpoint
from core.training.cuda_graphs import WARM_UP
from core.training.level import LevelRun
from core.training.session import open_session
from core.training.stage import Stage
from core.training.train import iterate_level, start_level
from core.training.workers import TRIAL_RUNS

from .baseline import Baseline
from .timing import Call, Lap, in_turn, median, spread, timed, with_threads

BASELINE = "baseline"


class Ours:
    """Training by core that enters the levels untrained: the cost of an iteration does not depend on the weights."""

    def __init__(self, motion: Motion, recipe: Recipe, device: str, threads: int) -> None:
        before = torch.get_num_threads()
        self._open = ExitStack()
        opening = open_session(Checkpoint(motion, recipe), pick_device(device), threads, lambda: False)
        self.session = self._open.enter_context(opening)
        self.threads = torch.get_num_threads()
        torch.set_num_threads(before)
        self.finished: list[Stage] = []
        self.run: LevelRun | None = None

    def start_level(self, level: int) -> None:
        if self.run is not None:
            self.finished += self.run.stages
        self.run = start_level(self.session, self.finished, level)

    def iterate(self) -> None:
        assert self.run is not None
        iterate_level(self.session, self.run)

    def close(self) -> None:
        self._open.close()


def measure_level(
    level: int, ours: dict[str, Ours], baseline: Baseline | None, rounds: int, device: str, threads: int
) -> dict[str, Any]:
    """Measure the start of a level and its iterations; every contender has trained or skipped the levels below."""
    starts: dict[str, Lap] = {}
    calls: dict[str, Call] = {}
    if baseline is not None:
        baseline.start_level(level)
        calls[BASELINE] = with_threads(threads, baseline.iterate)
    for name, contender in ours.items():
        start = partial(contender.start_level, level)
        starts[name] = timed(with_threads(contender.threads, start), device)
        calls[name] = with_threads(contender.threads, contender.iterate)
    # On a CPU training first finds the faster of two ways. On a CUDA device steps are recorded after a few plain runs,
    # those with and those without a reconstruction.
    laps = in_turn(calls, rounds, len(TRIAL_RUNS) if device == "cpu" else 2 * (WARM_UP + 2), device)
    seconds = {name: spread(values) for name, values in laps.items()}
    if baseline is not None:
        for name in ours:
            pairs = zip(laps[BASELINE], laps[name], strict=True)
            seconds[name]["baseline_over_this"] = median([Lap(a.seconds / b.seconds, 0.0) for a, b in pairs])
    return {"start": {name: lap.seconds for name, lap in starts.items()}, "iteration": seconds}


def measure_levels(
    motion: Motion, recipes: Sequence[Recipe], rounds: int, device: str, threads: int, with_baseline: bool = True
) -> dict[str, Any]:
    """Measure all levels of the recipes and of the baseline, and estimate each whole recipe; every value fits JSON.
    Raises ClipError for a clip that cannot be trained on."""
    baseline = Baseline(motion, device=device) if with_baseline else None
    ours = {recipe.name: Ours(motion, recipe, device, threads) for recipe in recipes}
    try:
        levels = [measure_level(k, ours, baseline, rounds, device, threads) for k in range(GANIMATOR.levels)]
    finally:
        for contender in ours.values():
            contender.close()
    counts = {recipe.name: recipe.iterations for recipe in recipes}
    if with_baseline:
        counts[BASELINE] = GANIMATOR.iterations
    return {"levels": levels, "whole": {name: whole_seconds(levels, name, count) for name, count in counts.items()}}


def whole_seconds(levels: Sequence[dict[str, Any]], name: str, iterations: Sequence[int]) -> dict[str, Any]:
    """Estimate the seconds of a whole recipe with the starts of its levels, from medians, lower and upper quartiles."""
    starts = sum(level["start"].get(name, 0.0) for level in levels)
    rows = [level["iteration"][name] for level in levels]
    total = {
        key: starts + sum(count * value(row) for count, row in zip(iterations, rows, strict=True))
        for key, value in (
            ("seconds", lambda r: r["median"]),
            ("low", lambda r: r["quartiles"][0]),
            ("high", lambda r: r["quartiles"][1]),
        )
    }
    busy = sum(count * row["processor"] for count, row in zip(iterations, rows, strict=True))
    return {**total, "processor_seconds": busy, "iterations": list(iterations)}
