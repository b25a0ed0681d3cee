"""Progress and time left, on a terminal or in a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TextIO

TERMINAL_INTERVAL, LOG_INTERVAL = 0.2, 5.0


class ProgressLine:
    """One line that is rewritten in place on a terminal; elsewhere a new line every few seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._interval = TERMINAL_INTERVAL if self._terminal else LOG_INTERVAL
        self._shown = float("-inf")
        self._written = self._latest = ""

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The last message is always seen, whatever the interval."""
        if self._latest != self._written:
            self._write()
        if self._terminal and self._written:
            self._stream.write("\n")
            self._stream.flush()

    def show(self, text: str) -> None:
        self._latest = text
        now = time.monotonic()
        if now - self._shown >= self._interval:
            self._shown = now
            self._write()

    def _write(self) -> None:
        # \x1b[K clears what a longer line has left behind.
        self._stream.write(f"\r{self._latest}\x1b[K" if self._terminal else f"{self._latest}\n")
        self._stream.flush()
        self._written = self._latest


def format_duration(seconds: float) -> str:
    """Seconds as minutes and seconds, with hours where there are any: 3:05, 1:02:03."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
