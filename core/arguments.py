"""The arguments of `python -m core` and what they may be."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .compose_arguments import add_compose
from .library_arguments import EXAMPLES, add_job, add_list, add_report
from .model.recipe import RECIPES

Verb = Callable[[argparse.Namespace], dict[str, Any]]

DEVICES = ("auto", "cpu", "cuda", "mps")

EXIT_CODES = """exit codes:
  0    done
  1    it could not be done; stderr says why in one sentence
  2    the command line is wrong
  130  interrupted (Ctrl-C or SIGTERM); nothing half-written is left behind, a training's state is kept
"""


def build_parser(verbs: Mapping[str, Verb]) -> argparse.ArgumentParser:
    """The parser of all verbs; it leaves the function to run in `verb`."""
    parser = argparse.ArgumentParser(
        prog="python -m core",
        description="Learn from one clip and make variations of it.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    _add_train(_verb(added, "train", verbs["train"], "train a model on a clip"))
    _add_generate(_verb(added, "generate", verbs["generate"], "write variations as BVH files"))
    add_compose(_verb(added, "compose", verbs["compose"], "write motions around what is kept of a clip as BVH files"))
    _add_evaluate(_verb(added, "evaluate", verbs["evaluate"], "measure the quality of a model's variations"))
    add_list(_verb(added, "list", verbs["list"], "say what models, clips and jobs there are"))
    add_job(_verb(added, "job", verbs["job"], "train clips of a job folder, as farms do"), DEVICES, positive)
    add_report(_verb(added, "report", verbs["report"], "write a table and pictures of a job or a folder of models"))
    return parser


def _verb(added: Any, name: str, run: Verb, text: str) -> Any:
    parser = added.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"{EXAMPLES[name]}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(verb=run)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr, errors alone")
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, metavar="CLIP", help="a BVH file, or an .npz that Riff exported")
    parser.add_argument(
        "--also", type=Path, nargs="+", default=[], metavar="CLIP.bvh", help="learn these clips of the same rig, too"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="M.safetensors", help="the model file to write")
    parser.add_argument("--recipe", choices=RECIPES, default="fast", help="numbers of the training (default: fast)")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--overwrite", action="store_true", help="replace the model and its state if there are any")
    again.add_argument("--resume", action="store_true", help="go on with a training that was stopped, if there is one")
    parser.add_argument("--name", help="name of the model (default: that of the clip)")
    parser.add_argument("--seed", type=seed, default=0, help="the same seed trains the same model (default: 0)")
    parser.add_argument(
        "--start-from",
        type=Path,
        metavar="M0.safetensors",
        help="start from this model of the same skeleton, which takes a part of the time",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to train (default: auto)")
    parser.add_argument("--threads", type=positive, help="CPU threads to use (default: chosen by Riff)")
    parser.add_argument("--scale", type=factor, default=1.0, help="this many times the recipe's iterations")


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="M.safetensors")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the BVH files")
    parser.add_argument("--count", type=positive, default=5, help="how many variations (default: 5)")
    parser.add_argument("--frames", type=length, help="length at 30 frames a second (default: that of the clip)")
    parser.add_argument("--seed", type=seed, default=0, help="the same seed makes the same variations (default: 0)")
    parser.add_argument("--fps", type=_rate, help="frames a second of the files (default: those of the clip)")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="M.safetensors")
    parser.add_argument("--count", type=positive, default=20, help="how many variations to measure (default: 20)")
    parser.add_argument("--frames", type=length, help="length at 30 frames a second (default: twice the clip's)")
    parser.add_argument("--seed", type=seed, default=0, help="seed of the variations (default: 0)")


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number from 1 on")
    return int(text)


def length(text: str) -> int:
    """Frames of a motion that can be generated."""
    if positive(text) < 30:
        raise argparse.ArgumentTypeError(f"“{text}” is under 30 frames, the least that can be generated")
    return int(text)


def seed(text: str) -> int:
    """A seed of 32 bits."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number from 0 to 4294967295")
    return int(text)


def _rate(text: str) -> float:
    if factor(text) > 1000:
        raise argparse.ArgumentTypeError(f"“{text}” is above 1000 frames a second")
    return float(text)


def factor(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number above 0")
    return value
