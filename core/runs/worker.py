"""A training in a process of its own: `python -m core.runs.worker STATE MODEL` goes on with a checkpoint.

Without MODEL it only says how long the training would take. Messages go to stdout, one JSON list [kind, value] a line.
A character on stdin ends the training early, with the model so far. It stops, and keeps its state, when stdin is
closed: when whoever began it asks, or has died.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import Cancelled, RiffError
from ..system.log import log, unforeseen
from ..system.memory import as_memory_error, limit_malloc_arenas
from ..training.checkpoint import load_checkpoint
from .run import run_training, send_estimate

_one_at_a_time = threading.Lock()

NICENESS = 10
"""Unix niceness of the worker: programs that the user works with come first."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the training; how it ended is the last message, [“end”, state], or [“failed”, sentence]."""
    parser = argparse.ArgumentParser(prog="core.runs.worker", description="Go on with a training and save its model.")
    parser.add_argument("state", type=Path, help="checkpoint to go on with; it is kept up to date")
    parser.add_argument("model", type=Path, nargs="?", help="file of the model to make; none to estimate the time only")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    limit_malloc_arenas()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    log.listener = partial(send, "log")
    stop, enough = threading.Event(), threading.Event()
    threading.Thread(target=_follow_input, args=(stop, enough), daemon=True).start()
    try:
        with as_memory_error():
            begun = load_checkpoint(options.state)
            if options.model is None:
                send_estimate(begun, send, options.device)
            else:
                run_training(
                    begun,
                    options.model,
                    send,
                    stop.is_set,
                    keep=options.state,
                    device=options.device,
                    is_enough=enough.is_set,
                    interim=True,
                )
    except Cancelled:
        send("end", "cancelled")
    except RiffError as error:
        send("failed", str(error))
    except ModuleNotFoundError as error:
        send("missing", error.name or str(error))
    except MemoryError:
        send("failed", "Training needs more memory than is free; try a shorter action.")
    except Exception as error:
        send("failed", unforeseen("Training", error))
    else:
        send("end", "done")
        return 0
    return 1


def send(kind: str, value: Any) -> None:
    """Write one message, from any thread; a reader that has gone ends the process by the closed stdin."""
    data = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    try:
        with _one_at_a_time:
            print(json.dumps([kind, data]), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _follow_input(stop: threading.Event, enough: threading.Event) -> None:
    while sys.stdin.buffer.read(1):
        enough.set()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
