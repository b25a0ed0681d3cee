"""Random editing in a real Blender window: `python tests/gui/run_editing.py --zip dist/riff.zip --minutes 10 --seed 1`.

Ends with 0 where nothing failed and nothing was left, 3 where no such window can be had here, else 1.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from root import Unavailable, find_root
from run import ROOT, SMALL, marks, run_in_window, unfulfilled

NOTHING = "left: users {}, scenes [], threads [], processes []"
BAD = ("Traceback", "blender.crash.txt", "Segmentation fault", "Aborted")
SHIPPED = "/usr/share/blender/scripts/startup/"
"""Folder of Blender's own interface: a traceback through its files alone is Blender's, told apart but told."""


def problems_of(log: str) -> tuple[list[str], list[str]]:
    """Problems, a line each, with their step: those that count, and Blender's own."""
    # Of what is reported, sentences are as they should be.
    found = [problem for problem in unfulfilled(log, (NOTHING,)) if not problem.startswith("Error: ")]
    shipped: list[str] = []
    step = ""
    lines = log.splitlines()
    for number, line in enumerate(lines):
        step = line if line.startswith("GUI-MARK") else step
        if any(word in line for word in BAD):
            files, said = _traced(lines[number + 1 :])
            own = bool(files) and all(file.startswith(SHIPPED) for file in files)
            said = said if "Traceback" in line else line.strip()
            (shipped if own else found).append(f"{said} after “{step.removeprefix('GUI-MARK ').strip()}”")
    return found, shipped


def _traced(lines: list[str]) -> tuple[list[str], str]:
    """The files that a traceback's lines go through, and what it ends with."""
    inside = list(itertools.takewhile(lambda line: line.startswith("  "), lines))
    files = [line.split('"')[1] for line in inside if line.startswith('  File "')]
    return files, next(iter(lines[len(inside) :]), "").strip()


def main() -> int:
    parser = argparse.ArgumentParser(description="Random editing in a real Blender window.")
    parser.add_argument("--zip", type=Path, required=True, help="the built extension")
    parser.add_argument("--out", type=Path, default=ROOT / "out/editing", help="folder for the log")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (1)")
    parser.add_argument("--seed", type=int, default=1, help="which steps (1)")
    options = parser.parse_args()
    try:
        root = find_root()
    except Unavailable as error:
        print(f"*** No Blender window: {error}. ***", flush=True)
        return 3
    os.environ.update(RIFF_GUI_SECONDS=str(60 * options.minutes), RIFF_GUI_SEED=str(options.seed))
    patience = int(60 * options.minutes) + 900
    log = run_in_window(root, options.zip.resolve(), "editing.py", options.out, patience, SMALL)
    problems, shipped = problems_of(log)
    told = [f"Blender's own: {problem}" for problem in shipped] + [f"PROBLEM: {problem}" for problem in problems]
    for line in marks(log)[-3:] + told:
        print(line)
    print(f"See {options.out / 'log.txt'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
