"""Memory and cancellation of one training in a separate process: peak memory, and the time until a stop takes effect.
Run by `bench.speed`; prints JSON."""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core.errors import Cancelled, RiffError
from core.model.recipe import RECIPES, Recipe
from core.motion.motion import Motion
from core.system.memory import limit_malloc_arenas
from core.training.progress import Progress
from core.training.train import train

from .measuring.training import SAMPLE, read_clip

MEGABYTE = 1e6


def peak_megabytes() -> float:
    """Return the peak memory of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux a started program inherits the parent's peak in getrusage.
        (line,) = (line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MEGABYTE
    kilobytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobytes / MEGABYTE


class Watch:
    """Replacement of Cancel button and panel: records the times at which training asks, and cancels in the last level.

    `spans` are the times between two questions, from the first iteration on.
    """

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations
        self.asked = [time.perf_counter()]
        self.first = 0
        self.counted = 0
        self.peaks: list[float] = []
        self.pressed = float("inf")

    def __call__(self) -> bool:
        now = time.perf_counter()
        self.asked.append(now)
        return now >= self.pressed

    def hear(self, progress: Progress) -> None:
        self.first = self.first or len(self.asked) - 1
        self.peaks.append(peak_megabytes())
        self.counted += progress.level == progress.levels
        if self.counted == self.iterations:
            # In the middle of an iteration of this level.
            self.pressed = time.perf_counter() + 0.5 / progress.steps_per_second

    @property
    def spans(self) -> list[float]:
        return [b - a for a, b in itertools.pairwise(self.asked[self.first :])]


def measure(motion: Motion, recipe: Recipe, iterations: int, device: str, threads: int | None) -> dict[str, Any]:
    """Train `iterations` of every level, then cancel in the middle of one; every value fits JSON.

    A stop at a random moment waits for the rest of the current span between two questions: on average E[s²] / 2 E[s] of
    the spans s. The longest span is the worst case, inside an iteration or between two levels.
    """
    before = peak_megabytes()
    watch = Watch(iterations)
    counts = (*(iterations,) * (recipe.levels - 1), 1000 * iterations)
    try:
        train(motion, replace(recipe, iterations=counts), watch.hear, watch, device=device, threads=threads)
    except Cancelled:
        stopped = time.perf_counter() - watch.pressed
    cuda = torch.cuda.max_memory_allocated() / MEGABYTE if torch.cuda.is_available() and device != "cpu" else None
    return {
        "recipe": recipe.name,
        "iterations_each_level": iterations,
        "memory_mb": {"imported": before, "first_level": watch.peaks[0], "peak": watch.peaks[-1], "cuda_peak": cuda},
        "stop_seconds": {
            "measured_at_last_level": stopped,
            "typical": waiting(watch.spans),
            "longest": max(watch.spans),
            "before_first_iteration": watch.asked[watch.first] - watch.asked[0],
        },
    }


def waiting(spans: Sequence[float]) -> float:
    return statistics.fmean(span * span for span in spans) / (2.0 * statistics.fmean(spans))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.footprint", description="Memory and stopping of a training.")
    parser.add_argument("--clip", default=SAMPLE)
    parser.add_argument("--recipe", choices=RECIPES, default="fast")
    parser.add_argument("--iterations", type=int, default=4, help="of each level, at least 2 (4)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args(arguments)
    limit_malloc_arenas()  # as every process does that Riff starts to train
    try:
        motion = read_clip(options.clip)
        recipe = RECIPES[options.recipe]
        print(json.dumps(measure(motion, recipe, max(2, options.iterations), options.device, options.threads)))
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
