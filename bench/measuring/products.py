"""Generation and matching by a numpy with a BLAS, without one, and with Riff's OpenBLAS. Run by `bench.speed`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_BLAS = ROOT / "build/without-blas/311/bin/python"
"""Python whose numpy has no BLAS, as Blender's from blender.org: `make without-blas`."""

FIGURES = (
    ("generate", "generate {} frames"),
    ("match", "match {} frames"),
    ("batch", "generate {batch} at once on all cores ÷ one"),
)
"""Keys of the figures, and what they say."""


def measure(path: Path, frames: int, rounds: int, batch: int) -> dict[str, Any]:
    """Return the least milliseconds of one generated and one matched motion, and what a batch costs beside one."""
    from core.generation.generate import Sampler
    from core.matching.instant import instant_model
    from core.model.model_file import load_model

    model = load_model(path)
    trained, matched = Sampler(model, torch=False), Sampler(instant_model(model.source), torch=False)
    one = _milliseconds(lambda: trained.sample(frames, 1, 1), rounds)
    many = _milliseconds(lambda: trained.sample(frames, batch, 1), max(1, rounds // 10))
    return {"generate": one, "match": _milliseconds(lambda: matched.sample(frames, 1, 1), rounds), "batch": many / one}


def _milliseconds(call: Callable[[], object], rounds: int) -> float:
    call()
    laps = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        laps.append(1e3 * (time.perf_counter() - started))
    return min(laps)


def compare(path: Path, frames: int, rounds: int = 30, batch: int = 100) -> dict[str, Any]:
    """Return the figures of each kind of numpy; of this Python's alone where no other was built."""
    figures = {"numpy's own BLAS": _in_process(sys.executable, path, frames, rounds, batch, "--without-library")}
    if WITHOUT_BLAS.is_file():
        other = str(WITHOUT_BLAS)
        figures["no BLAS, Riff's OpenBLAS"] = _in_process(other, path, frames, rounds, batch)
        figures["no BLAS at all"] = _in_process(other, path, frames, rounds, batch, "--without-library")
    return {"frames": frames, "batch": batch, "kinds": figures}


def _in_process(python: str, path: Path, frames: int, rounds: int, batch: int, *options: str) -> dict[str, Any]:
    numbers = (f"--frames={frames}", f"--rounds={rounds}", f"--batch={batch}")
    command = [python, "-m", "bench.measuring.products", str(path), *numbers, *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def products_table(report: dict[str, Any]) -> str:
    """Format the figures as a table, a column for each kind of numpy with its share of the first one's time."""
    kinds = report["kinds"]
    first = next(iter(kinds.values()))
    lines = ["| without PyTorch, lowest | " + " | ".join(kinds) + " |", "|---|" + "---:|" * len(kinds)]
    for key, words in FIGURES:
        unit = "" if key == "batch" else " ms"
        cells = [f"{row[key]:.1f}{unit} ({row[key] / first[key]:.2f} ×)" for row in kinds.values()]
        lines.append(f"| {words.format(report['frames'], batch=report['batch'])} | " + " | ".join(cells) + " |")
    if len(kinds) == 1:
        lines.append("\nThe numpy without a BLAS was **not measured**: `make without-blas` builds it.")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.measuring.products", description="Time matrix products.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--frames", type=int, default=648)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--without-library", action="store_true", help="as if Riff brought no OpenBLAS")
    options = parser.parse_args(arguments)
    if options.without_library:
        from core.numeric import matrix_product

        matrix_product.load_openblas = lambda: None  # type: ignore[assignment]
    print(json.dumps(measure(options.model, options.frames, options.rounds, options.batch)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
