"""Processes that an attempt has started, found in /proc where there is one."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def running(*, group: int | None = None, session: int | None = None) -> list[int]:
    """Numbers of the processes of a process group or of a session that still run.

    Neither is ever 0: that is what the kernel's own have, and those that came from outside a container.
    """
    assert group or session, "a process group or a session is needed"
    found = []
    for entry in Path("/proc").iterdir() if Path("/proc").exists() else ():
        try:
            state, _, of_group, of_session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if state != "Z" and (int(of_group) == group or int(of_session) == session) and int(of_session):
            found.append(int(entry.name))
    return found


def kill_session(session: int) -> None:
    """kill -9 for all of a session, process groups of their own included."""
    for process in running(session=session):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
