"""Run one verb of `python -m core`, print its report, turn what goes wrong into an exit code."""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, redirect_stderr
from typing import Any

from ..errors import Cancelled, RiffError
from ..files.held_open import reason_of
from ..system.memory import as_memory_error, limit_malloc_arenas
from .arguments import PROGRAM, build_parser
from .signals import terminated_like_interrupted

Verb = Callable[[argparse.Namespace], dict[str, Any]]
"""Does the work of a verb and returns its report; `failed` in it maps names to sentences, or is a number."""

TRAINING_VERBS = ("train", "instant", "job")
"""Verbs that need less memory for a shorter clip; the others for fewer variations."""


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """Run one verb and return the exit code; only wrong usage (2) and --help leave by SystemExit."""
    limit_malloc_arenas()
    options = build_parser(program).parse_args(arguments)
    return run_verb(_find_verb(options.verb), options)


def riff_command() -> int:
    """Run one verb of the pip package's command."""
    return main(program="riff")


def _find_verb(name: str) -> Verb:
    # late for the start-up time: the verbs load numpy, which --help does without
    from . import farm_verbs, verbs

    functions: dict[str, Verb] = {
        "train": verbs.train_verb,
        "instant": verbs.instant_verb,
        "generate": verbs.generate_verb,
        "spans": verbs.spans_verb,
        "drive": verbs.drive_verb,
        "compose": verbs.compose_verb,
        "evaluate": verbs.evaluate_verb,
        "list": farm_verbs.list_verb,
        "job": farm_verbs.job_verb,
        "report": farm_verbs.report_verb,
    }
    return functions[name]


def run_verb(verb: Verb, options: argparse.Namespace) -> int:
    """Run a verb, print its report, and return the exit code."""
    # OpenMP threads that spin while they wait slow training tenfold as soon as anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        quiet = redirect_stderr(io.StringIO()) if options.quiet else nullcontext()
        with terminated_like_interrupted(), quiet, as_memory_error():
            report = verb(options)
        print_report(report, options.json)
    except (KeyboardInterrupt, Cancelled):
        print("Stopped.", file=sys.stderr)
        return 130
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    except MemoryError:
        less = "use a shorter clip" if options.verb in TRAINING_VERBS else "ask for fewer or shorter variations"
        print(f"There is not enough memory; {less}.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; without this, Python complains once more while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # A path that no system takes, or a file that may not be looked at: any step may be the first to ask.
        print(f"Cannot use “{error.filename or 'a file'}”: {reason_of(error)}.", file=sys.stderr)
        return 1
    failed = report.get("failed")
    if not failed or not isinstance(failed, dict):  # the verb “report” counts them, and its page names them
        return 0
    for name, problem in failed.items():
        print(f"“{name}” failed: {problem}", file=sys.stderr)
    return 1


def print_report(report: dict[str, Any], as_json: bool) -> None:
    """Print a report as JSON, or as lines of text; what the output's encoding lacks is escaped."""
    text = json.dumps(_finite(report), ensure_ascii=False) if as_json else "\n".join(_text_lines(report))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a name that is no UTF-8, or that the terminal's encoding lacks
        text = json.dumps(_finite(report)) if as_json else text.encode("ascii", "backslashreplace").decode()
    print(text)
    sys.stdout.flush()


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text_lines(report: dict[str, Any], indent: str = "") -> Iterator[str]:
    width = max(len(name) for name in report) if report else 0
    for name, value in report.items():
        label = f"{indent}{name.replace('_', ' '):<{width}}"
        if isinstance(value, dict):
            yield f"{indent}{name.replace('_', ' ')}"
            yield from _text_lines(value, indent + "  ")
        elif isinstance(value, list | tuple):
            yield f"{label}  {', '.join(str(item) for item in value)}"
        else:
            yield f"{label}  {value:.4g}" if isinstance(value, float) else f"{label}  {value}"
