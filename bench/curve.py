"""Figures against minutes: the same recipe with fewer and with more iterations, as JSON and as a plot.

One training for each scale; a scale that the JSON already holds for the same recipe is not trained again, nor is the
whole recipe where `bench.quality` has left its figures in the same folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from core.errors import ClipError, RiffError
from core.motion import Motion
from core.novelty import SMOOTHING
from core.recipe import RECIPES, Recipe

from .cheats import with_noise
from .machine import circumstances
from .measure import CLEAN, RAW, evaluate_shown, reconstruction_error, sample_rows
from .table import write_json
from .training import SAMPLE, clip_name, read_clip, train_model

SCALES = (0.25, 0.5, 1.0, 2.0)
COUNT = 10
RESULTS = Path("bench/results")

PANELS = {
    "coverage": "Coverage",
    "rotation_global_diversity": "Global diversity, rotations only",
    "novelty": "Novelty",
    "window_frechet": "Window Fréchet",
    "roughness": "Roughness (source: 1)",
    "foot_skating_ratio": "Skating ÷ source's",
}
"""The figures that are plotted; all others are in the JSON."""

WANTED = {
    "coverage": (0.98,),
    "rotation_global_diversity": (0.6,),
    "roughness": (0.9, 1.15),
    "foot_skating_ratio": (1.2, 3.0),
}
"""Where the bar lies."""


def measure_scale(
    motion: Motion, name: str, recipe: Recipe, scale: float, count: int, seed: int, device: str,
) -> dict[str, Any]:  # fmt: skip
    """Train once and measure; every value fits JSON."""
    model = train_model(motion, recipe.scaled(scale), name, seed=seed, device=device)
    figures = {row.name: row.figures for row in sample_rows(model, count, seed, f"{count} samples")}
    return {
        "scale": scale, "minutes": model.seconds / 60.0, "iterations": list(model.recipe.iterations), "samples": count,
        "seed": seed, "reconstruction_error": reconstruction_error(model), "figures": figures,
        **circumstances(model.device),
    }  # fmt: skip


def plot_curve(points: Sequence[dict[str, Any]], noise: dict[str, float], path: Path, title: str) -> None:
    """A panel for each key figure over the minutes of training: raw, with clean feet, the bar, the smooth noise."""
    points = sorted(points, key=lambda point: point["minutes"])
    minutes = [point["minutes"] for point in points]
    figure, axes = plt.subplots(2, 3, figsize=(12.5, 6.4), sharex=True)
    for axis, (key, name) in zip(axes.flat, PANELS.items(), strict=True):
        for row, style in ((RAW, "o--"), (CLEAN, "o-")):
            if key in points[0]["figures"][row]:
                axis.plot(minutes, [point["figures"][row][key] for point in points], style, label=row, markersize=4)
        for bound in WANTED.get(key, ()):
            axis.axhline(bound, color="0.5", linewidth=0.8, linestyle=":")
        if key in ("novelty", "window_frechet"):
            axis.axhline(noise[key], color="tab:red", linewidth=0.8, linestyle="--", label="smooth noise of 8°")
        axis.set_title(name, loc="left", fontsize=10)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    for axis in axes[-1]:
        axis.set_xlabel("Minutes of training")
    figure.suptitle(title, fontsize=11)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def known_points(path: Path, recipe: Recipe) -> list[dict[str, Any]]:
    """Points of an earlier run of the very same recipe."""
    if not path.exists():
        return []
    report = json.loads(path.read_text(encoding="utf-8"))
    points: list[dict[str, Any]] = report["points"] if Recipe.from_json(report["recipe"]) == recipe else []
    return points


def point_of_report(path: Path, recipe: Recipe) -> list[dict[str, Any]]:
    """The whole recipe's point from a report of `bench.quality`; the noise that a model was sampled with is its own."""
    if not path.exists():
        return []
    report = json.loads(path.read_text(encoding="utf-8"))
    trained = replace(Recipe.from_json(report["recipe"]), sampling_noise=recipe.sampling_noise)
    if trained != recipe:
        return []
    kept = ("samples", "seed", "reconstruction_error", "command", "date", "device", "cores", "versions")
    return [{
        "scale": 1.0, "minutes": report["model"]["training_seconds"] / 60.0, "iterations": list(recipe.iterations),
        "figures": {row["name"]: row["figures"] for row in report["rows"] if row["name"] in (RAW, CLEAN)},
        **{key: report[key] for key in kept if key in report},
    }]  # fmt: skip


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.curve", description="Plot quality against training time.")
    parser.add_argument("--clip", default=SAMPLE, help="BVH file, name of a clip in $RIFF_DATA, or sample (default)")
    parser.add_argument("--recipe", choices=RECIPES, default="fast")
    parser.add_argument("--scales", type=float, nargs="+", default=SCALES, help="factors on the recipe's iterations")
    parser.add_argument("--count", type=int, default=COUNT, help=f"samples to measure ({COUNT})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> Path:
    """Train and measure the scales that are missing; returns the plot's path. Raises RiffError."""
    if min(options.scales) <= 0 or options.count < 1:
        raise ClipError("Scales must be above 0, and at least one sample must be measured.")
    name = clip_name(options.clip)
    stem = f"curve-{name}-{options.recipe}"
    table = options.out / f"{stem}.json"
    motion, recipe = read_clip(options.clip), RECIPES[options.recipe]
    points = known_points(table, recipe) or point_of_report(options.out / f"quality-{name}-{recipe.name}.json", recipe)
    noise = evaluate_shown("smooth noise", motion, [with_noise(motion, SMOOTHING)])
    for scale in sorted(set(options.scales) - {point["scale"] for point in points}):
        points.append(measure_scale(motion, name, recipe, scale, options.count, options.seed, options.device))
        report = {"clip": name, "recipe": recipe.to_json(), "smooth_noise": noise, "points": points}
        write_json(table, report)
    plot_curve(points, noise, options.out / f"{stem}.png", f"{name}, recipe {recipe.name}")
    return options.out / f"{stem}.png"


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        print(f"Written: {run(parse(arguments))} and the figures beside it")
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
