"""Training in a child process: for a Blender whose Python lacks PyTorch, and for isolation."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from ...core import EXTENSION_ROOT
from ...core.errors import Cancelled, RiffError
from ...core.files.file_lock import FileLock
from ...core.system.log import log
from ...core.training.checkpoint import Checkpoint, save_checkpoint
from ...core.training.progress import Progress

SHARED_PACKAGES = ("safetensors", "numpy", "torch")
"""Packages that a child with the same Python imports from where this process does."""

WINDOWS_FLAGS = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Flags for low priority and no console window; elsewhere `core.runs.worker` lowers its priority by `os.nice`."""

ENOUGH = "e"
"""Character that asks the child to end the training early."""

STOP_SECONDS = 1.0
"""Seconds in which a child may save its state after it is asked to stop; then it is killed."""


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

    Raises RiffError, also if the process dies; NotStarted if it cannot be started or another Python lacks a package;
    ModuleNotFoundError if this Python does.
    """
    with tempfile.TemporaryDirectory(prefix="riff-") as own:
        state = keep or Path(own) / "training.safetensors"
        save_checkpoint(begun, state)
        shared = [] if os.name == "nt" else [held.descriptor for held in claims if held.descriptor is not None]
        command = [
            str(python),
            "-m",
            "core.runs.worker",
            str(state),
            *([str(path)] if path else []),
            "--device",
            device,
        ]
        try:
            child = subprocess.Popen(
                command,
                env=_environment(python, own),
                cwd=EXTENSION_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                creationflags=WINDOWS_FLAGS,
                pass_fds=shared,
            )
        except OSError as error:
            raise NotStarted(f"“{python}” cannot be started: {error.strerror or error}.") from error
        try:
            _relay(child, send, should_stop, is_enough)
        except ModuleNotFoundError as error:
            if is_own(python):
                raise
            raise NotStarted(
                f"“{python}” has no package “{error.name}”; install PyTorch there, or choose another Python in Riff's "
                "preferences."
            ) from error
        finally:
            _end(child)


def _environment(python: Path, own: str) -> dict[str, str]:
    """Build the child's environment: it finds the extension's `core` and packages installed only for Blender.

    Another Python gets a copy of safetensors alone, in the folder `own`: its neighbours are for Blender's Python.
    """
    folders = [str(EXTENSION_ROOT), own]
    for package in SHARED_PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.origin:
            continue
        folder = Path(spec.origin).parent
        if is_own(python):
            folders.append(str(folder.parent))
        elif package == "safetensors":
            shutil.copytree(folder, Path(own) / package)
    path = os.pathsep.join(dict.fromkeys(folders))
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "OMP_WAIT_POLICY": "PASSIVE"}


def is_own(python: Path) -> bool:
    """Return True for the interpreter that runs this process."""
    return os.path.abspath(python) == os.path.abspath(sys.executable)


def _relay(
    child: subprocess.Popen[str],
    send: Callable[[str, Any], None],
    should_stop: Callable[[], bool],
    is_enough: Callable[[], bool],
) -> None:
    lines: SimpleQueue[str | None] = SimpleQueue()
    complaints: list[str] = []
    readers = [
        threading.Thread(target=_read_lines, args=(child, lines)),
        threading.Thread(target=lambda: complaints.extend(child.stderr or ())),
    ]
    for reader in readers:
        reader.start()
    asked = ended = False
    while True:
        assert child.stdin is not None
        if not asked and should_stop():
            asked = True
            child.stdin.close()
        if not asked and not ended and is_enough():
            ended = True
            with suppress(OSError):  # the child has gone, as its output is about to tell
                child.stdin.write(ENOUGH)
                child.stdin.flush()
        try:
            line = lines.get(timeout=0.1)
        except Empty:
            continue
        if line is None:
            break
        if _take(line, send):
            return
    if asked:
        raise Cancelled
    for reader in readers:
        reader.join()
    missing = re.search(r"No module named '(\w+)", complaints[-1] if complaints else "")
    raise ModuleNotFoundError(complaints[-1], name=missing[1]) if missing else RiffError(_last_words(child, complaints))


def _take(line: str, send: Callable[[str, Any], None]) -> bool:
    """Pass a message on; return True for the last message of a finished training."""
    try:
        kind, value = json.loads(line)
    except ValueError:
        return False  # some other output
    if kind == "log":
        log.note(value)
    elif kind == "progress":
        send("progress", Progress(**value))
    elif kind == "failed":
        raise RiffError(value)
    elif kind == "missing":
        raise ModuleNotFoundError(f"No module named “{value}”", name=value)
    elif kind == "end" and value == "cancelled":
        raise Cancelled
    elif kind == "end":
        return True
    else:
        send(kind, value)
    return False


def _read_lines(child: subprocess.Popen[str], lines: SimpleQueue[str | None]) -> None:
    for line in child.stdout or ():
        lines.put(line)
    lines.put(None)


def _last_words(child: subprocess.Popen[str], complaints: list[str]) -> str:
    code = child.wait()
    said = complaints[-1].strip() if complaints else "no message"
    log.note("\n".join([f"The training process ended with code {code}:", *complaints[-20:]]))
    return f"The training process ended unexpectedly (code {code}): {said[:200]}. Click Resume to continue."


def _end(child: subprocess.Popen[str]) -> None:
    """End the child: close its stdin, which asks it to stop, then kill it after STOP_SECONDS."""
    if child.stdin is not None and not child.stdin.closed:
        child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
