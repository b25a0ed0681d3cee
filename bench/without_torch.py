"""Generation without PyTorch compared with PyTorch, in turn.

`python -m bench.without_torch M.safetensors` prints JSON. The minimum of each counts, since the machine may be shared.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def measure(path: Path, frames: int, rounds: int) -> dict[str, Any]:
    """Return the least milliseconds of both backends for one motion, raw and with clean feet, and their largest
    difference."""
    import numpy as np
    import torch

    from core.generation.generate import Sampler
    from core.model.model_file import load_model
    from core.motion.feet_cleanup import clean_feet

    torch.set_num_threads(1)
    model = load_model(path)
    samplers = {"torch": Sampler(model, torch=True), "numpy": Sampler(model, torch=False)}
    made = [sampler.sample(frames, 1, 0)[0] for sampler in samplers.values()]
    laps: dict[str, list[float]] = {name: [] for name in samplers}
    cleaning: list[float] = []
    for seed in range(rounds):
        for name, sampler in samplers.items():
            started = time.perf_counter()
            (motion,) = sampler.sample(frames, 1, seed)
            laps[name].append(1e3 * (time.perf_counter() - started))
        started = time.perf_counter()
        clean_feet(motion, model.source)
        cleaning.append(1e3 * (time.perf_counter() - started))
    least = {name: min(values) for name, values in laps.items()}
    clean = min(cleaning)
    return {
        "model": path.stem,
        "frames": frames,
        "rounds": rounds,
        "python": sys.version.split()[0],
        "numpy_version": np.__version__,
        "sample_ms": least,
        "clean_feet_ms": clean,
        "sample_ratio": least["numpy"] / least["torch"],
        "generate_ratio": (least["numpy"] + clean) / (least["torch"] + clean),
        "greatest_difference": float(np.abs(made[0].features - made[1].features).max()),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.without_torch", description="Generating without PyTorch.")
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=648)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):
        # Before PyTorch and numpy are imported, whose threads keep the cores that they are born with.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    print(json.dumps([measure(path, options.frames, options.rounds) for path in options.models], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
