"""Quality and speed of variations without training, for many clips: `python -m bench.matching`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ClipError, RiffError
from core.evaluation.metrics import evaluate
from core.generation.generate import Sampler, generate
from core.matching.instant import instant_model
from core.model.model import Model
from core.motion.motion import RATE, Motion, with_contact_labels
from core.motion.resampling import resample
from core.system.console import ProgressLine
from core.system.threads import one_thread

from .measuring.machine import circumstances, repeatable
from .measuring.table import publish
from .measuring.training import SAMPLE, clip_name, clips_folder, read_clip

SAMPLE_COUNT = 6
"""Variations of each length and clip by default."""

BATCH_COUNT = 100
"""Variations of a batch whose time is measured."""

TIMING_ROUNDS = 5
"""Measurements of one variation; the least time counts."""

FRESH_SEED = 1000
"""First seed of the measurements: the orders of seeds that were used before are known already."""

RESULTS = Path("bench/results")

DEFAULT_CLIPS = ("salsa", "walk", "elephant", SAMPLE)
"""Clips that are measured by default, together with all files of the zoo."""

Z_UP_STEMS = ("fair1_zombie",)
"""File names, without suffix, of BVH files with Z up; all others have Y up."""

BRIEF_SECONDS = 4.0
"""Duration below which a clip has too few patches for a very different order."""


@dataclass(frozen=True)
class Bar:
    """Bounds of a figure in the unit of the table: the figure times `scale`; `heading` is its column in the table."""

    figure: str
    heading: str
    low: float
    high: float
    scale: float = 1.0

    def holds(self, value: float) -> bool:
        """Return true if a figure, rounded to two digits as in the table, is within the bounds."""
        return self.low <= round(value * self.scale, 2) <= self.high


BARS = (
    Bar("same_time", "same time", 0.0, 0.3),
    Bar("between", "between", 0.7, 9.0),
    Bar("coverage", "coverage", 0.98, 1.0),
    Bar("rotation_share", "rotations", 0.25, 9.0),
    Bar("window_frechet", "window Fréchet", 0.0, 1.3),
    Bar("rotation_window_frechet", "rotation Fréchet", 0.0, 1.3),
    Bar("roughness", "roughness", 0.9, 1.15),
    Bar("jerk_95_ratio", "jerk, 95 %", 0.0, 1.35),
    Bar("foot_skating_ratio", "skating ÷ source's", 0.0, 1.0),
    Bar("penetration", "penetration, %", 0.0, 0.5, 100.0),
)
BRIEF_BAR = Bar("same_time", "same time", 0.0, 0.4)
"""Bounds of *same time* for a clip shorter than BRIEF_SECONDS."""


def bars_of(source: Motion) -> list[Bar]:
    """Return the bars of a clip, with BRIEF_BAR for a brief one."""
    return [BRIEF_BAR if bar.figure == "same_time" and source.duration < BRIEF_SECONDS else bar for bar in BARS]


def read_any(clip: str) -> Motion:
    """Return a clip by its name or path; Blender reads FBX, glTF and .blend files. Raises ClipError."""
    path = Path(clip)
    if path.suffix in (".fbx", ".glb", ".gltf", ".blend") or path.stem in Z_UP_STEMS:
        from .measuring.blender_clip import read_with_blender

        return read_with_blender(path)
    return read_clip(clip)


def measure_clip(motion: Motion, name: str, count: int, seed: int) -> dict[str, Any]:
    """Return the report of one clip; all values can be written as JSON. Raises ClipError."""
    started = time.perf_counter()
    model = instant_model(motion, name)
    model_seconds = time.perf_counter() - started
    sampler = Sampler(model)
    source = with_contact_labels(resample(motion, RATE))
    figures = measure_lengths(model, source, name, count, seed, sampler)
    one, batch = sampling_milliseconds(model, sampler)
    return {
        "clip": name,
        "frames": source.frames,
        "joints": model.skeleton.joints,
        "coupling": model.matched.coupling if model.matched else None,
        "seconds_of_model": model_seconds,
        "milliseconds": one,
        "hundred": batch / one,
        "figures": figures,
        "missed": {times: missed_bars(source, measured) for times, measured in figures.items()},
    }


def measure_lengths(
    model: Model, source: Motion, name: str, count: int, seed: int, sampler: Sampler
) -> dict[int, dict[str, float]]:
    """Return the figures of variations as long as a clip and twice as long, against the clip at 30 fps."""
    figures = {}
    with ProgressLine(sys.stderr) as line:
        for times in (1, 2):
            line.show(f"{name}: {count} variations, {times} × as long")
            samples = generate(model, frames=times * source.frames, count=count, seed=seed, sampler=sampler)
            figures[times] = evaluate(source, samples)
    return figures


def missed_bars(source: Motion, figures: dict[str, float]) -> list[str]:
    """Return the names of the figures outside their bars."""
    return [bar.figure for bar in bars_of(source) if bar.figure in figures and not bar.holds(figures[bar.figure])]


def sampling_milliseconds(model: Model, sampler: Sampler) -> tuple[float, float]:
    """Return the times of one variation on one core (the least) and of BATCH_COUNT on all cores, before foot cleaning.

    All variations are as long as the clip.
    """
    best = float("inf")
    with one_thread():
        for seed in range(TIMING_ROUNDS):
            started = time.perf_counter()
            sampler.sample(model.clip_rows, 1, FRESH_SEED + seed)
            best = min(best, time.perf_counter() - started)
    started = time.perf_counter()
    sampler.sample(model.clip_rows, BATCH_COUNT, FRESH_SEED - 1)
    return 1e3 * best, 1e3 * (time.perf_counter() - started)


def page(report: dict[str, Any]) -> str:
    """Return the report as Markdown: the circumstances, a row for each clip and length, missed bars in bold."""
    versions = report["versions"]
    head = ["clip", "frames × joints", "model, s", "one, ms", "hundred ÷ one", "as long ×", "coupling"]
    lines = [
        "| " + " | ".join([*head, *(f"{bar.heading}" for bar in BARS), "missed"]) + " |",
        "|---|" + "---:|" * (len(head) - 1 + len(BARS)) + "---:|",
        "| *bar* |" + " |" * (len(head) - 1) + " | ".join(_bounds(bar) for bar in BARS) + " | |",
    ]
    for clip in report["clips"]:
        for times, figures in clip["figures"].items():
            missed = clip["missed"][times]
            cells = [
                f"{clip['clip']}",
                f"{clip['frames']} × {clip['joints']}",
                f"{clip['seconds_of_model']:.2f}",
                f"{clip['milliseconds']:.0f}",
                f"{clip['hundred']:.0f}",
                f"{times}",
                f"{clip['coupling']:.2f}",
                *(_cell(bar, figures, missed) for bar in BARS),
                f"{len(missed) or ''}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    passed = sum(not any(clip["missed"].values()) for clip in report["clips"])
    return f"""# Variations without training

`{report["command"]}`

{report["date"]}, {report["device"]} ({report["cores"]} cores), Riff {versions["riff"]}, Python {versions["python"]}, \
NumPy {versions["numpy"]}.
{report["samples"]} variations of each length with clean feet; figures outside their bars are bold. “One” is \
the least time of a variation as long as the clip on one core, “hundred” the time of a hundred on all cores. A clip \
under {BRIEF_SECONDS:.0f} s may have 0.4 of *same time*.
{passed} of {len(report["clips"])} clips are within every bar at both lengths.

{chr(10).join(lines)}
"""


def _bounds(bar: Bar) -> str:
    if bar.low and bar.high <= 1.2:
        return f"{bar.low:g} to {bar.high:g}"
    return f"≥ {bar.low:g}" if bar.low else f"≤ {bar.high:g}"


def _cell(bar: Bar, figures: dict[str, float], missed: Sequence[str]) -> str:
    if bar.figure not in figures:
        return ""
    text = f"{figures[bar.figure] * bar.scale:.2f}"
    return f"**{text}**" if bar.figure in missed else text


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.matching", description=__doc__)
    parser.add_argument("clips", nargs="*", help="names in $RIFF_DATA, files, or sample; all clips by default")
    parser.add_argument("--count", type=int, default=SAMPLE_COUNT, help=f"variations of each length ({SAMPLE_COUNT})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(words)
    zoo = sorted(map(str, (clips_folder() / "zoo").glob("*.*")))
    clips = []
    for clip in options.clips or [*DEFAULT_CLIPS, *(path for path in zoo if not path.endswith(".md"))]:
        try:
            clips.append(measure_clip(read_any(clip), clip_name(clip), options.count, options.seed))
        except ClipError as error:
            print(f"{clip_name(clip)}: {error}", file=sys.stderr)
        except RiffError as error:
            print(error, file=sys.stderr)
            return 1
    report = {
        "command": repeatable("bench.matching", words),
        "samples": options.count,
        "clips": clips,
        **circumstances(),
    }
    publish(options.out / "matching", report, page(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
