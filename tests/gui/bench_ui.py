"""`make bench-ui`: how smooth Blender's window stays while Riff works, printed as a table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from root import Unavailable, find_root
from run import ROOT, run_in_window

from bench.measuring.machine import processor

SIZE = (800, 520)
"""Pixels of the window. Without a graphics card the processor draws it: at 1600 by 1000 one picture takes 0.2 s with or
without Riff, and nothing else could be seen."""

LAST_SECONDS = {
    "reading seconds": "the action is read",
    "generate seconds": "five variations are written",
    "cancel seconds": "a training has stopped after Cancel",
}


def report(figures: dict[str, Any]) -> str:
    """The figures as a page, each beside its bar."""
    parts = [_smoothness(figures), _drawing(figures), _blocks(figures), _rest(figures)]
    return "# Blender's window while Riff works\n\n" + "\n\n".join(parts) + "\n\n" + _conditions(figures)


def _smoothness(figures: dict[str, Any]) -> str:
    lines = ["| gap between ticks of a 20 ms timer, ms | median | p95 | p99 | max |", "|---|---:|---:|---:|---:|"]
    for name in ("idle", "training"):
        cells = " | ".join(f"{figures[name][key]:.1f}" for key in ("median", "p95", "p99", "max"))
        lines.append(f"| {name} | {cells} |")
    idle, busy = figures["idle"], figures["training"]
    median, tail = busy["median"] / idle["median"], busy["p99"] / idle["p99"]
    return "\n".join([*lines, f"| training ÷ idle (bar 1.2 and 2) | {median:.2f} | | {tail:.2f} | |"])


def _drawing(figures: dict[str, Any]) -> str:
    lines = ["| draw() of a panel, ms (bar 1) | median | longest | calls |", "|---|---:|---:|---:|"]
    lines += [
        f"| {name.removeprefix('RIFF_PT_')} | {spent['median']:.2f} | {spent['max']:.2f} | {spent['count']} |"
        for name, spent in sorted(figures["draw"].items())
    ]
    return "\n".join(lines)


def _blocks(figures: dict[str, Any]) -> str:
    lines = [
        "| 648 frames, 65 bones: longest block, ms (bar 200) | between two ticks | of it Riff's own |",
        "|---|---:|---:|",
    ]
    lines += [f"| {name} | {block['gap']:.0f} | {block['own']:.0f} |" for name, block in figures["blocks"].items()]
    return "\n".join(lines)


def _rest(figures: dict[str, Any]) -> str:
    own = figures["live own"]
    lines = ["| | |", "|---|---:|"]
    lines += [f"| seconds until {what} | {figures[name]:.2f} |" for name, what in LAST_SECONDS.items()]
    lines += [
        f"| live variation, poses shown a second (bar 15) | {figures['live updates']:.1f} |",
        f"| a pose changed without Riff, shown a second | {figures['plain poses']:.1f} |",
        f"| live variation where no viewport is drawn, poses a second | {figures['live updates, nothing drawn']:.1f} |",
        f"| Riff's own share of showing a pose, ms: median, longest | {own['median']:.1f}, {own['max']:.1f} |",
    ]
    return "\n".join(lines)


def _conditions(figures: dict[str, Any]) -> str:
    versions = figures["versions"]
    width, height = SIZE
    return (
        f"{date.today().isoformat()}, {processor()}, {os.cpu_count()} cores, no graphics card: the processor draws. "
        f"Blender {versions['blender']}, Python {versions['python']}, numpy {versions['numpy']}, a window of {width} "
        f"by {height} pixels filled by the 3D viewport, {figures['seconds']:.0f} s each of idling and training. "
        f"`make bench-ui`\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how smooth Blender's window stays while Riff works.")
    parser.add_argument("--zip", type=Path, default=ROOT / "dist/riff.zip", help="the built extension")
    parser.add_argument("--out", type=Path, default=ROOT / "out/bench-ui", help="folder for figures and log")
    parser.add_argument("--seconds", type=int, default=1200, help="patience")
    options = parser.parse_args()
    try:
        root = find_root()
    except Unavailable as error:
        print(f"*** No Blender window: {error}. Nothing was measured. ***")
        return 3
    log = run_in_window(root, options.zip.resolve(), "ticks.py", options.out, options.seconds, SIZE, by_hand=False)
    lines = [line for line in log.splitlines() if line.startswith("GUI-FIGURES ")]
    if not lines:
        print(f"The measurement did not come to its end; see {options.out / 'log.txt'}")
        return 1
    figures = json.loads(lines[0].removeprefix("GUI-FIGURES "))
    (options.out / "figures.json").write_text(json.dumps(figures, indent=2))
    (options.out / "ui.md").write_text(report(figures))
    print(report(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
