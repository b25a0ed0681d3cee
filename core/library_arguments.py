"""The arguments of the verbs for many clips, and what --help teaches of every verb by example."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

EXAMPLES = {
    "train": """examples:
  python -m core train walk.bvh --out walk.safetensors
  python -m core train walk.npz --out walk.safetensors --resume     after Ctrl-C or SIGTERM: go on
  python -m core train walk.bvh --out a.safetensors --json --quiet  for scripts: JSON on stdout, nothing else

While it trains, its state is kept in walk.training beside the model. --resume goes on with it to the same model that
an uninterrupted training gives; with a model that is there already, it does nothing.
""",
    "generate": """example:
  python -m core generate walk.safetensors --count 10 --seed 7 --out takes/
""",
    "compose": """example:
  python -m core compose walk.safetensors --vary "Left Arm, Right Arm" --regions 40-90 --out takes/
""",
    "evaluate": """example:
  python -m core evaluate walk.safetensors --count 20 --json
""",
    "list": """examples:
  python -m core list models/
  python -m core list job/ walk.bvh --json
""",
    "job": """examples:
  python -m core job job/                   all clips of the job, one after the other
  python -m core job job/ --clips 0-3,7     these alone: other tasks do the others, at the same time

Clips that have a model of the same clip, recipe and seed are skipped; one whose training was stopped goes on from its
last state. A clip that fails leaves the others alone, is named on stderr and makes the exit code 1.
""",
    "report": """examples:
  python -m core report job/
  python -m core report models/ --no-sheets
""",
}
"""Examples of each verb."""


def add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="models, clips, jobs, or folders of them")


def add_job(parser: argparse.ArgumentParser, devices: tuple[str, ...], positive: Callable[[str], int]) -> None:
    parser.add_argument("folder", type=Path, metavar="JOB", help="the job's folder, with manifest.json in it")
    parser.add_argument("--clips", default="", metavar="NUMBERS", help="clips of this task, such as 0-3,7 (all)")
    parser.add_argument("--device", choices=devices, default="auto", help="where to train (default: auto)")
    parser.add_argument("--threads", type=positive, help="CPU threads to use (default: chosen by Riff)")
    parser.add_argument("--overwrite", action="store_true", help="train anew what is done already")
    parser.add_argument("--openjd", action="store_true", help="print progress as an OpenJD runtime reads it")
    parser.add_argument("--format", type=positive, default=1, help="format that the job's template was made for")


def add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a job's folder, or one of models")
    parser.add_argument("--no-sheets", action="store_true", help="draw no missing pictures (needs no PyTorch)")
