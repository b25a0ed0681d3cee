"""The arguments of `python -m core` and what they may be."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..directing.root_paths import ROOT_PATHS
from ..model.recipe import RECIPES, Recipe
from ..system.devices import DEVICES
from .values import factor, model_file, model_name, positive, rate, seed, whole

EXIT_CODES = """exit codes:
  0    done
  1    it could not be done; stderr says why in one sentence
  2    the command line is wrong
  130  interrupted (Ctrl-C or SIGTERM); nothing half-written is left behind, a training's state is kept
"""


EXAMPLES = {
    "train": """examples:
  python -m core train walk.bvh --out walk.safetensors
  python -m core train walk.clip --out walk.safetensors --resume    after Ctrl-C or SIGTERM: go on
  python -m core train walk.bvh --out a.safetensors --json --quiet  for scripts: JSON on stdout, nothing else

While it trains, its state is kept in walk.training beside the model. --resume goes on with it to the same model that
an uninterrupted training gives; with a model that is there already, it does nothing.
""",
    "instant": """example:
  python -m core instant walk.bvh --out walk.safetensors
""",
    "generate": """example:
  python -m core generate walk.safetensors --count 10 --seed 7 --out takes/
""",
    "spans": """examples:
  python -m core spans walk.bvh dance.bvh --spans "walk@1-120, dance@136-260x1.5" --out takes/
  python -m core spans --model both.safetensors --spans "walk@1-120, dance@136-260" --out takes/    of a trained model
""",
    "drive": """examples:
  python -m core drive fox.safetensors --by walk.bvh --out takes/
  python -m core drive fox.safetensors --by walk.bvh --pairs "hip=Hips,head=Head,paw.L=FootL,paw.R=FootR" --out takes/
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


PROGRAM = "python -m core"
"""Command line before the verb, as the examples have it."""


def build_parser(program: str = PROGRAM) -> argparse.ArgumentParser:
    """The parser of all verbs; it leaves the name of the chosen one in `verb`. Help and examples name `program`."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Learn from one clip and make variations of it.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB", dest="verb")
    examples = {verb: text.replace(PROGRAM, program) for verb, text in EXAMPLES.items()}
    _add_train(add_verb(verbs, "train", "train a model on a clip", examples))
    _add_instant(add_verb(verbs, "instant", "make a model of a clip at once, without training", examples))
    _add_generate(add_verb(verbs, "generate", "write variations as BVH files", examples))
    _add_spans(add_verb(verbs, "spans", "write motions in which clips play when you say as BVH files", examples))
    _add_drive(add_verb(verbs, "drive", "write motions with the timing of another body's clip as BVH files", examples))
    _add_compose(add_verb(verbs, "compose", "write motions around the kept part of a clip as BVH files", examples))
    _add_evaluate(add_verb(verbs, "evaluate", "measure the quality of a model's variations", examples))
    _add_list(add_verb(verbs, "list", "list models, clips and jobs", examples))
    _add_job(add_verb(verbs, "job", "train clips of a job folder, as farms do", examples))
    _add_report(add_verb(verbs, "report", "write a table and pictures of a job or a folder of models", examples))
    return parser


def add_verb(verbs: Any, name: str, text: str, examples: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the parser of a verb with the options that all verbs have."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"{examples[name]}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr, errors alone")
    return parser


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is trained."""
    parser.add_argument("--recipe", choices=RECIPES, default="fast", help="numbers of the training (default: fast)")
    parser.add_argument("--seed", type=seed, default=0, help="the same seed trains the same model (default: 0)")
    parser.add_argument("--scale", type=factor, default=1.0, help="this many times the recipe's iterations")
    parser.add_argument(
        "--until", type=positive, metavar="LEVEL", help="train up to this level and match those above (default: all)"
    )


def recipe_of(options: argparse.Namespace) -> Recipe:
    """Return the recipe of the options of `add_recipe`. Raises ModelError for a level that there is not."""
    recipe = RECIPES[options.recipe].scaled(options.scale)
    return recipe.until(options.until) if options.until else recipe


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where a training runs."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to train (default: auto)")
    parser.add_argument("--threads", type=positive, help="CPU threads to use (default: chosen by Riff)")


def add_again(parser: argparse.ArgumentParser) -> None:
    """Add the options for what an earlier training has left."""
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--overwrite", action="store_true", help="replace models and their states if there are any")
    again.add_argument("--resume", action="store_true", help="continue a stopped training, leave finished models")


def add_variations(parser: argparse.ArgumentParser, count: int, frames: str) -> None:
    """Add the options that say how many variations are made and how long; `frames` is the help of --frames."""
    parser.add_argument("--count", type=positive, default=count, help=f"how many variations (default: {count})")
    parser.add_argument("--frames", type=positive, help=frames)
    parser.add_argument("--seed", type=seed, default=0, help="the same seed makes the same variations (default: 0)")


def add_root_path(parser: argparse.ArgumentParser) -> None:
    """Add the options for the way that variations go, and for loops."""
    parser.add_argument(
        "--root",
        choices=ROOT_PATHS,
        default="auto",
        help="path of the root: auto ends where it starts if the clip does, free goes anywhere, place stays, "
        "source follows the clip's (default: auto)",
    )
    parser.add_argument("--loop", action="store_true", help="let the last frame lead on to the first")


def _add_clips(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, metavar="CLIP", help="a BVH file, or a clip that Riff exported")
    parser.add_argument(
        "--also", type=Path, nargs="+", default=[], metavar="CLIP.bvh", help="learn these clips of the same rig, too"
    )
    _add_up(parser)
    parser.add_argument(
        "--out", type=model_file, required=True, metavar="M.safetensors", help="the model file to write"
    )
    parser.add_argument("--name", type=model_name, help="name of the model (default: that of the clip)")


def _add_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--up", choices=("y", "z"), default="", help="axis that points up in BVH files (default: found)"
    )


def _add_instant(parser: argparse.ArgumentParser) -> None:
    _add_clips(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the model if there is one")


def _add_train(parser: argparse.ArgumentParser) -> None:
    _add_clips(parser)
    parser.add_argument(
        "--start-from",
        type=Path,
        metavar="M0.safetensors",
        help="start from this model of the same skeleton, which takes a part of the time",
    )
    add_recipe(parser)
    add_again(parser)
    add_device(parser)


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="M.safetensors")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the BVH files")
    add_variations(parser, 5, "length at the files' rate (default: that of the clip)")
    add_root_path(parser)
    parser.add_argument("--fps", type=rate, help="frames a second of the files (default: those of the clip)")


def _add_spans(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clips", type=Path, nargs="*", metavar="CLIP", help="clips of one rig, called as their files")
    parser.add_argument(
        "--model", type=Path, metavar="M.safetensors", help="play the clips that this model was trained on instead"
    )
    parser.add_argument("--fps", type=rate, help="frames a second with --model (default: those of its clips)")
    add_spans(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the BVH files")
    _add_up(parser)


def add_spans(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which clip plays when."""
    parser.add_argument(
        "--spans", required=True, metavar="TEXT", help="which clip plays when, as walk@1-120,run@136-260x2"
    )
    parser.add_argument("--count", type=positive, default=1, help="how many variations (default: 1)")
    parser.add_argument("--seed", type=seed, default=0, help="the same seed makes the same variations (default: 0)")
    parser.add_argument("--variation", type=float, help="how much spans vary, 0 to 1 (default: a little)")


def _add_drive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="M.safetensors")
    parser.add_argument(
        "--by", type=Path, required=True, metavar="CLIP", help="clip of another body, whose timing and course are taken"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the BVH files")
    parser.add_argument(
        "--pairs",
        default="",
        metavar="NAMES",
        help="bones of the model and of the clip, as hips=Pelvis (found by name)",
    )
    parser.add_argument("--variation", type=float, help="how far poses depart from the model's clip, from 0 to 1")
    parser.add_argument(
        "--scale", type=factor, default=0.0, help="size of the course, 1 by legs (default: as steps go)"
    )
    add_variations(parser, 1, "length at the clip's rate; a cycle is repeated (default: that of the clip)")
    _add_up(parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="M.safetensors")
    add_evaluation(parser)


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb evaluate but for the model."""
    add_variations(parser, 20, "length at 30 frames a second (default: twice the clip's)")


def _add_compose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="M.safetensors")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the BVH files")
    parser.add_argument("--clip", type=Path, metavar="CLIP", help="work around it (default: the model's own clip)")
    _add_up(parser)
    add_direction(parser)


def add_direction(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what stays and what becomes of the clip."""
    parser.add_argument("--count", type=whole, default=1, help="how many alternatives (default: 1)")
    parser.add_argument("--seed", type=seed, default=0, help="the same seed makes the same motions (default: 0)")
    parser.add_argument("--entry", type=whole, default=2, help="level at which what is kept enters (default: 2)")
    parser.add_argument("--raw", action="store_true", help="leave feet as they were generated")
    masks = parser.add_argument_group("what stays (frames count from 1; all three can be combined)")
    masks.add_argument("--keep", metavar="NAMES", help="body parts or bones that stay, such as “Lower Body, Head”")
    masks.add_argument("--vary", metavar="NAMES", help="body parts or bones that become new, all others stay")
    masks.add_argument("--regions", metavar="SPANS", help="frames that become new, such as 40-90,120-160")
    masks.add_argument("--keys", metavar="FRAMES", help="frames whose poses stay, such as 1,40,90")
    masks.add_argument("--firmness", type=float, default=1.0, help="how exactly they stay, up to 1 (default: 1)")
    takes = parser.add_argument_group("other takes")
    takes.add_argument("--moments", metavar="SPANS", help="spans and where they go, such as 40-90@1,40-90@200")
    takes.add_argument("--length", type=whole, default=0, help="frames of the take")
    takes.add_argument("--before", type=whole, default=0, help="frames to add at the start")
    takes.add_argument("--after", type=whole, default=0, help="frames to add at the end")
    takes.add_argument("--loop", type=whole, metavar="FRAMES", help="make a loop; so many last frames are new (0: all)")
    takes.add_argument("--travel", action="store_true", help="let a loop end in another place")
    takes.add_argument("--style", type=float, help="re-style the clip, from 0, as it is, to 1")
    takes.add_argument("--root", choices=("free", "source"), default="free", help="whose path the root goes")
    where = parser.add_argument_group("places in time (lengths of the file; several are separated by semicolons)")
    where.add_argument("--pins", default="", help="bones at places, such as hand.L@60=0.3,0.2,1.1 or at 60-80")
    where.add_argument("--waypoints", default="", help="the root on the ground, such as 90=1.5,0.2 or 90=1.5,0.2,45")


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="models, clips, jobs, or folders of them")


def _add_job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="JOB", help="the job's folder, with manifest.json in it")
    parser.add_argument("--clips", default="", metavar="NUMBERS", help="clips of this task, such as 0-3,7 (all)")
    add_device(parser)
    parser.add_argument("--overwrite", action="store_true", help="train finished clips again")
    parser.add_argument("--openjd", action="store_true", help="print progress as an OpenJD runtime reads it")
    parser.add_argument("--format", type=positive, default=1, help="format that the job's template was made for")


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a job's folder, or one of models")
    parser.add_argument("--no-sheets", action="store_true", help="draw no missing pictures (needs no PyTorch)")
