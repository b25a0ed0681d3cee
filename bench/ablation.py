"""Ablation of Roditakis et al. 2024, Table 1, at any scale: six rows of it, some seeds of each, a table and a plot.

Rows 1 and 9 have the paper's numbers and are marked `quoted`: the baseline (batch 1, 105 thousand, λ_rec 10) and the
recipe `paper` (batch 16, λ_adv 5, 5, 2.5, 1, λ_rec 50, 75, 100, 100, 210 / 210 / 105 / 70 thousand, transfer). Of rows
4, 6, 8 and 10 it is known what they try, not each number; they are marked `described`, and change what they try alone.

Iterations are counted as in the paper: samples over all seven stages, so 105 thousand at batch 16 are 15,000 / 16 = 938
joint iterations of a level. Each training is a JSON of its own; one that is finished is not done again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from core.errors import ClipError, RiffError
from core.model.model_file import save_model
from core.model.recipe import GANIMATOR, PAPER, Recipe
from core.motion.motion import Motion
from core.system.console import format_duration

from .curve import BAR, PANELS
from .measuring.machine import circumstances, repeatable
from .measuring.measure import CLEAN, RAW, reconstruction_error, sample_rows
from .measuring.table import COLUMNS, write_json, write_whole
from .measuring.training import SAMPLE, clip_name, read_clip, train_model

STAGES = 7
SAMPLE_COUNT = 5
RESULTS = Path("bench/results")
PerLevel = tuple[float, float, float, float]
ANNEALED_ADV: PerLevel = (5.0, 5.0, 2.5, 1.0)
ANNEALED_REC: PerLevel = (50.0, 75.0, 100.0, 100.0)
ITERATIONS_105K: PerLevel = (105.0, 105.0, 105.0, 105.0)
ITERATIONS_210K: PerLevel = (210.0, 210.0, 210.0, 210.0)
ITERATIONS_ANNEALED: PerLevel = (210.0, 210.0, 105.0, 70.0)

SHOWN = (
    "coverage",
    "global_diversity",
    "local_diversity",
    "rotation_global_diversity",
    "window_frechet",
    "novelty",
    "same_time",
    "between",
    "roughness",
    "jerk_95_ratio",
    "foot_skating_ratio",
)
"""Figures of the table; all others are in the JSON of each training."""


@dataclass(frozen=True)
class AblationRow:
    """Row of the table; `quoted` rows have the paper's numbers, the others try what its row is described to try."""

    number: int
    name: str
    quoted: bool
    recipe: Recipe


def joint_iterations(thousands: PerLevel, batch: int) -> tuple[int, ...]:
    """Convert the paper's count of samples, in thousands over the seven stages, to joint iterations of each level."""
    return tuple(int(1000 * count / STAGES / batch + 0.5) for count in thousands)


def ablation_rows() -> list[AblationRow]:
    """Return the six rows by their numbers in the paper; row 9 is the recipe `paper`."""
    baseline = replace(GANIMATOR, reconstruction=(10.0,) * 4)
    alone = replace(
        PAPER,
        iterations=joint_iterations(ITERATIONS_105K, 16),
        adversarial=(1.0,) * 4,
        reconstruction=(10.0,) * 4,
        transfer=0,
    )
    longer = replace(alone, iterations=joint_iterations(ITERATIONS_210K, 16), reconstruction=(100.0,) * 4)
    larger = replace(PAPER, batch=(24,) * 4, iterations=joint_iterations(ITERATIONS_ANNEALED, 24))
    rows = [
        (1, "baseline: GANimator, batch 1", True, baseline),
        (4, "batch 16 alone", False, alone),
        (6, "batch 16, twice the samples, λ_rec 100", False, longer),
        (8, "batch 16, λ_adv and λ_rec annealed", False, replace(PAPER, transfer=0)),
        (9, "annealed, transfer: `paper`", True, PAPER),
        (10, "row 9 with batch 24", False, larger),
    ]
    return [
        AblationRow(number, name, quoted, replace(recipe, name=f"row{number:02d}"))
        for number, name, quoted, recipe in rows
    ]


def run_row(row: AblationRow, motion: Motion, seed: int, options: argparse.Namespace, folder: Path) -> bool:
    """Train and measure one row with one seed unless its file exists; return true if it ran. Raises ClipError."""
    stem = f"row{row.number:02d}-seed{seed}"
    target = folder / f"{stem}.json"
    if target.exists():
        return False
    recipe = row.recipe.scaled(options.scale)
    before = time.process_time()
    model = train_model(motion, recipe, clip_name(options.clip), seed=seed, threads=options.threads)
    busy = time.process_time() - before
    figures = {row.name: row.figures for row in sample_rows(model, options.count, seed, f"{options.count} samples")}
    options.models.mkdir(parents=True, exist_ok=True)
    save_model(model, options.models / f"{folder.name}-{stem}.safetensors")
    write_json(
        target,
        {
            "row": row.number,
            "name": row.name,
            "quoted": row.quoted,
            "clip": clip_name(options.clip),
            "frames": motion.frames,
            "scale": options.scale,
            "seed": seed,
            "samples": options.count,
            "processor_seconds": busy,
            "training_seconds": model.seconds,
            "reconstruction_error": reconstruction_error(model),
            "recipe": recipe.to_json(),
            "figures": figures,
            **circumstances(model.device),
        },
    )
    return True


def finished(folder: Path) -> dict[int, list[dict[str, Any]]]:
    """Return the reports of all finished trainings by their row."""
    reports: dict[int, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("row*-seed*.json")):
        one = json.loads(path.read_text(encoding="utf-8"))
        reports.setdefault(one["row"], []).append(one)
    return reports


def spread(values: Sequence[float]) -> str:
    """Format the mean of the seeds, and half the distance between the least and the largest where there are several."""
    half = 0.5 * (max(values) - min(values))
    return f"{statistics.mean(values):.2f}" + (f" ± {half:.2f}" if len(values) > 1 else "")


def table(reports: dict[int, list[dict[str, Any]]], way: str) -> str:
    """Return the figures of all finished rows as Markdown, raw or with clean feet."""
    shown = [column for column in COLUMNS if column.key in SHOWN]
    head = ["row", "numbers", "seeds", "processor time", "reconstruction error", *(one.heading for one in shown)]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
    for number in sorted(reports):
        seeds = reports[number]
        cells = [
            f"{number}. {seeds[0]['name']}",
            "quoted" if seeds[0]["quoted"] else "described",
            f"{len(seeds)}",
            format_duration(statistics.mean(one["processor_seconds"] for one in seeds)),
            f"{statistics.mean(one['reconstruction_error'] for one in seeds):.4f}",
        ]
        for column in shown:
            values = [one["figures"][way][column.key] for one in seeds if column.key in one["figures"][way]]
            cells.append(spread(values) if values else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(reports: dict[int, list[dict[str, Any]]], path: Path, title: str) -> None:
    """Plot key figures over processor seconds: a point for each training, with clean feet, a colour for each row."""
    figure, axes = plt.subplots(2, 3, figsize=(12.5, 6.4), sharex=True)
    for axis, (key, name) in zip(axes.flat, PANELS.items(), strict=True):
        for colour, number in enumerate(sorted(reports)):
            points = [
                (one["processor_seconds"], one["figures"][CLEAN][key])
                for one in reports[number]
                if key in one["figures"][CLEAN]
            ]
            if points:
                label = f"{number}. {reports[number][0]['name']}"
                axis.plot(*zip(*points, strict=True), "o", color=f"C{colour}", markersize=5, label=label)
        for bound in BAR.get(key, ()):
            axis.axhline(bound, color="0.5", linewidth=0.8, linestyle=":")
        axis.set_title(name, loc="left", fontsize=10)
        axis.grid(alpha=0.3)
    axes[0, 0].legend(fontsize=7)
    for axis in axes[-1]:
        axis.set_xlabel("Processor seconds of training")
        axis.set_xlim(left=0.0)
    figure.suptitle(title, fontsize=11)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def page(reports: dict[int, list[dict[str, Any]]], command: str) -> str:
    """Return the page of all finished trainings as Markdown."""
    every = [one for seeds in reports.values() for one in seeds]
    first = every[0]
    dates = sorted({one["date"] for one in every})
    return f"""# Ablation: {first["clip"]}, {first["frames"]} frames, {first["scale"]:g} times the iterations

`{command}`

{dates[0]}{f" to {dates[-1]}" if len(dates) > 1 else ""}, {first["device"]}, Riff {first["versions"]["riff"]}.
{first["samples"]} samples of each training, twice as long as the clip. A mean of several seeds is followed by half \
the distance between the least and the largest. Rows marked quoted have the paper's own numbers, the others try what \
its row is described to try: see `bench/ablation.py`.

## With clean feet

{table(reports, CLEAN)}

## As the networks made them

{table(reports, RAW)}
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ablation", description="Run the rows of the ablation.")
    parser.add_argument("--clip", default=SAMPLE, help="BVH file, name of a clip in $RIFF_DATA, or sample (default)")
    parser.add_argument("--frames", type=int, default=0, help="learn the clip's first frames only (0: all)")
    parser.add_argument("--scale", type=float, default=1.0, help="this many times the rows' iterations")
    parser.add_argument("--row", type=int, action="append", help="run this row only; may be given several times")
    parser.add_argument("--count", type=int, default=SAMPLE_COUNT, help=f"samples to measure ({SAMPLE_COUNT})")
    parser.add_argument("--seed", type=int, action="append", help="seed of a training (0); may be given several times")
    parser.add_argument("--threads", type=int, help="processor threads of a training (all cores)")
    parser.add_argument("--out", type=Path, help="folder of the rows (bench/results/ablation-CLIP-SCALE)")
    parser.add_argument("--models", type=Path, default=Path("build/ablation"), help="folder of the trained models")
    parser.add_argument("--list", action="store_true", help="only show the rows")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, command: str) -> Path:
    """Run the requested rows that are not finished; return the page's path. Raises ClipError."""
    rows = ablation_rows()
    numbers = [row.number for row in rows]
    wanted = set(options.row or numbers)
    if not wanted <= set(numbers):
        raise ClipError(f"The rows are {', '.join(map(str, numbers))}.")
    folder = options.out or RESULTS / f"ablation-{clip_name(options.clip)}-{options.scale:g}"
    motion = read_clip(options.clip)
    if options.frames:
        motion = motion.slice(0, options.frames)
    for seed in options.seed or [0]:
        for row in rows:
            if row.number in wanted:
                ran = run_row(row, motion, seed, options, folder)
                done = "done" if ran else "was done before"
                print(f"Row {row.number}, {row.name}, seed {seed}: {done}", flush=True)
    reports = finished(folder)
    title = f"{clip_name(options.clip)}, {motion.frames} frames, {options.scale:g} times the iterations, clean feet"
    plot(reports, folder / "ablation.png", title)
    return write_whole(folder / "ablation.md", page(reports, command))


def show_rows() -> None:
    for row in ablation_rows():
        recipe = row.recipe
        said = "quoted" if row.quoted else "described"
        print(
            f"{row.number:2} {said:9} {row.name}: batch {recipe.batch[0]}, "
            f"iterations {recipe.iterations}, λ_adv {recipe.adversarial}, λ_rec {recipe.reconstruction}, "
            f"transfer {recipe.transfer}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parse(words)
    if options.list:
        show_rows()
        return 0
    try:
        print(run(options, repeatable("bench.ablation", words)).read_text(encoding="utf-8"))
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
