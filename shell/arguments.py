"""The arguments of `blender -c riff`, and what --help teaches by example."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.cli.arguments import (
    EXIT_CODES,
    add_again,
    add_device,
    add_direction,
    add_evaluation,
    add_recipe,
    add_root_path,
    add_spans,
    add_variations,
    add_verb,
)

ABOUT = """Learn from actions and make variations of them, without a window.

Actions are chosen by --action NAME or by patterns such as --action "Walk*" (quoted, so that the shell leaves them
alone); without it, all are meant that move bones and were not made by Riff. The file is never changed: generate,
compose, spans and blend save another one.
"""

EXAMPLES = {
    "train": """examples:
  blender -c riff train dance.blend --action "Walk*" --out models/
  blender -c riff train dance.blend --action Salsa --resume    after Ctrl-C or SIGTERM: go on where it was
""",
    "generate": """examples:
  blender -c riff generate dance.blend --action Salsa --save takes.blend                  at once, without training
  blender -c riff generate dance.blend --model Salsa --action Salsa --count 10 --save takes.blend
""",
    "spans": """examples:
  blender -c riff spans set.blend --spans "Walk@1-120, Dance@136-260x1.5" --count 3 --save takes.blend
  blender -c riff spans set.blend --model "Walk + Dance" --spans "Walk@1-120, Dance@136-260" --save takes.blend
""",
    "blend": """example:
  blender -c riff blend takes.blend --variation "Salsa Variation 0-1" --amount 0.25 0.5 --save less.blend
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


def build_parser() -> argparse.ArgumentParser:
    """The parser of all verbs; it leaves the name of the chosen one in `verb`."""
    parser = argparse.ArgumentParser(
        prog="blender -c riff",
        description=ABOUT,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB", dest="verb")
    _add_train(add_verb(verbs, "train", "train a model on each of the actions", EXAMPLES))
    _add_generate(add_verb(verbs, "generate", "write variations of an action into a copy of the file", EXAMPLES))
    compose = add_verb(
        verbs, "compose", "write motions around the kept part of an action into a copy of the file", EXAMPLES
    )
    _add_result(compose)
    add_direction(compose)
    _add_spans(
        add_verb(verbs, "spans", "write takes in which actions play when you say into a copy of the file", EXAMPLES)
    )
    _add_blend(
        add_verb(verbs, "blend", "write takes between an action and its variation into a copy of the file", EXAMPLES)
    )
    evaluate = add_verb(verbs, "evaluate", "measure the quality of a model's variations", EXAMPLES)
    evaluate.add_argument("model", help="the model's file, or its name in Riff's folder")
    add_evaluation(evaluate)
    listed = add_verb(verbs, "list", "list the actions of files, or the models there are", EXAMPLES)
    listed.add_argument("files", type=Path, nargs="*", metavar="FILE.blend")
    _add_export(add_verb(verbs, "export", "write the actions as a job folder for a render farm", EXAMPLES))
    return parser


def _add_actions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.blend")
    parser.add_argument("--action", action="append", default=[], metavar="NAME", help="name or pattern; repeatable")
    parser.add_argument("--armature", default="", metavar="NAME", help="armature (default: the one that fits)")


def _add_train(parser: argparse.ArgumentParser) -> None:
    _add_actions(parser)
    add_recipe(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the models (default: Riff's own)")
    add_again(parser)
    add_device(parser)


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_actions(parser)
    add_recipe(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="JOB", help="the job's folder, new or empty")


def _add_result(parser: argparse.ArgumentParser) -> None:
    _add_actions(parser)
    parser.add_argument(
        "--model", default="", help="the model's file, or its name in Riff's folder (default: none, made at once)"
    )
    _add_save(parser)


def _add_save(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save", type=Path, required=True, metavar="NEW.blend", help="file to save the result as")
    parser.add_argument("--overwrite", action="store_true", help="replace that file if there is one")


def _add_generate(parser: argparse.ArgumentParser) -> None:
    _add_result(parser)
    add_variations(parser, 5, "length at the scene's rate (default: that of the clip)")
    add_root_path(parser)


def _add_spans(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.blend")
    parser.add_argument("--armature", default="", metavar="NAME", help="armature (default: the one that fits)")
    parser.add_argument(
        "--model",
        default="",
        help="model trained on the actions, its file or its name in Riff's folder (default: instant ones)",
    )
    add_spans(parser)
    _add_save(parser)


def _add_blend(parser: argparse.ArgumentParser) -> None:
    _add_actions(parser)
    parser.add_argument("--variation", required=True, metavar="NAME", help="the variation, an action of the file")
    parser.add_argument(
        "--amount",
        type=float,
        nargs="+",
        default=[0.5],
        metavar="N",
        help="0 is the source, 1 the variation, at most 2",
    )
    parser.add_argument(
        "--part", action="append", default=[], metavar="NAME=N", help="another amount of a body part; repeatable"
    )
    _add_save(parser)
