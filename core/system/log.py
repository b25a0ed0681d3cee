"""What went wrong, in detail: a file of limited size that never stands in the way of the work.

Where there is no file to write to, or a full disk, the latest entries are kept in memory. A process that trains for
another one hands its entries on instead.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path

from .. import EXTENSION_ROOT

LARGEST = 1 << 18
"""Bytes after which the file is set aside and a new one begun; of those set aside one is kept."""

LONGEST = 2000
"""Characters of an entry's message: a name may be longer than all that is worth keeping."""

_FRAMES = 12


class Log:
    """Entries in a file, in memory where they cannot be written, or handed on to a listener."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.listener: Callable[[str], None] | None = None
        self._unwritten: deque[str] = deque(maxlen=200)
        self._lock = threading.Lock()
        self._latest = ""

    def note(self, text: str) -> None:
        """Keep an entry of one or several lines, unless it is the same as the one before. Raises nothing."""
        text = "\n".join(line[:LONGEST] for line in text.strip().splitlines())
        with self._lock:
            if text == self._latest:
                return
            self._latest = text
            if self.listener is not None:
                self.listener(text)
                return
            self._unwritten.append(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
            self._write()

    def _write(self) -> None:
        """What waits goes into the file; where that fails it waits on."""
        if self.path is None:
            return
        try:
            if self.path.exists() and self.path.stat().st_size > LARGEST:
                os.replace(self.path, set_aside(self.path))
            with open(self.path, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write("".join(self._unwritten))
        except OSError:
            return  # a full disk is no reason to stop: these entries stay in memory, and are tried again with the next
        self._unwritten.clear()

    def last_lines(self, count: int) -> list[str]:
        """The last lines of the file and of what is not written yet. Raises nothing."""
        with self._lock:
            lines: list[str] = []
            for path in (set_aside(self.path), self.path) if self.path else ():
                lines += _tail(path)
            lines += "".join(self._unwritten).splitlines()
        return lines[-count:]


def set_aside(path: Path) -> Path:
    """Where the entries before those of a log's file are kept."""
    return path.with_name(f"{path.name}.1")


def _tail(path: Path) -> list[str]:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LARGEST))
            return file.read(2 * LARGEST).decode(errors="replace").splitlines()
    except OSError:
        return []


log = Log()
"""The log of this process."""


def unforeseen(what: str, error: BaseException) -> str:
    """Log an error that nobody foresaw, with where it came from; returns the sentence for the person at the screen."""
    message = str(error).strip().splitlines()[:1]
    said = f"{type(error).__name__}: {message[0][:200]}" if message else type(error).__name__
    log.note("\n".join([f"{what}: {type(error).__name__}: {str(error)[:LONGEST]}", *_chain(error)]))
    return f"{what} failed for a reason that Riff did not foresee ({said}); Copy Report has the details."


def _chain(error: BaseException) -> list[str]:
    """Where an error was raised, and those that led to it."""
    lines = _frames(error)
    before = error.__cause__ or error.__context__
    for _ in range(3):
        if before is None:
            break
        lines += [f"  after {type(before).__name__}: {str(before)[:LONGEST]}", *_frames(before)]
        before = before.__cause__ or before.__context__
    return lines


def _frames(error: BaseException) -> list[str]:
    found = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"    at {_module(frame.filename)}:{frame.lineno} {frame.name}" for frame in found]


def _module(path: str) -> str:
    """A file of code as it is called in Riff, a package or Python; “…” for a script of the user's own."""
    packages = [entry for entry in sys.path if entry.endswith("-packages")]
    homes = [str(EXTENSION_ROOT), *packages, sysconfig.get_path("stdlib")]
    for home in homes:
        if path.startswith(home + os.sep):
            return path[len(home) + 1 :].replace(os.sep, "/")
    return "…"
