"""Pictures of the boxes Compose and Crowd in a real window: `python tests/gui/run_boxes.py --zip dist/riff.zip`.

Ends with 0 where they were taken, 3 where no such window can be had here, else 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from root import Unavailable, find_root
from run import ROOT, marks, run_in_window, unfulfilled

SECONDS = 900


def main() -> int:
    parser = argparse.ArgumentParser(description="Pictures of the boxes Compose and Crowd.")
    parser.add_argument("--zip", type=Path, required=True, help="the built extension")
    parser.add_argument("--out", type=Path, default=ROOT / "out/boxes", help="folder for the pictures and the log")
    options = parser.parse_args()
    try:
        root = find_root()
    except Unavailable as error:
        print(f"*** No Blender window: {error}. ***", flush=True)
        return 3
    log = run_in_window(root, options.zip.resolve(), "boxes.py", options.out, SECONDS)
    problems = unfulfilled(log, ("boxes",))
    for line in marks(log)[-3:] + [f"PROBLEM: {problem}" for problem in problems]:
        print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
