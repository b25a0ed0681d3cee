"""A child process that can neither keep Riff waiting nor fill its memory, whatever it does or does not do."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, Queue
from typing import IO

from .. import EXTENSION_ROOT
from ..errors import RiffError

MAX_LINE_BYTES = 1 << 18
"""Bytes of a line that are read; the rest of a longer one is thrown away."""

MAX_WAITING_LINES = 64
"""Lines that are read before they are asked for: a child that says more has to wait."""

FREE_BYTES, BYTES_PER_SECOND = 16_000_000, 100_000
"""Bytes that a child may say at once, and more of them for each second of its life."""

MAX_COMPLAINTS = 40
"""Last lines of its error output that are kept, each of at most MAX_COMPLAINT_BYTES."""

MAX_COMPLAINT_BYTES = 4096

CHUNK_BYTES = 1 << 16
"""Bytes of its error output that are read at once."""

KILL_SECONDS = 0.5
"""Seconds to wait for a child that was killed: one that hangs in the system itself is left to it."""

POLL_SECONDS = 0.1
"""Seconds between two looks at whether a child has ended."""

WINDOWS_FLAGS = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Flags for low priority and no console window."""


class Flooded(RiffError):
    """Raised for a child that says far more than it should."""


class Ended(Exception):
    """Raised at the end of a child's output."""


class ChildProcess:
    """A running child; `complaints` are the last lines of its error output. Use `end` in any case.

    Raises OSError if it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        keep_stdin: bool = False,
        errors_too: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Start a command in the extension's folder; with `keep_stdin` it hears when this process lets go of it, with
        `errors_too` its error output is part of its output.
        """
        self.process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=EXTENSION_ROOT,
            stdin=subprocess.PIPE if keep_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if errors_too else subprocess.PIPE,
            creationflags=WINDOWS_FLAGS,
            pass_fds=tuple(pass_fds),
        )
        self.complaints: deque[str] = deque(maxlen=MAX_COMPLAINTS)
        self._lines: Queue[str | None] = Queue(MAX_WAITING_LINES)
        self._left = threading.Event()
        self._started, self._said = time.monotonic(), 0
        # Daemons: a grandchild can keep the pipes open for ever.
        self._readers = [threading.Thread(target=self._read, daemon=True, name="riff-child")]
        if not errors_too:
            self._readers.append(threading.Thread(target=self._listen, daemon=True, name="riff-child-errors"))
        for reader in self._readers:
            reader.start()

    def line(self, timeout: float = POLL_SECONDS) -> str | None:
        """Return the next line of its output, None if there is none within `timeout` seconds.

        Raises Ended once there will be no more, also where a process of its own keeps the output open, and Flooded.
        """
        if self._said > self._allowed():
            raise Flooded("it says more than can be read")
        gone = self.process.poll() is not None
        try:
            line = self._lines.get(timeout=timeout)
        except Empty:
            if gone:
                raise Ended from None
            return None
        if line is None:
            raise Ended
        return line

    def tell(self, text: str) -> None:
        """Write to its input; one that has gone hears nothing, as its output is about to say."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            with suppress(OSError):
                self.process.stdin.write(text.encode())
                self.process.stdin.flush()

    def let_go(self) -> None:
        """Close its input, which asks it to stop."""
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()

    def end(self, grace: float = 0.0) -> int | None:
        """End it: ask it to stop, kill it after `grace` seconds; return its code, None if the system keeps it."""
        self.let_go()
        self._left.set()
        for seconds in (grace, KILL_SECONDS):
            try:
                return self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.poll()

    def last_complaint(self) -> str:
        """Return the last line of its error output, once that has been read; empty if there is none."""
        self._readers[-1].join(KILL_SECONDS)
        return next((line for line in reversed(self.complaints) if line.strip()), "").strip()

    def _read(self) -> None:
        for line, begins in _pieces(self.process.stdout, MAX_LINE_BYTES):
            self._said += len(line)
            if self._left.is_set() or (begins and not self._put(line.decode("utf-8", "replace"))):
                break
        self._put(None)

    def _put(self, line: str | None) -> bool:
        """Hand a line over, when there is room; return False if nobody listens any more."""
        while not self._left.is_set():
            with suppress(Full):
                self._lines.put(line, timeout=POLL_SECONDS)
                return True
        return False

    def _listen(self) -> None:
        """Keep the last lines of the error output, each from its beginning; read a flood of them slowly."""
        said, last, rest, stream = 0, 0, b"", self.process.stderr
        while stream is not None and (chunk := os.read(stream.fileno(), CHUNK_BYTES)):
            said += len(chunk)
            last += len(chunk) if self._left.is_set() else 0
            if last > FREE_BYTES:
                return  # a process of its own goes on without it
            # Not line by line: a reader of millions of short lines would leave no other thread Python's lock.
            *lines, rest = (rest + chunk).rsplit(b"\n", MAX_COMPLAINTS + 1)
            rest = rest[:MAX_COMPLAINT_BYTES]
            self._complain(lines[-MAX_COMPLAINTS:])
            if said > self._allowed():
                time.sleep(POLL_SECONDS)
        self._complain([rest])

    def _complain(self, lines: Sequence[bytes]) -> None:
        self.complaints.extend(line[:MAX_COMPLAINT_BYTES].decode("utf-8", "replace") for line in lines)

    def _allowed(self) -> float:
        """Return the bytes that the child may have said by now."""
        return FREE_BYTES + BYTES_PER_SECOND * (time.monotonic() - self._started)


def _pieces(stream: IO[bytes] | None, longest: int) -> Iterator[tuple[bytes, bool]]:
    """Iterate over pieces of lines of at most so many bytes, each with whether a line begins with it."""
    begins = True
    while stream is not None:
        piece = stream.readline(longest)
        if not piece:
            return
        yield piece, begins
        begins = piece.endswith(b"\n")


def python_command(
    python: Path, module: str, *, first: Sequence[str] = (), last: Sequence[str] = (), torch: str | None = None
) -> list[str]:
    """Return the command that runs a module of Riff's in an interpreter, the standard library before all else.

    The folders `first` come before the interpreter's own packages, those of `last` after them; PyTorch is taken from
    the folder `torch` alone, if there is one. See `child_start`.
    """
    setting = {"module": module, "first": [str(EXTENSION_ROOT), *first], "last": [*last], "torch": torch}
    return [str(python), str(EXTENSION_ROOT / "core/system/child_start.py"), json.dumps(setting)]


def python_environment() -> dict[str, str]:
    """Return the environment of a child that is an interpreter: no PYTHONPATH, output in UTF-8, threads that rest."""
    own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    return {**own, "PYTHONIOENCODING": "utf-8", "OMP_WAIT_POLICY": "PASSIVE"}
