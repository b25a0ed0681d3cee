"""Memory and stopping of one training, in a process of its own: peak memory, how long a stop takes at any moment.

Run by `bench.speed`; prints JSON.
"""

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

from core.errors import RiffError, TrainingStopped
from core.motion import Motion
from core.recipe import RECIPES, Recipe
from core.train import train

from .training import SAMPLE, read_clip

MEGABYTE = 1e6


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux hands what getrusage says down from the parent to a program that it starts.
        (line,) = (line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MEGABYTE
    kilobytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobytes / MEGABYTE


class Watch:
    """Stands in for the Cancel button: notes when training asks; presses after `iterations` of each level."""

    def __init__(self, levels: int, iterations: int) -> None:
        self.wanted = levels * iterations
        self.asked = [time.perf_counter()]
        self.peaks: list[float] = []
        self.pressed = float("inf")

    def __call__(self) -> bool:
        now = time.perf_counter()
        self.asked.append(now)
        self.peaks.append(peak_megabytes())
        if len(self.peaks) == self.wanted:
            self.pressed = now + (self.asked[-1] - self.asked[-2]) / 3.0
        return now >= self.pressed


def measure(motion: Motion, recipe: Recipe, iterations: int, device: str, threads: int | None) -> dict[str, Any]:
    """Train `iterations` of every level, then stop in the middle of one; every value fits JSON.

    A stop that comes at no special moment waits for the rest of the span in which training does not ask: on average
    E[s²] / 2 E[s] of the spans s. The longest span is the worst.
    """
    before = peak_megabytes()
    watch = Watch(recipe.levels, iterations)
    counts = (*(iterations,) * (recipe.levels - 1), 1000 * iterations)
    try:
        train(motion, replace(recipe, iterations=counts), should_stop=watch, device=device, threads=threads)
    except TrainingStopped:
        stopped = time.perf_counter() - watch.pressed
    spans = [b - a for a, b in itertools.pairwise(watch.asked)]
    # The first span of a level holds its start, and that of level 1 everything that is done once.
    starts = [spans[level * iterations] for level in range(recipe.levels)]
    inside = [span for k, span in enumerate(spans) if k % iterations or k >= watch.wanted]
    cuda = torch.cuda.max_memory_allocated() / MEGABYTE if torch.cuda.is_available() and device != "cpu" else None
    return {
        "recipe": recipe.name, "iterations_each_level": iterations,
        "memory_mb": {"imported": before, "first_level": watch.peaks[iterations - 1], "peak": watch.peaks[-1],
                      "cuda_peak": cuda},
        "stop_seconds": {
            "measured_at_last_level": stopped, "typical": waiting(inside), "longest_iteration": max(inside),
            "longest_start_of_level": max(starts[1:], default=0.0), "before_first_iteration": starts[0],
        },
    }  # fmt: skip


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
