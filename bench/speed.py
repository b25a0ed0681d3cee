"""Speed of Riff, `make bench-speed`: training compared with the baseline, generation, memory and cancellation.

Writes bench/results/speed-<clip>-<device>.json and .md.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from core.errors import ClipError, RiffError
from core.model.model import Model
from core.model.model_file import load_model, save_model
from core.model.recipe import FAST, RECIPES
from core.motion.motion import Motion
from core.system.devices import pick_device
from core.system.threads import usable_cores

from .measuring.generation import in_fresh_processes
from .measuring.levels import BASELINE, measure_levels
from .measuring.machine import ROOT, circumstances, repeatable
from .measuring.products import compare, products_table
from .measuring.table import publish
from .measuring.timing import load
from .measuring.training import SAMPLE, clip_name, read_clip, train_model

RESULTS = Path("bench/results")
TIMING_ROUNDS = 7
SHORT_TRAINING = 0.02
"""Share of the recipe `fast` after which a model generates as fast as a finished one and its feet stand at times."""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all figures; every value fits JSON. Raises RiffError."""
    clip, motion = find_clip(options.clip)
    device = str(pick_device(options.device))
    threads = options.threads or usable_cores()
    recipes = [RECIPES[name] for name in options.recipes]
    before = load()
    started = time.perf_counter()
    report: dict[str, Any] = {
        "clip": clip_name(clip),
        "frames": motion.frames,
        "fps": motion.fps,
        **circumstances(device),
        "threads": threads,
        "command": repeatable("bench.speed", options.given),
        "load_before": before,
        "training": measure_levels(motion, recipes, options.rounds, device, threads),
        "footprint": [footprint(clip, name, device, threads) for name in options.recipes],
        "generation": measure_generation(motion, clip, options, device),
    }
    return {**report, "load_after": load(), "took_seconds": time.perf_counter() - started}


def find_clip(wanted: str | None) -> tuple[str, Motion]:
    """Return the requested clip; by default salsa if it is there, else the sample dancer. Raises ClipError."""
    if wanted:
        return wanted, read_clip(wanted)
    try:
        return "salsa", read_clip("salsa")
    except ClipError:
        return SAMPLE, read_clip(SAMPLE)


def footprint(clip: str, recipe: str, device: str, threads: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "bench.footprint",
        "--clip",
        clip,
        "--recipe",
        recipe,
        "--device",
        device,
        "--threads",
        str(threads),
        "--iterations",
        "4" if recipe == "fast" else "2",
    ]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def measure_generation(motion: Motion, clip: str, options: argparse.Namespace, device: str) -> dict[str, Any]:
    """Measure loading and generation on one core, by the given model or one trained for a moment."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_model(known_or_short(motion, clip, options.model, device), path)
        return {**in_fresh_processes(path, options.frames, 50, 100), "products": compare(path, options.frames)}


def known_or_short(motion: Motion, clip: str, path: Path | None, device: str) -> Model:
    if path is not None:
        return load_model(path)
    return train_model(motion, FAST.scaled(SHORT_TRAINING), clip_name(clip), device=device)


def report_markdown(report: dict[str, Any]) -> str:
    """Format the table and the circumstances of the measurement."""
    where = (
        f"{report['clip']}, {report['device']}, {report['cores']} cores, {report['threads']} threads, PyTorch "
        f"{report['versions']['torch']}, {report['date']}; load {report['load_before'][:1]} before, "
        f"{report['load_after'][:1]} after; `{report['command']}`"
    )
    parts = [where, training_table(report["training"]), footprint_table(report["footprint"])]
    return (
        "\n\n".join([*parts, generation_table(report["generation"]), products_table(report["generation"]["products"])])
        + "\n"
    )


def training_table(training: dict[str, Any]) -> str:
    levels, whole = training["levels"], training["whole"]
    heads = [f"level {k + 1}" for k in range(len(levels))]
    lines = [
        "| seconds an iteration (quartiles) | " + " | ".join(heads) + " | whole recipe | baseline ÷ this |",
        "|---|" + "---:|" * (len(levels) + 2),
    ]
    for name in [BASELINE, *(key for key in whole if key != BASELINE)]:
        cells = [_seconds(level["iteration"][name]) for level in levels]
        ratio = whole[BASELINE]["seconds"] / whole[name]["seconds"]
        total = f"{duration(whole[name]['seconds'])} ({duration(whole[name]['low'])}–{duration(whole[name]['high'])})"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {total} | {ratio:.1f} |")
    return "\n".join(lines)


def _seconds(row: dict[str, Any]) -> str:
    low, high = row["quartiles"]
    return f"{row['median']:.3f} ({low:.3f}–{high:.3f})"


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def footprint_table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| training | peak memory | of it PyTorch and clip | on the GPU | stop, typical | stop, longest |",
        "|---|" + "---:|" * 5,
    ]
    for row in rows:
        memory, stop = row["memory_mb"], row["stop_seconds"]
        cuda = f"{memory['cuda_peak']:.0f} MB" if memory["cuda_peak"] is not None else "–"
        lines.append(
            f"| {row['recipe']} | {memory['peak']:.0f} MB | {memory['imported']:.0f} MB | {cuda} "
            f"| {stop['typical']:.2f} s | {stop['longest']:.2f} s |"
        )
    return "\n".join(lines)


def generation_table(row: dict[str, Any]) -> str:
    shown = (
        ("load a model", "load_model_ms"),
        ("prepare its networks", "make_sampler_ms"),
        (f"generate {row['frames']} frames", "sample_ms"),
        ("clean the feet", "clean_feet_ms"),
        (f"generate {row['batch']} at once", "batch_ms"),
    )
    lines = ["| on one core | median | lowest |", "|---|---:|---:|"]
    lines += [f"| {name} | {row[key]['median']:.1f} ms | {row[key]['lowest']:.1f} ms |" for name, key in shown]
    lines.append(f"| {row['batch']} at once ÷ one | {row['batch_over_one']:.0f} | |")
    spread = row["all_cores"]
    name = f"{row['batch']} at once on {spread['cores']} cores"
    lines.append(f"| {name} | {spread['batch_ms']['median']:.1f} ms | {spread['batch_ms']['lowest']:.1f} ms |")
    return "\n".join([*lines, f"| {name} ÷ one | {spread['batch_over_one']:.0f} | |"])


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description="Time Riff beside the baseline.")
    parser.add_argument("--clip", help="BVH file, name of a clip in $RIFF_DATA, or sample (salsa where it is)")
    parser.add_argument("--recipes", choices=RECIPES, nargs="+", default=list(RECIPES))
    parser.add_argument(
        "--rounds", type=int, default=TIMING_ROUNDS, help=f"laps of each contender at each level ({TIMING_ROUNDS})"
    )
    parser.add_argument("--frames", type=int, default=648, help="frames to generate (648)")
    parser.add_argument("--model", type=Path, help="model to generate with; else one is trained for a moment")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, help="cores to use (all)")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    options = parser.parse_args(arguments)
    options.given = list(sys.argv[1:] if arguments is None else arguments)
    return options


def device_slug(device: str) -> str:
    """Return a short name of the device for file names."""
    return (
        torch.cuda.get_device_name(device).lower().replace(" ", "-")
        if device.startswith("cuda")
        else (f"cpu-{platform.machine()}")
    )


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    try:
        report = measure(options)
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    stem = options.out / f"speed-{report['clip']}-{device_slug(str(pick_device(options.device)))}"
    publish(stem, report, report_markdown(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
