"""The log of Riff: the standard library's logger “riff” with a file of limited size that never stands in the way.

Where there is no file to write to, or a full disk, the latest entries are kept in memory and tried again with the next.
A process that trains for another one hands its entries on instead.
"""

from __future__ import annotations

import logging
import os
import sys
import sysconfig
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

from .. import EXTENSION_ROOT

MAX_FILE_BYTES = 1 << 18
"""Size after which the file is set aside and a new one begun; of those set aside one is kept."""

MAX_LINE_CHARACTERS = 2000
"""Characters of a line: a name may be longer than all that is worth keeping."""

MAX_UNWRITTEN_ENTRIES = 200
"""Entries that are kept in memory where they cannot be written."""

MAX_FRAMES = 12
"""Frames of a traceback that are kept."""

LOGGER = logging.getLogger("riff")
"""The logger of the extension; modules log to it or to a child of it."""


class Log(logging.Handler):
    """Entries in a file, in memory where they cannot be written, or handed on to a listener."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        self.listener: Callable[[str], None] | None = None
        self._file: _LogFile | None = None
        self._unwritten: deque[logging.LogRecord] = deque(maxlen=MAX_UNWRITTEN_ENTRIES)
        self._latest = ""

    @property
    def path(self) -> Path | None:
        """The file to write to; None to keep entries in memory."""
        return Path(self._file.baseFilename) if self._file else None

    @path.setter
    def path(self, path: Path | None) -> None:
        if path == self.path:
            return
        with self.lock or nullcontext():
            if self._file is not None:
                self._file.close()
            self._file = _LogFile(path) if path is not None else None
            if self._file is not None:
                self._file.setFormatter(self.formatter)

    def note(self, text: str) -> None:
        """Keep an entry of one or several lines, unless it is the same as the one before. Raises nothing."""
        self.handle(LOGGER.makeRecord(LOGGER.name, logging.INFO, "", 0, text.strip(), (), None))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep or hand on a record; the lock of the handler is held."""
        text = "\n".join(line[:MAX_LINE_CHARACTERS] for line in record.getMessage().splitlines())
        if text == self._latest:
            return
        self._latest = text
        if self.listener is not None:
            self.listener(text)
            return
        record.msg, record.args = text, ()
        self._unwritten.append(record)
        if self._file is not None and self._file.write_all(self._unwritten):
            self._unwritten.clear()

    def last_lines(self, count: int) -> list[str]:
        """The last lines of the file and of the entries that are not written yet. Raises nothing."""
        with self.lock or nullcontext():
            lines: list[str] = []
            for path in (set_aside(self.path), self.path) if self.path else ():
                lines += _tail(path)
            for record in self._unwritten:
                lines += self.format(record).splitlines()
        return lines[-count:]


class _LogFile(RotatingFileHandler):
    """The file of a log; errors reach the caller."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, maxBytes=MAX_FILE_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace", delay=True
        )

    def handleError(self, record: logging.LogRecord) -> None:
        raise

    def write_all(self, records: deque[logging.LogRecord]) -> bool:
        """Write records; False where the disk refuses, or the folder is gone."""
        try:
            for record in records:
                self.emit(record)
        except (OSError, ValueError):
            return False
        finally:
            # Open only while it writes: the file may be moved, deleted or opened by another Blender.
            stream, self.stream = self.stream, None  # type: ignore[assignment]
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        return True


def set_aside(path: Path) -> Path:
    """Path of the entries before those of a log's file."""
    return path.with_name(f"{path.name}.1")


def _tail(path: Path) -> list[str]:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - MAX_FILE_BYTES))
            return file.read(2 * MAX_FILE_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return []


log = Log()
"""The log of this process."""

LOGGER.setLevel(logging.INFO)
LOGGER.addHandler(log)


def unforeseen(what: str, error: BaseException) -> str:
    """Log an error that nobody foresaw, with its origin; return the sentence for the person at the screen."""
    message = str(error).strip().splitlines()[:1]
    short = f"{type(error).__name__}: {message[0][:200]}" if message else type(error).__name__
    log.note("\n".join([f"{what}: {type(error).__name__}: {str(error)[:MAX_LINE_CHARACTERS]}", *_chain(error)]))
    return f"{what} failed for a reason that Riff did not foresee ({short}); Copy Report has the details."


def _chain(error: BaseException) -> list[str]:
    """Frames of an error and of those that led to it."""
    lines = _frames(error)
    before = error.__cause__ or error.__context__
    for _ in range(3):
        if before is None:
            break
        lines += [f"  after {type(before).__name__}: {str(before)[:MAX_LINE_CHARACTERS]}", *_frames(before)]
        before = before.__cause__ or before.__context__
    return lines


def _frames(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return [f"    at {_module(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _module(path: str) -> str:
    """Path of a code file within Riff, a package or Python; “…” for a script of the user's own."""
    packages = [entry for entry in sys.path if entry.endswith("-packages")]
    homes = [str(EXTENSION_ROOT), *packages, sysconfig.get_path("stdlib")]
    for home in homes:
        if path.startswith(home + os.sep):
            return path[len(home) + 1 :].replace(os.sep, "/")
    return "…"
