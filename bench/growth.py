"""Growth of the time of an iteration with the clip's length, joints and batch size, as JSON and as a plot.

Every point is measured in a separate process, with its peak memory. Lengths are the clip repeated with small changes;
skeletons are synthetic. Writes bench/results/growth-<clip>-<device>.json and .png.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from core.errors import RiffError
from core.model.recipe import FAST, GANIMATOR, Recipe
from core.motion.motion import RATE, Motion, from_transforms
from core.motion.resampling import resample
from core.motion.skeleton import build_skeleton
from core.numeric.rotation import axis_rotation
from core.numeric.smoothing import SMOOTHING_ROWS
from core.system.threads import usable_cores
from core.training.workers import TRIAL_RUNS

from .footprint import peak_megabytes
from .measuring.cheats import with_noise
from .measuring.levels import Ours
from .measuring.machine import circumstances, repeatable
from .measuring.table import write_json
from .measuring.timing import Lap, load, median, timed, with_threads
from .measuring.training import clip_name
from .speed import RESULTS, device_slug, find_clip

LENGTHS = (300, 648, 1500, 3000, 6000, 10000)
JOINTS = (24, 48, 96, 150)
BATCHES = (1, 2, 4, 8, 16)
LIMB_JOINTS = 6
"""Joints of each limb of a synthetic skeleton."""

MAX_LINEAR_EXPONENT = 1.1
"""Largest exponent that counts as linear, with tolerance for the machine's noise."""


@dataclass(frozen=True)
class Point:
    """Measurement point: `size` of the quantity that grows, clip and recipe."""

    kind: str
    size: int
    motion: Motion
    recipe: Recipe


def repeated(motion: Motion, frames: int) -> Motion:
    """Repeat the clip to `frames` rows, turned a little by smooth noise so that no period is a copy."""
    source = resample(motion, RATE)
    rows = np.take(source.features, np.arange(frames), axis=0, mode="wrap")
    return with_noise(replace(source, features=rows), SMOOTHING_ROWS, degrees=1.0)


def many_limbed(joints: int, frames: int = 300) -> Motion:
    """Build a motion of a body with `joints` joints: a spine with limbs of six, every joint swinging at its own
    frequency."""
    parents = [-1]
    for joint in range(1, joints):
        limb, place = divmod(joint - 1, LIMB_JOINTS)
        parents.append(joint - 1 if place else max(0, (limb - 2) * LIMB_JOINTS + 1))
    rest = np.zeros((joints, 3))
    for joint in range(1, joints):
        limb, place = divmod(joint - 1, LIMB_JOINTS)
        side = (0.0, 0.0, 1.0) if not place else (math.cos(limb), math.sin(limb), -0.5)
        rest[joint] = rest[parents[joint]] + 0.2 * np.array(side)
    skeleton = build_skeleton([f"joint {k}" for k in range(joints)], parents, rest).with_contacts(
        (LIMB_JOINTS, 2 * LIMB_JOINTS)
    )
    seconds = np.arange(frames) / RATE
    rotations = np.stack([axis_rotation(k % 3, 0.4 * np.sin((1 + k % 7) * seconds + k)) for k in range(joints)], axis=1)
    root = np.stack([0.3 * seconds, 0.1 * np.sin(seconds), 1 + 0.02 * np.sin(3 * seconds)], axis=1)
    return from_transforms(skeleton, rotations, root, RATE)


def points(motion: Motion, lengths: Sequence[int], joints: Sequence[int], batches: Sequence[int]) -> list[Point]:
    """Return the points: lengths by `fast` and by batch 1 on whole clips, joints, batch sizes on whole clips."""
    whole = replace(FAST, name="fast on whole clips", crop=(0, 0, 0, 0), bank=0)
    result = []
    for frames in lengths:
        long = repeated(motion, frames)
        result += [Point("frames, fast", frames, long, FAST), Point("frames, batch 1", frames, long, GANIMATOR)]
    for count in joints:
        result.append(Point("joints, fast", count, many_limbed(count), replace(FAST, fold_hands=False)))
    for batch in batches:
        result.append(Point("batch, whole clip", batch, motion, replace(whole, batch=(batch,) * whole.levels)))
    return result


def measure_point(point: Point, seconds: float) -> dict[str, Any]:
    """Measure seconds per iteration at each level, for about `seconds` each, and peak memory; every value fits JSON."""
    contender = Ours(point.motion, point.recipe, "cpu", usable_cores())
    starts, rows = [], []
    iterate = with_threads(contender.threads, contender.iterate)
    for level in range(point.recipe.levels):
        starts.append(timed(partial(contender.start_level, level)).seconds)
        laps = measured(iterate, seconds)
        rows.append({"median": median(laps), "lowest": min(lap.seconds for lap in laps), "rounds": len(laps)})
    contender.close()
    whole = sum(starts) + sum(n * row["median"] for n, row in zip(point.recipe.iterations, rows, strict=True))
    return {
        "kind": point.kind,
        "size": point.size,
        "groups": len(contender.session.channels.groups),
        "starts": starts,
        "levels": rows,
        "mean_iteration": whole / sum(point.recipe.iterations),
        "whole_seconds": whole,
        "peak_mb": peak_megabytes(),
    }


def measured(iterate: Any, seconds: float) -> list[Lap]:
    """Measure laps with the settings that training chooses first: two to seven, as many as fit the time."""
    for _ in TRIAL_RUNS:
        timed(iterate)
    laps: list[Lap] = []
    started = time.perf_counter()
    while len(laps) < 2 or (len(laps) < 7 and time.perf_counter() - started < seconds):
        laps.append(timed(iterate))
    return laps


def exponents(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Fit p of time ~ sizeᵖ for each quantity: "all" through all points, "end" between the two largest sizes.

    At small sizes the fixed cost of an iteration hides the growth; it does not at the end, of the whole and of its
    worst level. The end rests on two points only and contains their noise.
    """
    result: dict[str, dict[str, float]] = {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = sorted((row for row in rows if row["kind"] == kind), key=lambda row: row["size"])
        if len(own) > 1:
            levels = [[level["median"] for level in row["levels"]] for row in own]
            result[kind] = {
                "all": _slope(own, [row["mean_iteration"] for row in own]),
                "end": _slope(own[-2:], [row["mean_iteration"] for row in own[-2:]]),
                "end_of_worst_level": max(_slope(own[-2:], pair) for pair in zip(*levels[-2:], strict=True)),
            }
    return result


def _slope(rows: Sequence[dict[str, Any]], times: Sequence[float]) -> float:
    return float(np.polyfit([math.log(row["size"]) for row in rows], np.log(times), 1)[0])


def plot(rows: Sequence[dict[str, Any]], path: Path, title: str) -> None:
    """Plot one panel for each quantity: time of an iteration and memory; the dotted line is linear growth."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    figure, axes = plt.subplots(1, len(kinds), figsize=(4 * len(kinds), 3.6), squeeze=False)
    for axis, kind in zip(axes[0], kinds, strict=True):
        own = sorted((row for row in rows if row["kind"] == kind), key=lambda row: row["size"])
        sizes = [row["size"] for row in own]
        for level in range(len(own[0]["levels"])):
            axis.loglog(sizes, [row["levels"][level]["median"] for row in own], "o-", ms=3, label=f"level {level + 1}")
        first = own[0]["levels"][-1]["median"]
        axis.loglog(sizes, [first * size / sizes[0] for size in sizes], ":", color="0.5", label="linear")
        axis.set_title(kind, loc="left", fontsize=10)
        axis.set_xlabel(kind.split(",")[0])
        axis.grid(alpha=0.3, which="both")
        axis.legend(fontsize=7)
    axes[0, 0].set_ylabel("Seconds an iteration")
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all points, each in a new process. Raises RiffError."""
    clip, motion = find_clip(options.clip)
    before, rows = load(), []
    # Spawned, not forked: a forked process would begin with this one's memory and with locks of its threads.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for point in points(motion, options.lengths, options.joints, options.batches):
            rows.append(pool.apply(measure_point, (point, options.seconds)))
            row = rows[-1]
            print(
                f"{row['kind']} {row['size']}: {row['mean_iteration']:.3f} s an iteration, {row['peak_mb']:.0f} MB",
                file=sys.stderr,
            )
    found = exponents(rows)
    return {
        "clip": clip_name(clip),
        **circumstances(),
        "load_before": before,
        "load_after": load(),
        "command": repeatable("bench.growth", options.given),
        "points": rows,
        "exponents": found,
        "worse_than_linear": worse_than_linear(found),
    }


def worse_than_linear(found: dict[str, dict[str, float]]) -> list[str]:
    """Return the quantities that grow faster than linearly by any of their exponents."""
    return [kind for kind, own in found.items() if max(own.values()) > MAX_LINEAR_EXPONENT]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description="Time against length, joints, batch.")
    parser.add_argument("--clip", help="BVH file, name of a clip in $RIFF_DATA, or sample (salsa where it is)")
    parser.add_argument("--lengths", type=int, nargs="*", default=LENGTHS)
    parser.add_argument("--joints", type=int, nargs="*", default=JOINTS)
    parser.add_argument("--batches", type=int, nargs="*", default=BATCHES)
    parser.add_argument("--seconds", type=float, default=3.0, help="to measure each level of each point for (3)")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    options = parser.parse_args(arguments)
    options.given = list(sys.argv[1:] if arguments is None else arguments)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    try:
        report = measure(options)
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    stem = options.out / f"growth-{report['clip']}-{device_slug('cpu')}"
    write_json(stem.with_suffix(".json"), report)
    plot(report["points"], stem.with_suffix(".png"), f"{report['clip']}, {report['device']}, {report['date']}")
    for kind, own in report["exponents"].items():
        powers = ", ".join(f"{value:.2f} ({name})" for name, value in own.items())
        print(f"{kind}: time grows as size to the power of {powers}")
    print(f"Worse than linear: {', '.join(report['worse_than_linear']) or 'nothing'}")
    print(f"Written: {stem}.json and .png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
