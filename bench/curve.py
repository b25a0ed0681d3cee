"""Quality against training time: recipes with fewer and more iterations, as JSON and as one plot.

Minutes are processor time divided by cores, so that points measured under other load are comparable. One training for
each scale; a scale that the JSON holds for the same recipe is not trained again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from core.errors import ClipError, RiffError
from core.model.recipe import RECIPES, Recipe
from core.motion.motion import Motion
from core.numeric.smoothing import SMOOTHING_ROWS
from core.system.threads import usable_cores

from .measuring.cheats import with_noise
from .measuring.machine import circumstances
from .measuring.measure import CLEAN, RAW, evaluate_shown, reconstruction_error, sample_rows
from .measuring.table import write_json
from .measuring.training import SAMPLE, clip_name, read_clip, train_model

SCALES = (0.25, 0.5, 1.0, 2.0)
SAMPLE_COUNT = 10
RESULTS = Path("bench/results")

PANELS = {
    "coverage": "Coverage",
    "rotation_global_diversity": "Global diversity, rotations only",
    "novelty": "Novelty",
    "window_frechet": "Window Fréchet",
    "roughness": "Roughness (source: 1)",
    "foot_skating_ratio": "Skating ÷ source's",
}
"""Figures that are plotted, with their titles; all others are in the JSON."""

BAR = {
    "coverage": (0.98,),
    "rotation_global_diversity": (0.6,),
    "roughness": (0.9, 1.15),
    "foot_skating_ratio": (1.2, 3.0),
}
"""Limits of the quality bar for each figure."""


def measure_scale(
    motion: Motion, name: str, recipe: Recipe, scale: float, count: int, seed: int, device: str
) -> dict[str, Any]:
    """Train once and measure; every value fits JSON."""
    before = time.process_time()
    model = train_model(motion, recipe.scaled(scale), name, seed=seed, device=device)
    busy = (time.process_time() - before) / usable_cores()
    figures = {row.name: row.figures for row in sample_rows(model, count, seed, f"{count} samples")}
    return {
        "scale": scale,
        "minutes": busy / 60.0,
        "minutes_by_the_clock": model.seconds / 60.0,
        "iterations": list(model.recipe.iterations),
        "samples": count,
        "seed": seed,
        "reconstruction_error": reconstruction_error(model),
        "figures": figures,
        **circumstances(model.device),
    }


def plot_curve(curves: Mapping[str, Sequence[dict[str, Any]]], noise: dict[str, float], path: Path, title: str) -> None:
    """Plot a panel for each key figure over minutes of training: recipes raw and with clean feet, bar and noise."""
    figure, axes = plt.subplots(2, 3, figsize=(12.5, 6.4), sharex=True)
    for axis, (key, name) in zip(axes.flat, PANELS.items(), strict=True):
        for number, (recipe, points) in enumerate(curves.items()):
            points = sorted(points, key=lambda point: point["minutes"])
            minutes = [point["minutes"] for point in points]
            for row, style, words in ((RAW, "o--", f"{recipe}, raw"), (CLEAN, "o-", f"{recipe}, clean feet")):
                figures = [point["figures"][row].get(key) for point in points]
                if None not in figures:
                    axis.plot(minutes, figures, style, label=words, markersize=4, color=f"C{number}", linewidth=1.2)
        for bound in BAR.get(key, ()):
            axis.axhline(bound, color="0.5", linewidth=0.8, linestyle=":")
        if key in ("novelty", "window_frechet"):
            axis.axhline(noise[key], color="tab:red", linewidth=0.8, linestyle="--", label="smooth noise of 8°")
        axis.set_title(name, loc="left", fontsize=10)
        axis.grid(alpha=0.3)
    axes[0, 0].legend(fontsize=7)
    for axis in axes[-1]:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter("{x:g}")
        axis.set_xlabel("Minutes of training (processor time ÷ cores)")
    figure.suptitle(title, fontsize=11)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def known_points(path: Path, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the points of an earlier run of the same recipe."""
    if not path.exists():
        return []
    report = json.loads(path.read_text(encoding="utf-8"))
    curve = next((curve for curve in report["curves"] if Recipe.from_json(curve["recipe"]) == recipe), None)
    points: list[dict[str, Any]] = curve["points"] if curve else []
    return points


def known_curves(path: Path) -> dict[str, dict[str, Any]]:
    """Return all curves of an earlier run by the names of their recipes."""
    if not path.exists():
        return {}
    return {curve["recipe"]["name"]: curve for curve in json.loads(path.read_text(encoding="utf-8"))["curves"]}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.curve", description="Plot quality against training time.")
    parser.add_argument("--clip", default=SAMPLE, help="BVH file, name of a clip in $RIFF_DATA, or sample (default)")
    parser.add_argument("--recipe", choices=RECIPES, nargs="+", default=["fast"])
    parser.add_argument("--scales", type=float, nargs="+", default=SCALES, help="factors on the recipes' iterations")
    parser.add_argument("--count", type=int, default=SAMPLE_COUNT, help=f"samples to measure ({SAMPLE_COUNT})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> Path:
    """Train and measure the missing scales; return the plot's path. Raises RiffError."""
    if min(options.scales) <= 0 or options.count < 1:
        raise ClipError("Scales must be above 0, and at least one sample must be measured.")
    name = clip_name(options.clip)
    table = options.out / f"curve-{name}.json"
    motion = read_clip(options.clip)
    noise = evaluate_shown("smooth noise", motion, [with_noise(motion, SMOOTHING_ROWS)])
    curves = known_curves(table)
    for recipe in (RECIPES[wanted] for wanted in options.recipe):
        points = known_points(table, recipe)
        curves[recipe.name] = {"recipe": recipe.to_json(), "points": points}
        for scale in sorted(set(options.scales) - {point["scale"] for point in points}):
            points.append(measure_scale(motion, name, recipe, scale, options.count, options.seed, options.device))
            write_json(table, {"clip": name, "smooth_noise": noise, "curves": list(curves.values())})
    plot = table.with_suffix(".png")
    plot_curve({recipe: curve["points"] for recipe, curve in curves.items()}, noise, plot, name)
    return plot


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        print(f"Written: {run(parse(arguments))} and the figures beside it")
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
