"""Seconds to load a model and to generate, in a process with one core, and a batch on all cores; prints JSON. Run by
`bench.speed`."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .machine import ROOT


def measure(path: Path, frames: int, rounds: int, batch: int) -> dict[str, Any]:
    """Return the median milliseconds of each step, and of `batch` variations compared with one. Raises ModelError."""
    import torch

    from core.generation.generate import Sampler
    from core.model.model_file import load_model
    from core.motion.feet_cleanup import clean_feet

    torch.set_num_threads(1)
    model = load_model(path)
    sampler = Sampler(model)
    motion = sampler.sample(frames, 1, 0)[0]
    one = milliseconds(lambda: sampler.sample(frames, 1, 1), rounds)
    many = milliseconds(lambda: sampler.sample(frames, batch, 1), max(3, rounds // 10))
    cleaning = milliseconds(lambda: clean_feet(motion, model.source), rounds)
    return {
        "frames": frames,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_model_ms": milliseconds(lambda: load_model(path), rounds),
        "make_sampler_ms": milliseconds(lambda: Sampler(model), rounds),
        "sample_ms": one,
        "clean_feet_ms": cleaning,
        "sample_and_clean_ms": {key: one[key] + cleaning[key] for key in ("median", "lowest")},
        "batch": batch,
        "batch_ms": many,
        "batch_over_one": many["median"] / one["median"],
        "megabytes": path.stat().st_size / 1e6,
        "trained_iterations": list(model.recipe.iterations),
        "standing_share": float((motion.contact_labels() > 0.5).mean()) if model.skeleton.contacts else 0.0,
    }


def milliseconds(call: Callable[[], object], rounds: int) -> dict[str, float]:
    """Return median, extremes and number of rounds of a call, after two calls to warm up."""
    laps = []
    for _ in range(rounds + 2):
        started = time.perf_counter()
        call()
        laps.append(1e3 * (time.perf_counter() - started))
    laps = laps[2:]
    return {"median": statistics.median(laps), "lowest": min(laps), "highest": max(laps), "rounds": rounds}


def in_fresh_processes(path: Path, frames: int, rounds: int, batch: int) -> dict[str, Any]:
    """Run `measure` in a process limited to one core, where the system supports it; the batch also on all cores."""
    alone = _in_fresh_process(path, frames, rounds, batch, 1)
    together = _in_fresh_process(path, frames, rounds, batch, 0)
    ratio = together["batch_ms"]["median"] / alone["sample_ms"]["median"]
    spread = {"cores": together["cores"], "batch_ms": together["batch_ms"], "batch_over_one": ratio}
    return {**alone, "all_cores": spread}


def _in_fresh_process(path: Path, frames: int, rounds: int, batch: int, cores: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "bench.measuring.generation",
        str(path),
        "--frames",
        str(frames),
        "--rounds",
        str(rounds),
        "--batch",
        str(batch),
        "--cores",
        str(cores),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.measuring.generation", description="Time generation.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--frames", type=int, default=648)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--cores", type=int, default=1, help="cores to use, 0 for all (1)")
    options = parser.parse_args(arguments)
    if options.cores and hasattr(os, "sched_setaffinity"):
        # Before PyTorch is imported, whose threads keep the cores that they are born with.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-options.cores :])
    print(json.dumps(measure(options.model, options.frames, options.rounds, options.batch)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
