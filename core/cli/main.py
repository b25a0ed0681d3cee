"""Run one verb of `python -m core`, print its report, turn what goes wrong into an exit code."""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, redirect_stderr
from typing import Any

from ..errors import Cancelled, RiffError
from ..system.memory import as_memory_error, limit_malloc_arenas
from .arguments import build_parser
from .farm_verbs import job_verb, list_verb, report_verb
from .signals import terminated_like_interrupted
from .verbs import compose_verb, evaluate_verb, generate_verb, train_verb


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code; only wrong usage (2) and --help leave by SystemExit."""
    verbs = {
        "train": train_verb,
        "generate": generate_verb,
        "compose": compose_verb,
        "evaluate": evaluate_verb,
        "list": list_verb,
        "job": job_verb,
        "report": report_verb,
    }
    limit_malloc_arenas()
    return run_verb(build_parser(verbs).parse_args(arguments))


def run_verb(options: argparse.Namespace) -> int:
    """Run the verb that the options name, print what it returns, and turn what goes wrong into an exit code."""
    # OpenMP threads that spin while they wait slow training tenfold as soon as anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        quiet = redirect_stderr(io.StringIO()) if options.quiet else nullcontext()
        with terminated_like_interrupted(), quiet, as_memory_error():
            report: dict[str, Any] = options.verb(options)
        print_report(report, options.json)
    except (KeyboardInterrupt, Cancelled):
        print("Stopped.", file=sys.stderr)
        return 130
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    except MemoryError:
        less = "use a shorter clip" if options.verb is train_verb else "ask for fewer or shorter variations"
        print(f"There is not enough memory; {less}.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; without this, Python complains once more while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if options.verb is not job_verb:
        return 0
    for name, problem in report["failed"].items():
        print(f"“{name}” failed: {problem}", file=sys.stderr)
    return 1 if report["failed"] else 0


def print_report(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(_finite(report), ensure_ascii=False))
    else:
        print("\n".join(_text_lines(report)))
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
