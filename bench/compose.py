"""Quality of compositions, compared with cross-fading by hand: `make bench-compose MODEL=file`.

Each kind is composed with several seeds on the model's own clip at 30 fps. The cross-fade lays a plain variation over
the clip as an NLA strip does, blending in and out over half a second.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.directing.compose import compose
from core.directing.composition import (
    Composition,
    close_loop,
    extend,
    fill_regions,
    keep_keys,
    keep_parts,
    overlay,
    place_moments,
    restyle,
)
from core.evaluation.artefacts import foot_skating
from core.evaluation.novelty import novelty_figures
from core.generation.generate import Sampler, generate
from core.model.model import Model
from core.model.model_file import load_model
from core.motion.body_parts import body_halves
from core.motion.headings import turn_between, turn_motion
from core.motion.motion import Motion
from core.motion.skeleton import GROUP
from core.numeric.blending import FIXED
from core.numeric.rotation import Array, angle_between, matrix_to_six, six_to_matrix
from core.numeric.smoothing import runs_of

from .measuring.machine import ROOT
from .measuring.table import Column, Row, markdown, publish, rows_to_json

CROSS_FADE_FRAMES = 15
"""Frames over which the cross-fade blends in and out."""

COLUMNS = (
    Column("time_ratio", "time ÷ plain"),
    Column("kept_error", "kept, off by", 6),
    Column("place_within", "joins: place"),
    Column("velocity_within", "velocity"),
    Column("acceleration_within", "acceleration", 3),
    Column("worst", "worst ÷ 99th p."),
    Column("skating_ratio", "skating ÷ source's"),
    Column("roughness", "roughness"),
    Column("new_degrees", "new, °", 1),
    Column("copied_share", "copied"),
)
LEGEND = """\
Joins: share of joints whose step (place), change of step (velocity) and change of that (acceleration) across a join are
within the clip's own 99th percentile for that joint; “worst” is the largest of them all in that percentile. Skating and
roughness (mean acceleration) are those of the new frames beside the clip's. “New” is the mean angle of the moving, free
joints to what was there before; “copied” the share of the new that is within 4 degrees of a stretch of the clip. “Time”
is that of composing one motion beside generating one of as many frames, both from the networks' weights on."""


@dataclass(frozen=True)
class Task:
    """Composition and the rows at which generated frames join kept ones."""

    name: str
    composition: Composition
    joins: tuple[int, ...] = ()


def tasks(source: Motion) -> list[Task]:
    """Return the kinds of compositions on a source, with regions at three positions and of three lengths."""
    frames, halves = source.frames, body_halves(source.skeleton)
    found = [
        Task("vary the upper body", keep_parts(source, halves["Lower Body"])),
        Task("vary the lower body", keep_parts(source, halves["Upper Body"])),
    ]
    found += [region_task(source, start, length) for start, length in regions(frames)]
    start, stop = regions(frames)[1][0], sum(regions(frames)[1])
    both = overlay(fill_regions(source, [(start, stop)]), keep_parts(source, halves["Lower Body"]))
    third = min(60, frames // 4)
    moments = [(int(part * frames), int(part * frames) + third, at) for part, at in ((0.5, 30), (0.2, 150), (0.5, 270))]
    placed = tuple(edge for _, _, at in moments for edge in (at, at + third))
    return [
        *found,
        Task("region, upper body, a key", overlay(both, keep_keys(source, [(start + stop) // 2])), (start, stop)),
        Task("moments", place_moments(source, moments, 360), placed),
        Task("extend by 150", extend(source, 0, 150), (frames,)),
        Task("begin 60 earlier", extend(source, 60, 0), (60,)),
        Task("loop", close_loop(source, 60), (frames - 61,)),
        Task("keys each 1.5 s", keep_keys(source, range(0, frames, 45))),
        Task("keys each 1.5 s, soft", keep_keys(source, range(0, frames, 45), 0.5)),
        Task("re-style itself", restyle(source)),
    ]


def regions(frames: int) -> list[tuple[int, int]]:
    return [(int(0.15 * frames), 30), (int(0.3 * frames), 60), (int(0.45 * frames), 90)]


def region_task(source: Motion, start: int, length: int, entry: int = 2) -> Task:
    task = replace(fill_regions(source, [(start, start + length)]), entry=entry)
    return Task(f"region of {length}", task, (start, start + length))


def cross_fade(source: Motion, variation: Motion, start: int, stop: int) -> Motion:
    """Blend a variation in and out over the source, rotations and root, as NLA strips do."""
    ramp = np.minimum(np.arange(source.frames) - start + 1, stop - np.arange(source.frames)) / CROSS_FADE_FRAMES
    share = np.clip(ramp, 0.0, 1.0)[:, None]
    features = (1.0 - share) * source.features + share * variation.features[: source.frames]
    width = source.skeleton.joints * GROUP
    rotations = six_to_matrix(features[:, :width].reshape(source.frames, -1, GROUP))
    features[:, :width] = matrix_to_six(rotations).reshape(source.frames, -1)
    root = (1.0 - share) * source.root_positions() + share * variation.root_positions()[: source.frames]
    velocity = np.diff(root[:, :2], axis=0)
    channel = source.skeleton.root_channel
    features[:, channel : channel + 2] = np.concatenate([velocity[:1], velocity])
    return replace(source, features=features, origin=root[0, :2])


class Yardstick:
    """Reference figures of a source, by which those of its results are divided."""

    def __init__(self, source: Motion) -> None:
        self.source = source
        positions = source.positions()
        self.sizes = [np.linalg.norm(np.diff(positions, order, axis=0), axis=-1) for order in (1, 2, 3)]
        self.limits = [np.maximum(np.percentile(sizes, 99, axis=0), 1e-4) for sizes in self.sizes]
        self.moving = np.ptp(source.rotations(), axis=0).max(axis=(1, 2)) > 1e-3

    def figures(self, task: Task, outcomes: Sequence[Motion]) -> dict[str, float]:
        rows = [self._figures(task, outcome) for outcome in outcomes]
        return {
            name: (max if name in ("worst", "kept_error") else statistics.fmean)([row[name] for row in rows])
            for name in rows[0]
        }

    def _figures(self, task: Task, outcome: Motion) -> dict[str, float]:
        keep = task.composition.keep
        new = ~(keep >= FIXED).all(1)
        figures = self._joins(outcome, task.joins) | {"kept_error": self._kept_error(task.composition, outcome)}
        stretches = [outcome.slice(*run) for run in runs_of(new) if run[1] - run[0] > 3]
        skating = [foot_skating(stretch) for stretch in stretches]
        figures["skating_ratio"] = float(np.mean(skating)) / max(foot_skating(self.source), 1e-3)
        jerky = [np.linalg.norm(np.diff(s.positions(), 2, axis=0), axis=-1).mean() for s in stretches]
        figures["roughness"] = float(np.mean(jerky) / self.sizes[1].mean())
        if outcome.frames == self.source.frames:
            free = (keep[new][:, : outcome.skeleton.joints] < FIXED).any(0) & self.moving
            angles = angle_between(outcome.rotations()[new], self.source.rotations()[new])
            figures["new_degrees"] = float(np.degrees(angles[:, free].mean()))
        figures["copied_share"] = self._copied(stretches)
        return figures

    def _joins(self, outcome: Motion, joins: Sequence[int]) -> dict[str, float]:
        found, worst, positions = {}, 0.0, outcome.positions()
        for order, name in enumerate(("place_within", "velocity_within", "acceleration_within"), start=1):
            sizes = np.linalg.norm(np.diff(positions, order, axis=0), axis=-1) / self.limits[order - 1]
            across = [sizes[max(0, join - order) : join] for join in joins]
            if across:
                found[name] = float(np.mean([(part <= 1.0).mean() for part in across]))
                worst = max(worst, *(float(part.max()) for part in across))
        return found | ({"worst": worst} if joins else {})

    def _kept_error(self, composition: Composition, outcome: Motion) -> float:
        joints = outcome.skeleton.joints
        exact = np.repeat(composition.keep[:, :joints] >= FIXED, GROUP, axis=1)
        target = composition.target if composition.anchored else facing(composition, outcome)
        off = np.abs(outcome.features - target.features)[:, : joints * GROUP][exact]
        return float(off.max(initial=0.0))

    def _copied(self, stretches: Sequence[Motion]) -> float:
        long = [s for s in stretches if s.frames >= 30]
        if not long:
            return 0.0
        width = self.source.skeleton.joints * GROUP
        source = self.source.features[:, :width]
        return float(np.mean([novelty_figures(source, s.features[:, :width])["copied_share"] for s in long]))


def facing(composition: Composition, outcome: Motion) -> Motion:
    """Turn each piece of placed content about the vertical to the yaw of the result at the start of the piece."""
    angles, target = np.zeros(outcome.frames), composition.target
    for start, stop in runs_of((composition.keep >= FIXED).all(1)):
        angles[start:stop] = turn_between(target.rotations()[start, 0], outcome.rotations()[start, 0])
    return turn_motion(target, angles)


def measure(model: Model, seeds: int) -> tuple[list[Row], list[Row]]:
    """Measure all kinds and the cross-fade, and the entry levels; return the rows of both tables."""
    source, yardstick = model.source, Yardstick(model.source)
    rows = [_row(model, yardstick, task, seeds) for task in tasks(source)]
    variations = generate(model, count=seeds, seed=7)
    for start, length in regions(source.frames):
        task = region_task(source, start, length)
        faded = [cross_fade(source, variation, start, start + length) for variation in variations]
        rows.append(Row(f"cross-fade of {length}", "measured", "by hand", yardstick.figures(task, faded)))
    levels = []
    for entry in range(1, model.recipe.levels + 1):
        parts = [region_task(source, start, length, entry) for start, length in regions(source.frames)]
        figures = [_row(model, yardstick, task, seeds).figures for task in parts]
        mean = {name: statistics.fmean(row[name] for row in figures) for name in figures[0]}
        levels.append(Row(f"regions, entry level {entry}", "measured", "Riff", mean))
    return rows, levels


def _row(model: Model, yardstick: Yardstick, task: Task, seeds: int) -> Row:
    outcomes = compose(model, task.composition, count=seeds, seed=7)
    figures = yardstick.figures(task, outcomes)
    frames = task.composition.target.frames
    figures["time_ratio"] = time_ratio(
        lambda: compose(model, task.composition, seed=0), lambda: generate(model, frames=frames, count=1, seed=0)
    )
    return Row(task.name, "measured", "Riff", figures)


def time_ratio(call: Callable[[], Any], other: Callable[[], Any], rounds: int = 5) -> float:
    """Return the ratio of the processor times of two calls, the minimum of each, measured in turn.

    On a shared machine the minimum is the most informative, and in turn both meet the same load.
    """
    laps: list[list[float]] = [[], []]
    for _ in range(rounds):
        for own, run in zip(laps, (call, other), strict=True):
            begun = time.process_time()
            run()
            own.append(time.process_time() - begun)
    return min(laps[0]) / min(laps[1])


def source_joins(source: Motion) -> Array:
    """Return the figures of the clip itself at the joins of its regions, as shares of its own 99th percentile."""
    yardstick = Yardstick(source)
    found = [yardstick._joins(source, (start, start + length)) for start, length in regions(source.frames)]
    keys = ("place_within", "velocity_within", "acceleration_within")
    return np.array([[row[key] for key in keys] for row in found]).mean(0)


def page(model: Model, rows: Sequence[Row], levels: Sequence[Row]) -> str:
    own = ", ".join(f"{share:.3f}" for share in source_joins(model.source))
    parts = [
        f"# Compositions of “{model.name}”",
        f"At the joins of the regions the clip itself reaches {own}.",
        markdown(rows, COLUMNS),
        "## Entry levels",
        markdown(levels, COLUMNS),
        LEGEND,
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.compose", description="Measure compositions of models.")
    parser.add_argument("models", type=Path, nargs="*", help="model files (default: that of make demo)")
    parser.add_argument("--seeds", type=int, default=4, help="outcomes of each kind (default: 4)")
    parser.add_argument("--out", type=Path, default=ROOT / "out/bench", help="folder for the reports")
    options = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(1)
    for path in options.models or [ROOT / "out/demo/model.safetensors"]:
        model = load_model(path)
        Sampler(model)
        rows, levels = measure(model, options.seeds)
        report = {"model": model.name, "rows": rows_to_json(rows), "entry_levels": rows_to_json(levels)}
        publish(options.out / f"compose-{path.stem}", report, page(model, rows, levels))
    return 0


if __name__ == "__main__":
    sys.exit(main())
