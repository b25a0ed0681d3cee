"""Watches what a process really does, by Python's audit events: sockets, processes, and what is written where."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

NETWORK = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "ssl.", "webbrowser.")
PATHS = {
    "os.mkdir": 1,
    "os.remove": 1,
    "os.rmdir": 1,
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
    "os.truncate": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "shutil.copyfile": 2,
    "shutil.move": 2,
    "shutil.rmtree": 1,
    "shutil.copytree": 2,
}
"""Events that change files, and how many of their first arguments are paths; of a copy the first is only read."""

CODE = ("pickle.find_class", "marshal.loads.untrusted")


@dataclass
class Trace:
    """Events since `watch`: events of the network, command lines of processes, paths that were written."""

    network: list[str] = field(default_factory=list)
    processes: list[list[str]] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    unpickled: list[str] = field(default_factory=list)
    watching: bool = True

    def outside(self, *allowed: Path) -> list[str]:
        """Paths written in none of these folders, nor to a device."""
        homes = [str(folder.resolve()) + os.sep for folder in allowed]
        return sorted(
            path
            for path in self.written
            if not path.startswith(("/dev/", "/proc/")) and not any(_meets(path + os.sep, home) for home in homes)
        )


def _meets(path: str, home: str) -> bool:
    """Tell if a path is in a folder, or had to be made for the folder to be there."""
    return path.startswith(home) or home.startswith(path)


def watch() -> Trace:
    """Begin to watch this process; nothing can end that, but `watching` can be switched off."""
    trace = Trace()

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if not trace.watching:
            return
        if event.startswith(NETWORK) and event != "socket.gethostname":
            trace.network.append(f"{event} {arguments!r:.200}")
        elif event == "subprocess.Popen":
            trace.processes.append([os.fspath(word) for word in arguments[1]])
        elif event in ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile", "pty.spawn"):
            trace.processes.append([event])
        elif event == "pickle.find_class":
            trace.unpickled.append(repr(arguments))
        elif event == "open":
            path, mode, flags = arguments
            if not isinstance(path, int) and ((mode and set(mode) & set("wax+")) or flags & WRITES):
                trace.written.add(_absolute(path))
        elif event in PATHS:
            first = 1 if event.startswith("shutil.copy") else 0
            trace.written |= set(_paths(arguments[first : PATHS[event]]))

    sys.addaudithook(hear)
    return trace


def _paths(arguments: tuple[Any, ...]) -> Iterator[str]:
    for one in arguments:
        if not isinstance(one, int):
            yield _absolute(one)


def _absolute(path: Any) -> str:
    name = os.fsdecode(path)
    return os.path.join(os.path.realpath(os.path.dirname(name) or "."), os.path.basename(name))
