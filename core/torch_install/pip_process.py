"""pip in a separate process, from the wheel bundled with Riff; Blender's Python is not changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from ..errors import Cancelled
from .folder import InstallError
from .plan import WHEELS

RETRIES = 5
"""Number of times that a lost connection is resumed where it broke off."""

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
    arguments: Sequence[str], scratch: Path, on_bytes: Callable[[int, int], None], should_stop: Callable[[], bool]
) -> str:
    """Run pip and return its output; `on_bytes` is called with the received bytes of the current file and its size.

    `scratch` is the folder for unfinished files. Raises InstallError with the cause, and Cancelled within a second
    after `should_stop` returns true.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    command = [
        *pip_command(),
        *arguments,
        "--progress-bar=raw",
        "--disable-pip-version-check",
        "--no-input",
        "--no-color",
        f"--retries={RETRIES}",
        f"--resume-retries={RETRIES}",
    ]
    settings = {
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_NO_CACHE_DIR": "1",
        "TMPDIR": str(scratch),
        "TEMP": str(scratch),
        "TMP": str(scratch),
    }
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
    }
    child = subprocess.Popen(
        command,
        env={**inherited, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        said = _follow(child, on_bytes, should_stop)
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
    if child.returncode:
        raise InstallError(sentence_for(said))
    return said


def _follow(child: subprocess.Popen[str], on_bytes: Callable[[int, int], None], should_stop: Callable[[], bool]) -> str:
    lines: SimpleQueue[str | None] = SimpleQueue()
    threading.Thread(target=_read, args=(child, lines), daemon=True).start()
    said: list[str] = []
    while True:
        if should_stop():
            raise Cancelled
        try:
            line = lines.get(timeout=0.1)
        except Empty:
            continue
        if line is None:
            return "".join(said)
        progress = re.match(r"Progress (\d+) of (\d+)", line)
        if progress:
            on_bytes(int(progress[1]), int(progress[2]))
        else:
            said.append(line)


def _read(child: subprocess.Popen[str], lines: SimpleQueue[str | None]) -> None:
    for line in child.stdout or ():
        lines.put(line)
    lines.put(None)


def sentence_for(said: str) -> str:
    """Return a message for the user about pip's error output."""
    errors = [line.partition("ERROR: ")[2].strip() for line in said.splitlines() if "ERROR: " in line]
    last = errors[-1] if errors else (said.strip().splitlines() or ["it said nothing"])[-1]
    if "No space left" in said or "Errno 28" in said or "WinError 112" in said:
        return "The disk is full; free some space, then install again: what has been fetched is kept."
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in said:
        return "A file that came is not the one that Riff asked for (its hash differs); look at your proxy or mirror."
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
