"""The arguments of `blender -c riff`, and what --help teaches by example."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..core.cli.arguments import DEVICES, EXIT_CODES, add_direction, factor, length, positive, seed
from ..core.model.recipe import RECIPES

Verb = Callable[[argparse.Namespace], dict[str, Any]]

ABOUT = """Learn from actions and make variations of them, without a window.

Actions are chosen by --action NAME or by patterns such as --action "Walk*" (quoted, so that the shell leaves them
alone); without it, all are meant that move bones and were not made by Riff. The file is never changed: generate and
compose save another one.
"""

EXAMPLES = {
    "train": """examples:
  blender -c riff train dance.blend --action "Walk*" --out models/
  blender -c riff train dance.blend --action Salsa --resume    after Ctrl-C or SIGTERM: go on where it was
""",
    "generate": """example:
  blender -c riff generate dance.blend --model Salsa --action Salsa --count 10 --save takes.blend
""",
    "compose": """example:
  blender -c riff compose dance.blend --model Salsa --action Salsa --vary "Left Arm, Right Arm" --save takes.blend
""",
    "evaluate": """example:
  blender -c riff evaluate Salsa --count 20 --json
""",
    "list": """examples:
  blender -c riff list                         the models in Riff's folder
  blender -c riff list dance.blend --json      the actions of a file, and what keeps any from being learned
""",
    "export": """example:
  blender -c riff export dance.blend --out job/
  openjd run job/template.yaml --step Report --run-dependencies
""",
}


def build_parser(verbs: Mapping[str, Verb]) -> argparse.ArgumentParser:
    """The parser of all verbs; it leaves the function to run in `verb`."""
    parser = argparse.ArgumentParser(
        prog="blender -c riff",
        description=ABOUT,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = added.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"{EXAMPLES[name]}\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(verb=verbs[name])
        made.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        made.add_argument("--quiet", action="store_true", help="no progress on stderr, errors alone")
        return made

    _add_train(verb("train", "train a model on each of the actions"))
    _add_generate(verb("generate", "write variations of an action into a copy of the file"))
    _add_compose(verb("compose", "write motions around what is kept of an action into a copy of the file"))
    evaluate = verb("evaluate", "measure the quality of a model's variations")
    evaluate.add_argument("model", help="the model's file, or its name in Riff's folder")
    evaluate.add_argument("--count", type=positive, default=20, help="how many variations to measure (default: 20)")
    evaluate.add_argument("--frames", type=length, help="length at 30 frames a second (default: twice the clip's)")
    evaluate.add_argument("--seed", type=seed, default=0, help="seed of the variations (default: 0)")
    listed = verb("list", "say what actions files have, or what models there are")
    listed.add_argument("files", type=Path, nargs="*", metavar="FILE.blend")
    _add_export(verb("export", "write the actions as a job folder for a render farm"))
    return parser


def _add_actions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.blend")
    parser.add_argument("--action", action="append", default=[], metavar="NAME", help="name or pattern; repeatable")
    parser.add_argument("--armature", default="", metavar="NAME", help="armature (default: the one that fits)")


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", choices=RECIPES, default="fast", help="numbers of the training (default: fast)")
    parser.add_argument("--seed", type=seed, default=0, help="the same seed trains the same model (default: 0)")
    parser.add_argument("--scale", type=factor, default=1.0, help="this many times the recipe's iterations")


def _add_train(parser: argparse.ArgumentParser) -> None:
    _add_actions(parser)
    _add_recipe(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the models (default: Riff's own)")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--overwrite", action="store_true", help="replace models and their states if there are any")
    again.add_argument("--resume", action="store_true", help="go on with what was stopped, leave what is finished")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to train (default: auto)")
    parser.add_argument("--threads", type=positive, help="CPU threads to use (default: chosen by Riff)")


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_actions(parser)
    _add_recipe(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="JOB", help="the job's folder, new or empty")


def _add_result(parser: argparse.ArgumentParser) -> None:
    _add_actions(parser)
    parser.add_argument("--model", required=True, help="the model's file, or its name in Riff's folder")
    parser.add_argument("--save", type=Path, required=True, metavar="NEW.blend", help="file to save the result as")
    parser.add_argument("--overwrite", action="store_true", help="replace that file if there is one")


def _add_generate(parser: argparse.ArgumentParser) -> None:
    _add_result(parser)
    parser.add_argument("--count", type=positive, default=5, help="how many variations (default: 5)")
    parser.add_argument("--frames", type=length, help="length at the scene's rate (default: that of the clip)")
    parser.add_argument("--seed", type=seed, default=0, help="the same seed makes the same variations (default: 0)")


def _add_compose(parser: argparse.ArgumentParser) -> None:
    _add_result(parser)
    add_direction(parser)
