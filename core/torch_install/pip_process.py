"""pip in a separate process, from the wheel bundled with Riff; Blender's Python is not changed."""

from __future__ import annotations

import os
import re
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import Cancelled
from ..system.child_process import KILL_SECONDS, ChildProcess, Ended, Flooded
from .folder import InstallError
from .plan import WHEELS

RETRIES = 5
"""Number of times that a lost connection is resumed where it broke off."""

MAX_LINES = 2000
"""Last lines of pip's output that are kept."""

NOWHERE = "http://127.0.0.1:9"
"""A proxy at which nobody answers: what would ask the network in spite of all gets none."""

OFFLINE_SENTENCE = (
    "A wheel in the folder asks for a file from an address; Riff fetches nothing from there. Put that file into the "
    "folder, and wheels that ask for it by its name."
)

OFFLINE_PATTERN = re.compile(
    "NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|NameResolution|Max retries exceeded|Connection refused|"
    "Temporary failure in name|Network is unreachable|SSLError|CERTIFICATE_VERIFY|ConnectionError|Connection to"
)
"""Pattern of pip's errors where the index was not reached."""


def pip_command() -> list[str]:
    """Return the command line of pip. Raises InstallError where the wheel is missing."""
    wheels = sorted(WHEELS.glob("pip-*.whl"))
    if not wheels:
        raise InstallError("A part of Riff is missing (wheels/pip-*.whl); install the extension again.")
    # -I: ignore the user's site-packages and environment.
    return [sys.executable, "-I", str(wheels[-1] / "pip")]


def run_pip(
    arguments: Sequence[str],
    scratch: Path,
    on_bytes: Callable[[int, int], None],
    should_stop: Callable[[], bool],
    *,
    offline: bool = False,
) -> str:
    """Run pip and return its output; `on_bytes` is called with the received bytes of the current file and its size.

    `scratch` is the folder for unfinished files. If `offline`, no configuration and no variable of the person's is
    heeded and no network is asked. Raises InstallError with the cause, and Cancelled within a second after
    `should_stop` returns true.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    tries = 0 if offline else RETRIES
    command = [
        *pip_command(),
        *arguments,
        "--progress-bar=raw",
        "--disable-pip-version-check",
        "--no-input",
        "--no-color",
        "--no-cache-dir",
        f"--retries={tries}",
        f"--resume-retries={tries}",
        *(["--isolated", f"--proxy={NOWHERE}"] if offline else []),
    ]
    settings = {
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "TMPDIR": str(scratch),
        "TEMP": str(scratch),
        "TMP": str(scratch),
    }
    if offline:
        settings = {name: value for name, value in settings.items() if not name.startswith("PIP_")}
        settings["PIP_CONFIG_FILE"] = os.devnull
    child = ChildProcess(command, {**_inherited(offline), **settings}, errors_too=True)
    try:
        said = _follow(child, on_bytes, should_stop)
    finally:
        code = child.end(KILL_SECONDS)
    if code:
        raise InstallError(OFFLINE_SENTENCE if offline and OFFLINE_PATTERN.search(said) else sentence_for(said))
    return said


def _inherited(offline: bool) -> dict[str, str]:
    """Return the variables that pip inherits: none that say where it writes; offline none of its own or a proxy's."""

    def is_kept(name: str) -> bool:
        if offline and (name.upper().startswith("PIP_") or name.upper().endswith("_PROXY")):
            return False
        return name.upper() not in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")

    return {name: value for name, value in os.environ.items() if is_kept(name)}


def _follow(child: ChildProcess, on_bytes: Callable[[int, int], None], should_stop: Callable[[], bool]) -> str:
    """Return the last lines that pip says. Raises Cancelled, InstallError."""
    said: deque[str] = deque(maxlen=MAX_LINES)
    while True:
        if should_stop():
            child.end()
            raise Cancelled
        try:
            line = child.line()
        except Ended:
            return "".join(said)
        except Flooded as error:
            raise InstallError(f"pip was stopped: {error}.") from error
        progress = re.match(r"Progress (\d{1,18}) of (\d{1,18})", line or "")
        if progress:
            on_bytes(int(progress[1]), int(progress[2]))
        elif line is not None:
            said.append(line)


def sentence_for(said: str) -> str:
    """Return a message for the user about pip's error output."""
    errors = [line.partition("ERROR: ")[2].strip() for line in said.splitlines() if "ERROR: " in line]
    last = errors[-1] if errors else (said.strip().splitlines() or ["it said nothing"])[-1]
    if "No space left" in said or "Errno 28" in said or "WinError 112" in said:
        return "The disk is full; free some space, then install again: what has been fetched is kept."
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in said:
        name = re.search(r"(?m)^ {4}([\w.+=<>!-]+) ", said)
        which = f"The file of {name[1]} that came" if name else "A file that came"
        return (
            f"{which} is not the one that Riff asked for (its hash differs), so it was refused; look at your proxy or "
            "mirror. Nothing of it was unpacked."
        )
    if "Permission denied" in said or "Access is denied" in said or "WinError 5]" in said:
        return f"Blender may not write a file that pip wants to write: {last[:160]}."
    missing = re.search(r"No matching distribution found for ([\w.+=<>!-]+)", said)
    if OFFLINE_PATTERN.search(said):
        return (
            "The package index cannot be reached; check the network and proxy, or install from a folder of wheels. "
            "What has been fetched is kept."
        )
    if missing:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return f"There is no file of {missing[1]} for this system and Python {version}."
    return f"pip ended with an error: {last[:200]}"
