"""Training of the model that is shipped with the sample dancer, `make sample-model`.

Trains on the sample dance, matches the upper levels from the better of two levels on, measures the model, and writes
it small: half-precision weights, no critics, no history. The same machine gives the same weights each time.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..measuring.machine import ROOT
from ..measuring.training import read_dancer

TARGET = ROOT / "sample" / "dancer.safetensors"
NAME = "Sample Dancer"
SEED = 0


def train(package: str, motion: Any, scale: float) -> Any:
    """Train a model of all levels on the dance, with a line of progress on stderr."""
    recipe = importlib.import_module(f"{package}.core.model.recipe").FAST.scaled(scale)
    console = importlib.import_module(f"{package}.core.system.console")
    with console.ProgressLine(sys.stderr) as line:
        return importlib.import_module(f"{package}.core.training.train").train(
            motion, recipe, lambda progress: line.show(progress.describe()), seed=SEED, device="cpu"
        )


def small(package: str, model: Any) -> Any:
    """Return the model with its upper levels matched, with weights and clip of few bytes, and with its figures."""
    choice = importlib.import_module(f"{package}.core.runs.matched_choice")
    coupled_above = importlib.import_module(f"{package}.core.generation.coupled_levels").coupled_above
    candidates = [coupled_above(model, level) for level in choice.CANDIDATE_LEVELS]
    best = min(candidates, key=lambda one: choice.distance_from_bars(choice.figures_of(one)))
    light = replace(
        best,
        name=NAME,
        rig="Dancer",
        weights={name: array.astype(np.float16) for name, array in best.weights.items()},
        code=best.code.astype(np.float16),
        source=replace(best.source, features=best.source.features.astype(np.float32)),
        critics={},
        history=[],
    )
    return importlib.import_module(f"{package}.core.runs.quality").with_quality(light)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.shipped.sample_model", description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET, help=f"file to write ({TARGET.relative_to(ROOT)})")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the recipe's iterations, to try things out")
    parser.add_argument("--whole", type=Path, metavar="M.safetensors", help="where to keep the model of all levels")
    parser.add_argument("--trained", type=Path, metavar="M.safetensors", help="such a model, to train none")
    options = parser.parse_args()
    package, motion = read_dancer()
    files = importlib.import_module(f"{package}.core.model.model_file")
    model = files.load_model(options.trained) if options.trained else train(package, motion, options.scale)
    if options.whole:
        files.save_model(model, options.whole)
    light = small(package, model)
    files.save_model(light, options.out)
    print(f"{options.out.name}: {options.out.stat().st_size / 1e6:.2f} MB, trained in {light.seconds:.0f} s,")
    print(f"levels trained: {light.trained_levels} of {light.recipe.levels}; {light.quality}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
