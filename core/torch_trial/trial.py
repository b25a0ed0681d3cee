"""Trial of an interpreter in processes of its own: what it is, whether it has PyTorch, and whether that computes."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import Cancelled, RiffError
from ..system.child_process import KILL_SECONDS, ChildProcess, Ended, Flooded, python_command, python_environment

TEST_SECONDS = 600.0
"""Seconds in which the self-test must end: PyTorch may come from a slow network disk."""

ANSWER_SECONDS = 30.0
"""Seconds in which an interpreter must say what it is: it may lie on a network disk, too."""

LEAST_PYTHON = (3, 11)
"""Oldest Python that runs Riff's code."""

PACKAGE_TITLES = {"torch": "PyTorch", "numpy": "NumPy"}
"""Packages that a training needs, and their names for people."""

FLATPAK_MARK = Path("/.flatpak-info")
"""File that programs see in a Flatpak."""

SANDBOX_HINT = (
    " This Blender is a Flatpak and sees none of the system's own programs; use a Python that lies in your home folder "
    "with all of its files, or Blender from blender.org."
)

MISSING_RUNTIME = re.compile(r"DLL load failed|WinError (126|127|1114)\b|DLL initialization routine failed")
"""Errors of Windows for a library that lacks another one, or cannot begin."""

RUNTIME_PAGE = "https://aka.ms/vs/17/release"
"""Folder of Microsoft's downloads of the Visual C++ runtime."""


class TrialError(RiffError):
    """PyTorch does not work in an interpreter; the sentence says why and what to do."""


def ask_python(python: Path, should_stop: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Return the `version` (two numbers) of an interpreter that can train, without loading PyTorch: some 50 ms.

    Raises TrialError for a folder, another program, an old Python and one without PyTorch, and Cancelled.
    """
    if python.is_dir():
        raise TrialError(f"“{python}” is a folder; choose the interpreter in it, such as bin/python or python.exe.")
    if python.stem.lower().startswith("blender"):
        raise TrialError(f"“{python}” is Blender, not Python; leave the field empty for Blender's own Python.")
    script = Path(__file__).with_name("ask_python.py")
    said, complaint = _said_by(python, [str(python), "-I", str(script)], ANSWER_SECONDS, should_stop)
    try:
        answer = json.loads(said)
        version, missing = tuple(answer["version"]), list(answer["missing"])
        known = f"{version[0]:d}.{version[1]:d}"
    except (ValueError, TypeError, KeyError, IndexError):
        words = (said or complaint or "nothing").strip()[:120]
        raise TrialError(f"“{python}” is no Python interpreter; asked for its version it said “{words}”.") from None
    if version < LEAST_PYTHON:
        least = ".".join(map(str, LEAST_PYTHON))
        raise TrialError(f"“{python}” is Python {known}, and Riff needs {least} or newer; choose another Python.")
    if missing:
        names = " and no ".join(PACKAGE_TITLES.get(str(name), str(name)) for name in missing)
        raise TrialError(f"“{python}” (Python {known}) has no {names}; install what is missing there.")
    return {"version": known}


def try_python(python: Path, should_stop: Callable[[], bool], *, torch: Path | None = None) -> dict[str, Any]:
    """Run the self-test in an interpreter, with the PyTorch of the folder `torch` alone if there is one.

    Raises TrialError, Cancelled.
    """
    last = [*shared_folders(python), *([str(torch)] if torch else [])]
    command = python_command(python, "core.torch_trial.self_test", last=last, torch=str(torch) if torch else None)
    said, complaint = _said_by(python, command, TEST_SECONDS, should_stop)
    try:
        report = json.loads(said)
    except ValueError:
        report = None
    if not isinstance(report, dict):
        report = {"problem": complaint}
    if "problem" in report:
        raise TrialError(sentence_of_trial(str(report["problem"])))
    return report


def sentence_of_trial(problem: str) -> str:
    """Return a message for the user about an error of the self-test."""
    if MISSING_RUNTIME.search(problem):
        build = "arm64" if "arm" in platform.machine().lower() else "x64"
        return (
            "Windows cannot load PyTorch's libraries, mostly since its Visual C++ runtime is missing or too old; "
            f"install {RUNTIME_PAGE}/vc_redist.{build}.exe, restart Blender, then click Test. Windows says: "
            f"{problem[:120]}"
        )
    return f"PyTorch was installed and does not work: {problem[:200]}. Try another one."


def is_own(python: Path) -> bool:
    """Return True for the interpreter that runs this process."""
    return os.path.abspath(python) == os.path.abspath(sys.executable)


def shared_folders(python: Path) -> list[str]:
    """Return the folders of the packages that Riff needs, for the same interpreter; others have their own."""
    if not is_own(python):
        return []
    files = [sys.modules[name].__file__ for name in ("numpy", "safetensors") if name in sys.modules]
    return [str(Path(file).parent.parent) for file in files if file]


def _said_by(python: Path, command: list[str], seconds: float, should_stop: Callable[[], bool]) -> tuple[str, str]:
    """Return the last lines of a child's output and of its errors. Raises TrialError, Cancelled."""
    try:
        child = ChildProcess(command, python_environment())
    except OSError as error:
        hint = SANDBOX_HINT if FLATPAK_MARK.exists() else ""
        raise TrialError(f"“{python}” cannot be started: {error.strerror or error}.{hint}") from error
    try:
        said = _last_line(child, time.monotonic() + seconds, seconds, should_stop)
    finally:
        code = child.end(KILL_SECONDS)
    return said, child.last_complaint() or f"it ended with code {code}"


def _last_line(child: ChildProcess, deadline: float, seconds: float, should_stop: Callable[[], bool]) -> str:
    """Return the last line that a child says. Raises TrialError for one that does not come to an end, Cancelled."""
    said = ""
    while True:
        if should_stop():
            child.end()
            raise Cancelled
        try:
            line = child.line()
        except Ended:
            return said
        except Flooded as error:
            raise TrialError(f"The test of PyTorch was stopped: {error}. Try another one.") from error
        if line is not None and line.strip():
            said = line
        if time.monotonic() > deadline:
            length = f"{seconds / 60:.0f} minutes" if seconds > 60 else f"{seconds:.0f} seconds"
            raise TrialError(f"The test of PyTorch has not ended after {length}; try another one.")
