"""Warm start from a model of the same skeleton compared with a cold start: quality after the same few iterations.

Writes bench/results/warm-<clip>-<recipe>.json and .md; a training that the JSON holds is not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import ClipError, RiffError
from core.model.model import Model
from core.model.model_file import load_model
from core.model.recipe import RECIPES, Recipe
from core.motion.motion import Motion
from core.numeric.smoothing import SMOOTHING_ROWS

from .curve import RESULTS
from .measuring.bar import check_bar
from .measuring.cheats import with_noise
from .measuring.machine import circumstances, repeatable
from .measuring.measure import CLEAN, RAW, evaluate_shown, reconstruction_error, sample_rows
from .measuring.table import publish
from .measuring.training import SAMPLE, clip_name, read_clip, train_model

SCALES = (0.1, 0.2, 0.4)
SAMPLE_COUNT = 10
COLD, WARM, NO_CRITICS = "from nothing", "from the model", "from its generators alone"

COLUMNS = {
    "coverage": "coverage",
    "rotation_global_diversity": "global div., rotations only",
    "novelty": "novelty",
    "window_frechet": "window Fréchet",
    "roughness": "roughness",
    "foot_skating_ratio": "skating ÷ source's",
}


def measure(motion: Motion, recipe: Recipe, start: Model | None, options: argparse.Namespace) -> dict[str, Any]:
    """Train once, with or without a warm start, and measure; every value fits JSON. Raises RiffError."""
    recipe = replace(recipe, warm_share=1.0)
    model = train_model(motion, recipe, clip_name(options.clip), seed=options.seed, device=options.device, start=start)
    rows = sample_rows(model, options.count, options.seed, f"{options.count} samples")
    return {
        "seconds": model.seconds,
        "iterations": list(model.recipe.iterations),
        "seed": options.seed,
        "samples": options.count,
        "reconstruction_error": reconstruction_error(model),
        "figures": {row.name: row.figures for row in rows},
        **circumstances(model.device),
    }


def report_markdown(report: dict[str, Any]) -> str:
    lines = [
        f"{report['clip']}, recipe {report['recipe']}, started from {report['start']}; `{report['command']}`",
        "",
        "| started | × iterations | seconds | bar kept | reconstruction | " + " | ".join(COLUMNS.values()) + " |",
        "|---|---:|---:|---:|---:|" + "---:|" * len(COLUMNS),
    ]
    for row in report["trainings"]:
        raw, clean = row["figures"][RAW], row["figures"][CLEAN]
        checks = check_bar(raw, clean, report["smooth_noise"])
        kept = f"{sum(check.kept for check in checks)} of {len(checks)}"
        cells = [f"{clean[key]:.2f}" if key in clean else "" for key in COLUMNS]
        first = [row["started"], f"{row['scale']}", f"{row['seconds']:.0f}", kept, f"{row['reconstruction_error']:.4f}"]
        lines.append("| " + " | ".join([*first, *cells]) + " |")
    return "\n".join(lines) + "\n\nFigures with clean feet.\n"


def run(options: argparse.Namespace) -> None:
    """Train and measure the missing cases; results are written after each training. Raises RiffError."""
    motion, recipe, known = read_clip(options.clip), RECIPES[options.recipe], load_model(options.start)
    stem = options.out / f"warm-{clip_name(options.clip)}-{options.recipe}"
    file = stem.with_suffix(".json")
    done: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["trainings"] if file.exists() else []
    models = {COLD: None, WARM: known, NO_CRITICS: replace(known, critics={})}
    report = {
        "clip": clip_name(options.clip),
        "recipe": recipe.name,
        "start": known.name,
        "start_seconds": known.seconds,
        "command": repeatable("bench.warm", options.given),
        "trainings": done,
        "smooth_noise": evaluate_shown("smooth noise", motion, [with_noise(motion, SMOOTHING_ROWS)]),
    }
    for scale, started in wanted(options.scales, options.started, done):
        row = measure(motion, recipe.scaled(scale), models[started], options)
        done.append({"scale": scale, "started": started, **row})
        publish(stem, report, report_markdown(report))


def wanted(scales: Sequence[float], started: Sequence[str], done: Sequence[dict[str, Any]]) -> list[tuple[float, str]]:
    """Return the trainings that are missing, short ones first."""
    known = {(row["scale"], row["started"]) for row in done}
    return [(scale, how) for scale in sorted(scales) for how in started if (scale, how) not in known]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.warm", description="What starting from a model saves.")
    parser.add_argument("--clip", default=SAMPLE, help="BVH file, name of a clip in $RIFF_DATA, or sample (default)")
    parser.add_argument("--start", type=Path, required=True, help="model of another clip on the same skeleton")
    parser.add_argument("--recipe", choices=RECIPES, default="fast")
    parser.add_argument("--scales", type=float, nargs="+", default=SCALES, help="factors on the recipe's iterations")
    parser.add_argument("--started", choices=(COLD, WARM, NO_CRITICS), nargs="+", default=[COLD, WARM])
    parser.add_argument("--count", type=int, default=SAMPLE_COUNT, help=f"samples to measure ({SAMPLE_COUNT})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    options = parser.parse_args(arguments)
    options.given = list(sys.argv[1:] if arguments is None else arguments)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    try:
        if min(options.scales) <= 0 or options.count < 1:
            raise ClipError("Scales must be above 0, and at least one sample must be measured.")
        run(options)
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
