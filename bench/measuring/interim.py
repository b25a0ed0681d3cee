"""Figures of what training adds, as it goes on: `python -m bench.measuring.interim salsa walk …`.

Each clip is learned without training, and with `fast`: the model so far after a minute, and the finished one, both as
Riff hands them on. No other program should run beside it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.generation.generate import Sampler
from core.matching.instant import instant_model
from core.model.model import Model
from core.model.recipe import FAST
from core.motion.motion import RATE, Motion, with_contact_labels
from core.motion.resampling import resample
from core.runs.matched_choice import LevelChoice
from core.training.train import train

from ..matching import BARS, RESULTS, SAMPLE_COUNT, measure_lengths, missed_bars, read_any
from .machine import circumstances, repeatable
from .published import MIXAMO, PUBLISHED
from .table import COLUMNS, publish
from .training import clip_name

PAPERS_FIGURES = (
    "coverage",
    "global_diversity",
    "local_diversity",
    "sifid",
    "window_frechet",
    "inter_diversity",
    "intra_diversity_difference",
    "harmonic_mean",
)
"""Figures of Roditakis et al. 2024, Table 2, and the one that stands for SiFID."""

TWICE = 2
"""Length of the papers' samples, in lengths of the clip."""

FIRST_SECONDS = 60.0
"""Seconds of training after which the latest model so far is measured."""


@dataclass(frozen=True)
class State:
    """Model of a clip at some time, in seconds of work since the click."""

    name: str
    seconds: float
    model: Model


def states_of(motion: Motion, scale: float) -> list[State]:
    """Return the instant model, the latest one within FIRST_SECONDS of training, and the finished one."""
    begun = time.perf_counter()
    states = [State("instant", 0.0, instant_model(motion))]
    states[0] = State("instant", time.perf_counter() - begun, states[0].model)
    handed: list[State] = []
    begun = time.perf_counter()

    def take(model: Model) -> None:
        shown = choice.shown(model)
        seconds = time.perf_counter() - begun
        if not handed or seconds <= FIRST_SECONDS:
            handed[:] = [State("so far", seconds, shown)]

    choice = LevelChoice()
    model = choice.best(
        train(motion, FAST.scaled(scale), on_model=take, on_level=choice.compare, is_enough=choice.is_made)
    )
    return [*states, *handed, State("at the end", time.perf_counter() - begun, model)]


def measure(clip: str, scale: float, count: int, seed: int) -> list[dict[str, Any]]:
    """Return a row of figures for each state of a clip; all values can be written as JSON."""
    motion, rows = read_any(clip), []
    source = with_contact_labels(resample(motion, RATE))
    for state in states_of(motion, scale):
        sampler, label = Sampler(state.model), f"{clip_name(clip)}, {state.name}"
        figures = measure_lengths(state.model, source, label, count, seed, sampler)
        rows.append(
            {
                "clip": clip_name(clip),
                "state": state.name,
                "seconds": state.seconds,
                "levels": state.model.trained_levels,
                "figures": figures,
                "missed": {times: missed_bars(source, one) for times, one in figures.items()},
            }
        )
    return rows


def papers_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the figures of Roditakis et al. 2024, Table 2, as Markdown, beside the published ones."""
    columns = [column for column in COLUMNS if column.key in PAPERS_FIGURES]
    lines = ["| clip | model | " + " | ".join(column.heading for column in columns) + " |"]
    lines.append("|---|---|" + "---:|" * len(columns))
    measured = [(row["clip"], row["state"], row["figures"][TWICE]) for row in rows]
    published = [(row.origin, row.name, row.figures) for row in PUBLISHED if row.origin == MIXAMO]
    for clip, name, figures in [*measured, *published]:
        cells = [f"{figures[column.key]:.2f}" if column.key in figures else "" for column in columns]
        lines.append(f"| {clip} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(report: dict[str, Any]) -> str:
    """Return the report as Markdown: a row for each clip, state and length, then the papers' figures."""
    head = ["clip", "model", "s", "levels trained", "as long ×", *(bar.heading for bar in BARS)]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
    for row in report["rows"]:
        for times, figures in row["figures"].items():
            cells = [row["clip"], row["state"], f"{row['seconds']:.1f}", f"{row['levels']}", f"{times}"]
            for bar in BARS:
                text = f"{figures[bar.figure] * bar.scale:.2f}" if bar.figure in figures else ""
                cells.append(f"**{text}**" if bar.figure in row["missed"][times] else text)
            lines.append("| " + " | ".join(cells) + " |")
    return f"""# What training adds

`{report["command"]}`

{report["date"]}, {report["device"]} ({report["cores"]} cores), Riff {report["versions"]["riff"]}.
{report["samples"]} variations of each length with clean feet; figures outside their bars are bold. “so far” is the \
latest model that the training handed on within {FIRST_SECONDS:.0f} s, “at the end” the finished one, above the level \
that its figures chose; seconds count from the start of the training.

{chr(10).join(lines)}

## Figures of the papers

Of variations twice as long as the clip. Window Fréchet stands for SiFID, whose encoder is not to be had: the two \
cannot be compared, nor can the harmonic means that hold them. All diversities praise jitter, see `docs/method.md`.

{papers_table(report["rows"])}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.measuring.interim", description=__doc__)
    parser.add_argument("clips", nargs="+", help="names in $RIFF_DATA, files, or sample")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the recipe's iterations (1)")
    parser.add_argument("--count", type=int, default=SAMPLE_COUNT, help=f"variations of each length ({SAMPLE_COUNT})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(words)
    rows = [row for clip in options.clips for row in measure(clip, options.scale, options.count, options.seed)]
    report = {
        "command": repeatable("bench.measuring.interim", words),
        "samples": options.count,
        "rows": rows,
        **circumstances(),
    }
    publish(options.out / "interim", report, page(report))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
