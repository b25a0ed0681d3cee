"""Training in a child process: for a Blender whose Python lacks PyTorch, and for isolation."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ...core.errors import Cancelled, RiffError
from ...core.files.file_lock import FileLock
from ...core.files.held_open import remove_if_possible
from ...core.system.child_process import ChildProcess, Ended, Flooded, python_command, python_environment
from ...core.system.log import log
from ...core.torch_trial.trial import is_own
from ...core.training.checkpoint import Checkpoint, save_checkpoint
from ...core.training.progress import Progress

SHARED_PACKAGES = ("numpy", "safetensors", "torch")
"""Packages that a child with the same Python imports from where this process does."""

ENOUGH = "e"
"""Character that asks the child to end the training early."""

STOP_SECONDS = 1.0
"""Seconds in which a child may save its state after it is asked to stop; then it is killed."""

MAX_WHOLE = 10**15
"""Largest whole number that is accepted in a message from a child."""

MAX_WORDS = 2000
"""Characters of a message from a child that are shown or logged."""


class NotStarted(RiffError):
    """Raised if the process could not be started or lacks PyTorch: nothing has been done."""


def run_in_child(
    python: Path,
    begun: Checkpoint,
    path: Path | None,
    send: Callable[[str, Any], None],
    should_stop: Callable[[], bool],
    *,
    keep: Path | None = None,
    device: str = "auto",
    claims: Sequence[FileLock] = (),
    is_enough: Callable[[], bool] = lambda: False,
) -> None:
    """Run `core.runs.run.run_training` in another process, with the same messages, errors and files.

    Without `path` the child only estimates how long the training would take. The child shares the `claims` where the
    system allows it: if Blender is killed, nobody else resumes the training before the child has saved its last state.
    When `should_stop` says so, it has ended within two seconds, whatever the child does.

    Raises RiffError, also if the process dies; NotStarted if it cannot be started or another Python lacks a package;
    ModuleNotFoundError if this Python does.
    """
    with tempfile.TemporaryDirectory(prefix="riff-", ignore_cleanup_errors=True) as own:
        state = keep or Path(own) / "training.safetensors"
        save_checkpoint(begun, state)
        shared = [] if os.name == "nt" else [held.descriptor for held in claims if held.descriptor is not None]
        command = [*_command(python, own), str(state), *([str(path)] if path else []), "--device", device]
        try:
            child = ChildProcess(command, python_environment(), keep_stdin=True, pass_fds=shared)
        except OSError as error:
            raise NotStarted(f"“{python}” cannot be started: {error.strerror or error}.") from error
        try:
            _relay(child, send, should_stop, is_enough)
            child.end(STOP_SECONDS)
        except ModuleNotFoundError as error:
            if is_own(python):
                raise
            raise NotStarted(
                f"“{python}” has no package “{error.name}”; install PyTorch there, or choose another Python in Riff's "
                "preferences."
            ) from error
        except Cancelled:
            if path is not None and child.process.poll() is None and state.exists():
                child.end()  # killed, it cannot take back the model so far itself; its state is kept
                remove_if_possible(path)
            raise
        finally:
            child.end()
        if path is not None and not path.is_file():
            raise RiffError("The training process ended without a model. Click Resume to continue.")


def _command(python: Path, own: str) -> list[str]:
    """Return the command of the child: it finds the extension's `core` and packages installed only for Blender.

    Another Python gets a copy of safetensors alone, in the folder `own`: its neighbours are for Blender's Python.
    """
    last: list[str] = []
    torch = None
    for package in SHARED_PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.origin:
            continue
        folder = Path(spec.origin).parent
        if is_own(python):
            last.append(str(folder.parent))
            torch = str(folder.parent) if package == "torch" else torch
        elif package == "safetensors":
            shutil.copytree(folder, Path(own) / package)
    return python_command(python, "core.runs.worker", first=[own], last=list(dict.fromkeys(last)), torch=torch)


def _relay(
    child: ChildProcess,
    send: Callable[[str, Any], None],
    should_stop: Callable[[], bool],
    is_enough: Callable[[], bool],
) -> None:
    """Pass the child's messages on until its training has ended; it may go on for STOP_SECONDS after it was asked to
    stop.
    """
    deadline, ended = math.inf, False
    while True:
        if deadline == math.inf and should_stop():
            deadline = time.monotonic() + STOP_SECONDS
            child.let_go()
        if deadline == math.inf and not ended and is_enough():
            ended = True
            child.tell(ENOUGH)
        if time.monotonic() > deadline:
            raise Cancelled
        try:
            line = child.line()
        except Flooded as error:
            raise RiffError(f"The training process was stopped: {error}. Click Resume to continue.") from error
        except Ended:
            break
        if line is not None and _take(line, send):
            return
    if deadline < math.inf:
        raise Cancelled
    complaint = child.last_complaint()
    missing = re.search(r"No module named '(\w+)", complaint)
    raise ModuleNotFoundError(complaint, name=missing[1]) if missing else RiffError(_last_words(child))


def _take(line: str, send: Callable[[str, Any], None]) -> bool:
    """Pass a message on; return True for the last message of a finished training. Other output is passed over."""
    try:
        kind, value = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return False
    words = value[:MAX_WORDS] if isinstance(value, str) else ""
    if kind == "log":
        log.note(words)
    elif kind == "failed":
        raise RiffError(words or "The training process failed.")
    elif kind == "missing":
        raise ModuleNotFoundError(f"No module named “{words}”", name=words)
    elif kind == "end" and value == "cancelled":
        raise Cancelled
    elif kind == "end":
        return value == "done"
    elif kind == "progress":
        progress = _progress_of(value)
        if progress is not None:
            send(kind, progress)
    elif kind in ("device", "phase", "problem") and isinstance(value, str):
        send(kind, words)
    elif kind in ("expected", "interim") and _is_number(value) and math.isfinite(value):
        send(kind, float(value))
    return False


def _progress_of(value: Any) -> Progress | None:
    """Return a training's progress from a message; None if it is none."""
    if not isinstance(value, dict):
        return None
    names = {one.name for one in fields(Progress)}
    numbers = {name: number for name, number in value.items() if name != "losses"}
    losses = value.get("losses", {})
    if not set(value) <= names or not isinstance(losses, dict) or len(losses) > 100:
        return None
    if not all(map(_is_number, [*numbers.values(), *losses.values()])):
        return None
    try:
        return Progress(**value)
    except TypeError:
        return None


def _is_number(value: Any) -> bool:
    """Return True for a number of a size that can be shown; NaN and infinity are, as losses and as estimates."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_WHOLE
    return whole or isinstance(value, float)


def _last_words(child: ChildProcess) -> str:
    code = child.end(STOP_SECONDS)
    said = child.last_complaint() or "no message"
    log.note("\n".join([f"The training process ended with code {code}:", *child.complaints]))
    return f"The training process ended unexpectedly (code {code}): {said[:200]}. Click Resume to continue."
