"""Training and generation on a CUDA device in one run; on the CPU the same path runs in a test.

Seconds per iteration at each level for Riff's recipes and the baseline, with CUDA graphs, with TF32 and without;
trainings, whole or scaled, with memory and quality; the share of the device's peak that the products reach, and the
share of time in which its kernels run; generation; determinism. Writes bench/results/cuda-<clip>-<device> as .json and
.md.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import RiffError
from core.generation.noise import noise_code
from core.generation.torch_backend import load_generator
from core.model.channels import choose_channels
from core.model.clusters import find_clusters, one_cluster
from core.model.model import Model
from core.model.model_file import group_widths
from core.model.recipe import FAST, GANIMATOR, PAPER, Recipe
from core.motion.motion import RATE, Motion, with_contact_labels
from core.motion.resampling import resample
from core.motion.skeleton import GROUP
from core.networks.networks import Generator, Graph
from core.networks.pyramid import run_stages
from core.system.devices import pick_device
from core.system.threads import usable_cores
from core.training.cuda_graphs import ALLOWED, WARM_UP, RecordedStep, recorder_for
from core.training.train import train
from core.training.workers import TorchSettings

from .footprint import peak_megabytes
from .measuring.levels import BASELINE, Ours, measure_levels
from .measuring.machine import circumstances, repeatable
from .measuring.measure import CLEAN, sample_rows
from .measuring.table import publish
from .measuring.timing import load, spread, timed
from .measuring.training import clip_name
from .speed import RESULTS, device_slug, duration, find_clip

FORMULA = """\
2 × multiplications of the dense convolutions, with G and D those of one frame through the generator and the critic, G₁
and D₁ those of their first layers, batch B, J of it under the gradient penalty, T frames that a stage trains on, S of
the clip there, a reconstruction in every R-th iteration: T · [steps · (B·G + (2B+J)·(3D − D₁) + J·(D₁ + D)) +
B·(3G − G₁ + 2D)] + S · (3G − G₁) / R, over the level's stages, and (steps + 1) · B · S · G for each frozen stage where
there is no bank. The margins that rows are packed with and elementwise work are not counted."""


WAYS = ((False, False), (False, True), (True, True))
"""Settings of each round of measurements: record steps as CUDA graphs, allow TF32."""

QUALITY = ("coverage", "rotation_global_diversity", "roughness", "foot_skating_ratio", "window_frechet")


def multiplications(groups: int, recipe: Recipe) -> dict[str, int]:
    """Return the multiplications of one frame through dense networks of `groups` groups: G, D, their first layers."""
    each = [GROUP, *group_widths(groups, recipe.hidden)]
    hidden = [a * b * groups * groups * recipe.kernel for a, b in itertools.pairwise(each)]
    generator = sum(hidden) + each[-1] * GROUP * groups * groups * recipe.kernel
    critic = sum(hidden) + each[-1] * groups * recipe.kernel
    return {"generator": generator, "critic": critic, "first": hidden[0]}


def iteration_operations(recipe: Recipe, frames: int, groups: int, level: int) -> float:
    """Return the floating-point operations of one iteration of a level by `FORMULA`; `frames` is the clip's length at
    30 fps."""
    one, lengths = multiplications(groups, recipe), recipe.lengths(frames)
    g, d, first = one["generator"], one["critic"], one["first"]
    batch, steps = recipe.batch[level], recipe.critic_steps
    judged = max(1, round(recipe.penalty_share * batch))
    start = recipe.first_stage(level)
    total = 0.0
    for stage in range(start, start + recipe.stages[level]):
        rows = recipe.rows(lengths, stage)
        critic = batch * g + (2 * batch + judged) * (3 * d - first) + judged * (first + d)
        total += rows * (steps * critic + batch * (3 * g - first + 2 * d))
        total += lengths[stage] * (3 * g - first) / recipe.reconstruct_every
    if not recipe.bank:
        total += (steps + 1) * batch * g * sum(lengths[:start])
    return 2.0 * total


def product_peak(device: str, size: int, rounds: int = 5) -> float:
    """Return the operations per second of one large matrix product with the current settings, as the peak."""
    a, b = (torch.randn(size, size, device=device) for _ in range(2))
    laps = [timed(lambda: a @ b, device).seconds for _ in range(rounds + 2)][2:]
    return 2.0 * size**3 / min(laps)


@contextmanager
def allowed(graphs: bool, tf32: bool) -> Iterator[None]:
    """Allow or forbid CUDA graphs and TF32 for trainings that begin inside the block; no effect on the CPU."""
    before, torch_before = replace(ALLOWED), TorchSettings.now()
    ALLOWED.graphs, ALLOWED.tf32 = graphs, tf32
    TorchSettings(torch_before.threads, (tf32, tf32)).use()
    try:
        yield
    finally:
        ALLOWED.graphs, ALLOWED.tf32 = before.graphs, before.tf32
        torch_before.use()


def measure_training(
    motion: Motion, recipes: Sequence[Recipe], rounds: int, device: str, size: int
) -> list[dict[str, Any]]:
    """Measure the levels of all recipes and the baseline with each setting of WAYS, and their shares of the peak."""
    result = []
    for graphs, tf32 in WAYS:
        with allowed(graphs, tf32):
            peak = product_peak(device, size)
            row = measure_levels(motion, recipes, rounds, device, usable_cores())
        add_shares(row["levels"], motion, recipes, peak)
        result.append({"graphs": graphs, "tf32": tf32, "peak_operations_per_second": peak, **row})
    return result


def add_shares(levels: Sequence[dict[str, Any]], motion: Motion, recipes: Sequence[Recipe], peak: float) -> None:
    """Add the operations of an iteration and its share of the peak to each level's figures."""
    source = with_contact_labels(resample(motion, RATE))
    for recipe in recipes:
        groups = len(choose_channels(source, recipe).groups)
        for k, level in enumerate(levels):
            figures = level["iteration"][recipe.name]
            figures["operations"] = iteration_operations(recipe, source.frames, groups, k)
            figures["share_of_peak"] = figures["operations"] / figures["median"] / peak


def train_whole(
    motion: Motion, recipe: Recipe, scale: float, device: str, samples: int
) -> tuple[Model, dict[str, Any]]:
    """Train a scaled recipe with the device's best settings; return seconds, memory, and the figures of `samples`."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    started = time.perf_counter()
    model = train(motion, recipe.scaled(scale), device=device)
    seconds = time.perf_counter() - started
    rows = sample_rows(model, samples, 0, f"{samples} samples")
    figures = {
        "recipe": recipe.name,
        "scale": scale,
        "iterations": list(model.recipe.iterations),
        "seconds": seconds,
        "samples": samples,
        "figures": {row.name: row.figures for row in rows},
        "losses": model.history[-1],
        "host_peak_mb": peak_megabytes(),
        "cuda_peak_mb": torch.cuda.max_memory_allocated(device) / 1e6 if device.startswith("cuda") else None,
    }
    return model, figures


def difference_of_repeats(motion: Motion, recipe: Recipe, device: str, iterations: int) -> float:
    """Return the largest difference between the weights of two short trainings with one seed; 0 if deterministic."""
    short = replace(recipe, iterations=(iterations,) * recipe.levels)
    first, again = (train(motion, short, seed=3, device=device).weights for _ in range(2))
    return max(float(np.abs(value - again[name]).max()) for name, value in first.items())


def device_time(motion: Motion, recipe: Recipe, device: str) -> list[dict[str, Any]]:
    """Return the kernels that one iteration of each level launches, and the share of its time in which they run."""
    contender = Ours(motion, recipe, device, usable_cores())
    rows = []
    try:
        for level in range(recipe.levels):
            contender.start_level(level)
            for _ in range(3):
                contender.iterate()
            with torch.profiler.profile() as profiler:
                lap = timed(contender.iterate, device)
            kernels = [event for event in profiler.events() if event.device_type != torch.profiler.DeviceType.CPU]
            busy = sum(event.time_range.elapsed_us() for event in kernels) / 1e6
            rows.append({"level": level + 1, "kernels": len(kernels), "busy_share": busy / lap.seconds})
    finally:
        contender.close()
    return rows


def generators_on(model: Model, device: str) -> list[Generator]:
    """Return the generators of a model with the device's best settings: one dense product per layer on a GPU."""
    near = model.channels.near(model.recipe.distance)
    graph = Graph(near, tuple(find_clusters(near) if device == "cpu" else one_cluster(near)))
    made = []
    for stage in range(model.recipe.stage_count):
        generator = Generator(graph, model.recipe.hidden, model.recipe.kernel, torch.Generator())
        load_generator(generator, model, stage)
        made.append(generator.to(device))
    return made


def generation(model: Model, device: str, frames: int, counts: Sequence[int], rounds: int) -> list[dict[str, Any]]:
    """Measure the seconds of the pyramid alone on the device, without transfer of noise and rows; with and without
    graphs."""
    generators, lengths = generators_on(model, device), model.recipe.lengths(frames)
    rows = []
    for graphs, count in itertools.product((False, True), counts):
        noises = [
            torch.from_numpy(np.stack([noise_code(0, k, stage, length) for k in range(count)])).to(device) * amplitude
            for stage, (length, amplitude) in enumerate(zip(lengths, model.amplitudes, strict=True))
        ]

        def run(noises: Sequence[torch.Tensor], count: int = count) -> list[torch.Tensor]:
            base = noises[0].new_zeros(count, len(model.channels.columns), lengths[0])
            return [run_stages(generators, lengths, noises, base)]

        step = RecordedStep(run, recorder_for(torch.device(device)) if graphs else None)
        laps = [timed(partial(step, noises), device) for _ in range(rounds + WARM_UP + 2)][WARM_UP + 2 :]
        rows.append({"graphs": graphs, "count": count, "frames": frames, **spread(laps)})
    return rows


def measure(
    motion: Motion,
    recipes: Sequence[Recipe],
    device: str,
    *,
    scale: float = 1.0,
    rounds: int = 20,
    size: int = 8192,
    repeats: int = 20,
    compared: Sequence[Recipe] = (GANIMATOR,),
    samples: int = 10,
) -> dict[str, Any]:
    """Measure all figures; every value fits JSON.

    `size` is that of the product whose speed counts as the peak. `compared` are recipes of which only iterations are
    timed.
    """
    before, trained = load(), [train_whole(motion, recipe, scale, device, samples) for recipe in recipes]
    model = trained[0][0]
    return {
        "frames": model.source.frames,
        **circumstances(device),
        "load_before": before,
        "formula": FORMULA,
        "recorded": recorder_for(torch.device(device)) is not None,
        "whole": [figures for _, figures in trained],
        "training": measure_training(motion, [*recipes, *compared], rounds, device, size),
        "device_time": {recipe.name: device_time(motion, recipe, device) for recipe in recipes},
        "difference_of_repeats": {
            recipe.name: difference_of_repeats(motion, recipe, device, repeats) for recipe in recipes
        },
        "generation": generation(model, device, model.source.frames, (1, 100), rounds),
        "load_after": load(),
    }


def on(state: bool) -> str:
    return "on" if state else "off"


def report_markdown(report: dict[str, Any]) -> str:
    lines = [
        f"{report['clip']}, {report['device']}, PyTorch {report['versions']['torch']}, {report['date']}; load "
        f"{report['load_before'][:1]} before; `{report['command']}`",
        "",
        "| | CUDA graphs | TF32 | ms an iteration at levels 1 to 4 | share of peak | whole recipe | baseline ÷ this |",
        "|---|---|---|---|---|---:|---:|",
    ]
    for run in report["training"]:
        for name, whole in run["whole"].items():
            rows = [level["iteration"][name] for level in run["levels"]]
            times = ", ".join(f"{1e3 * row['median']:.1f}" for row in rows)
            shares = ", ".join(f"{row['share_of_peak']:.1%}" for row in rows if "share_of_peak" in row)
            ratio = run["whole"][BASELINE]["seconds"] / whole["seconds"]
            total = duration(whole["seconds"])
            ways = f"{on(run['graphs'])} | {on(run['tf32'])}"
            lines.append(f"| {name} | {ways} | {times} | {shares} | {total} | {ratio:.1f} |")
    peaks = {on(run["tf32"]): run["peak_operations_per_second"] / 1e12 for run in report["training"]}
    said = ", ".join(f"{peak:.1f} TFLOP/s with TF32 {state}" for state, peak in peaks.items())
    lines += ["", f"Peak: {said}", "", report["formula"], ""]
    if not report["recorded"]:
        lines += ["This device records nothing: CUDA graphs on and off are the same here.", ""]
    for row in report["whole"]:
        memory = f"{row['cuda_peak_mb']:.0f} MB on the device" if row["cuda_peak_mb"] else "nothing on a CUDA device"
        name = f"{row['recipe']} at scale {row['scale']}, iterations {row['iterations']}"
        clean = row["figures"][CLEAN]
        quality = ", ".join(f"{key.replace('_', ' ')} {clean[key]:.2f}" for key in QUALITY if key in clean)
        lines.append(f"- {name}: {row['seconds']:.1f} s, {memory}; {quality}")
    for name, rows in report["device_time"].items():
        busy = [f"level {row['level']} {row['kernels']} kernels, busy {row['busy_share']:.0%}" for row in rows]
        lines.append(f"- {name}: {', '.join(busy)}")
    for name, difference in report["difference_of_repeats"].items():
        lines.append(f"- {name}, two trainings with one seed: weights differ by {difference:.1e} at most")
    for row in report["generation"]:
        what = f"{row['count']} × {row['frames']} frames, CUDA graphs {on(row['graphs'])}"
        lines.append(f"- {what}: {1e3 * row['median']:.2f} ms")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m bench.cuda", description="Measure everything on a CUDA device.")
    parser.add_argument("--clip", help="BVH file, name of a clip in $RIFF_DATA, or sample (salsa where it is)")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the iterations of the whole trainings (1)")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    options = parser.parse_args(given)
    try:
        clip, motion = find_clip(options.clip)
        device = str(pick_device(options.device))
        size = 8192 if device.startswith("cuda") else 1024
        report = measure(motion, (FAST, PAPER), device, scale=options.scale, rounds=options.rounds, size=size)
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    report = {"clip": clip_name(clip), "command": repeatable("bench.cuda", given), **report}
    stem = options.out / f"cuda-{report['clip']}-{device_slug(device)}"
    publish(stem, report, report_markdown(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
