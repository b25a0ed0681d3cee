"""Figures of a model's samples, raw and with clean feet, compared with its source and the cheats."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from core.evaluation.metrics import evaluate
from core.generation.generate import Sampler, generate
from core.model.model import Model
from core.motion.feet_cleanup import clean_feet
from core.motion.motion import Motion
from core.system.console import ProgressLine

from .cheats import all_cheats
from .table import Row

Reduce = Callable[[Motion], Motion]
RAW, CLEAN = "Riff, raw", "Riff, clean feet"


def unreduced(motion: Motion) -> Motion:
    return motion


def sample_rows(model: Model, count: int, seed: int, origin: str, reduce: Reduce = unreduced) -> list[Row]:
    """Measure samples twice as long as the source in two rows: raw, and with clean feet."""
    raw = generate(model, frames=2 * model.source.frames, count=count, seed=seed, clean=False)
    cleaned = [clean_feet(motion, model.source) for motion in raw]
    return [
        Row(name, "measured", origin, evaluate_shown(name, reduce(model.source), [reduce(m) for m in motions]))
        for name, motions in ((RAW, raw), (CLEAN, cleaned))
    ]


def cheat_rows(source: Motion) -> list[Row]:
    """Measure each cheat in a row; the first, the copy, is the source itself."""
    rows = []
    for name, motion in all_cheats(source).items():
        title = "the source itself (the copy)" if motion is source else f"cheat: {name}"
        rows.append(Row(title, "measured", "here", evaluate_shown(title, source, [motion])))
    return rows


def evaluate_shown(name: str, source: Motion, samples: Sequence[Motion]) -> dict[str, float]:
    """Run `evaluate` with a line of progress on stderr."""
    with ProgressLine(sys.stderr) as line:
        return evaluate(source, samples, lambda done: line.show(f"{name}: measured {done} of {len(samples)}"))


def reconstruction_error(model: Model) -> float:
    """Return the mean absolute difference, in network rows, between the clip and its reconstruction."""
    rebuilt = model.channels.encode(Sampler(model).reconstruction().features)
    return float(np.abs(rebuilt - model.channels.encode(model.source.features)).mean())


def generation_milliseconds(model: Model, rounds: int = 5) -> dict[str, float]:
    """Return the least milliseconds for one variation as long as the source by a ready sampler, and for cleaning its
    feet."""
    sampler = Sampler(model)
    sampling, cleaning = [], []
    for seed in range(rounds):
        started = time.perf_counter()
        (motion,) = sampler.sample(model.source.frames, 1, seed)
        sampled = time.perf_counter()
        clean_feet(motion, model.source)
        sampling.append(sampled - started)
        cleaning.append(time.perf_counter() - sampled)
    return {"sample": 1e3 * min(sampling), "clean_feet": 1e3 * min(cleaning)}
