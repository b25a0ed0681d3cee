"""`make bench-ui`: how smooth Blender's window stays while Riff works, printed as a table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from root import Unavailable, find_root
from run import ROOT, run_in_window

SIZE = (800, 520)
"""Pixels of the window. Without a graphics card the processor draws it: at 1600 by 1000 one picture takes 0.2 s with or
without Riff, and nothing else could be seen."""

BLOCKS = (
    "longest picture without Riff", "train block", "cancel block", "generate block", "live start block", "live block",
)  # fmt: skip


SECONDS = {
    "the action is read": "reading seconds", "five variations are written": "generate seconds",
    "a training has stopped": "cancel seconds",
}  # fmt: skip


def table(figures: dict[str, Any]) -> str:
    """The figures as lines to read, each beside its bar."""
    lines = [f"{'gap between ticks, ms':28}{'median':>9}{'p95':>9}{'p99':>9}{'max':>9}"]
    for name in ("idle", "training"):
        gaps = figures[name]
        lines.append(f"{name:28}" + "".join(f"{gaps[key]:9.1f}" for key in ("median", "p95", "p99", "max")))
    idle, busy = figures["idle"], figures["training"]
    lines.append(f"{'training / idle':28}{busy['median'] / idle['median']:9.2f}{'':9}{busy['p99'] / idle['p99']:9.2f}"
                 "      (bar: 1.2 and 2)")  # fmt: skip
    lines.append(f"\n{'draw(), ms':28}{'median':>9}{'max':>9}{'count':>9}      (bar: 1)")
    for name, spent in sorted(figures["draw"].items()):
        lines.append(f"{name:28}{spent['median']:9.2f}{spent['max']:9.2f}{spent['count']:9}")
    lines.append(f"\n{'longest block, ms':28}{'':9}{'':9}      (bar: 200; 648 frames, 65 bones)")
    lines += [f"{name:28}{figures[name]:9.0f}" for name in BLOCKS]
    lines.append(f"\n{'seconds until':28}")
    lines += [f"{what:28}{figures[name]:9.2f}" for what, name in SECONDS.items()]
    lines.append(f"\n{'poses shown a second':28}")
    lines.append(f"{'live variation':28}{figures['live updates a second']:9.1f}      (bar: 15)")
    lines.append(f"{'a pose set without Riff':28}{figures['poses shown a second without Riff']:9.1f}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how smooth Blender's window stays while Riff works.")
    parser.add_argument("--zip", type=Path, default=ROOT / "dist/riff.zip", help="the built extension")
    parser.add_argument("--out", type=Path, default=ROOT / "out/bench-ui", help="folder for figures and log")
    parser.add_argument("--seconds", type=int, default=1200, help="patience")
    options = parser.parse_args()
    try:
        root = find_root(Path(os.environ.get("RIFF_GUI_ROOT") or "/var/tmp/riff-gui-root"))
    except Unavailable as error:
        print(f"*** No Blender window: {error}. Nothing was measured. ***")
        return 3
    log = run_in_window(root, options.zip.resolve(), "ticks.py", options.out, options.seconds, SIZE)
    lines = [line for line in log.splitlines() if line.startswith("GUI-FIGURES ")]
    if not lines:
        print(f"The measurement did not come to its end; see {options.out / 'log.txt'}")
        return 1
    figures = json.loads(lines[0].removeprefix("GUI-FIGURES "))
    (options.out / "figures.json").write_text(json.dumps(figures, indent=2))
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
