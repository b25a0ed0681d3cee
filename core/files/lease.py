"""Lease on a file: no two processes, on one machine or on several that share a folder, work on it at once.

The holder touches the lease file every few seconds. A lease that has not been touched for long belongs to a machine
that has died or lost the folder, and is taken over. A lease of a dead process of this machine is taken over at once.
Ages come from the file server's clock, so clocks of machines need not agree.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import re
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import JobError, ModelError
from .fields import open_regular, parse_json
from .held_open import patiently

LEASE_SUFFIX = ".lease"

TOUCH_SECONDS = 5.0
"""Seconds between two touches."""

RELEASE_SECONDS = 1.0
"""Seconds to wait at the end for the thread that touches a lease: a network disk may hold it up."""

STALE_SECONDS = 60.0
"""Seconds without a touch after which a lease is taken over: a holder that was held up for some moments keeps it."""

MAX_LEASE_BYTES = 4096
"""Largest size of a lease file that is read."""


def lease_path(path: Path) -> Path:
    """Return the path of the lease on a file."""
    return path.with_name(path.name + LEASE_SUFFIX)


@dataclass(frozen=True)
class Holder:
    """Contents of a lease file: its token, its owner in words, and the identity of the process on its machine."""

    token: str = ""
    who: str = "another process"
    machine: str = ""
    process: str = ""

    def has_died(self) -> bool:
        """Return whether the holder was a process of this machine that has ended; False for other machines."""
        return bool(self.machine) and self.machine == _machine() and self.process != _process(self.process)


class Lease:
    """A lease that is held until it is released, or until the process ends. `acquire_lease` gives one."""

    def __init__(self, path: Path, token: str) -> None:
        self.path, self.token = path, token
        self.lost = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._touch, name="riff-lease", daemon=True)
        self._thread.start()

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let others have it. Raises nothing: a lease that stays grows old."""
        self._ended.set()
        self._thread.join(RELEASE_SECONDS)
        with suppress(OSError):
            if read_holder(self.path).token == self.token:
                self.path.unlink()

    def _touch(self) -> None:
        """Until the end, or until somebody has taken over, which `lost` then says."""
        while not self._ended.wait(TOUCH_SECONDS):
            try:
                if read_holder(self.path).token != self.token:
                    self.lost.set()
                    return
                os.utime(self.path, follow_symlinks=os.utime not in os.supports_follow_symlinks)
            except OSError:
                continue  # a folder that is away for a moment comes back, or the lease grows old


def acquire_lease(path: Path) -> Lease | None:
    """A lease on this file if nobody alive holds one. Raises JobError where none can be written."""
    target, token = lease_path(path), uuid.uuid4().hex
    try:
        if not _create(target, token) and not _inherit(target, token):
            return None
    except OSError as error:
        raise JobError(f"Cannot write “{target}”: {error.strerror or error}.") from error
    return Lease(target, token)


@contextmanager
def hold_lease(path: Path) -> Iterator[Lease]:
    """Hold the lease on a file for a while.

    Raises ModelError where another process has it, JobError as `acquire_lease` does.
    """
    lease = acquire_lease(path)
    if lease is None:
        who = read_holder(lease_path(path)).who
        raise ModelError(f"“{path.name}” is being trained by {who}; wait for it, or choose another place to write to.")
    with lease:
        yield lease


def read_holder(target: Path) -> Holder:
    """Read the holder of a lease; empty while the lease is being made, or where there is none."""
    try:
        with open_regular(target, MAX_LEASE_BYTES, follow=False) as file:
            data = parse_json(file.read(MAX_LEASE_BYTES))
        holder = Holder(*(str(data[name]) for name in ("token", "who", "machine", "process")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Holder()
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK):
            raise
        return Holder()  # a link: no lease of ours is one
    # The token becomes part of a file's name, the words are printed: neither may be what somebody else makes of them.
    return holder if re.fullmatch("[0-9a-f]{32}", holder.token) and holder.who.isprintable() else Holder()


def _create(target: Path, token: str) -> bool:
    """Make a lease file with this token unless there is one; that is one step on every file system, shared or not."""
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(_describe(token), file)
    return True


def _inherit(target: Path, token: str) -> bool:
    """Replace the lease of a holder that is gone; of many who try, one does.

    The heir's file is of this holder alone and is made by one process. A later one, that still believes in the old
    holder, finds another token in the lease when it looks again.
    """
    holder = read_holder(target)
    if not holder.has_died() and _age(target) <= STALE_SECONDS:
        return False
    heir = target.with_name(f"{target.name}.{holder.token or 'unnamed'}")
    if not _create(heir, token):
        if _age(heir) > STALE_SECONDS:
            heir.unlink(missing_ok=True)  # who was about to take over has died, too; the next look tries again
        return False
    if read_holder(target).token != holder.token:
        heir.unlink(missing_ok=True)
        return False
    patiently(lambda: os.replace(heir, target))
    return True


def _age(target: Path) -> float:
    """Seconds since a file was touched, both ends by the clock of where it lies; 0 for one that has just gone."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".now-") as now:
        try:
            return os.stat(now.name).st_mtime - target.lstat().st_mtime
        except FileNotFoundError:
            return 0.0


def _describe(token: str) -> dict[str, Any]:
    who = f"process {os.getpid()} on {platform.node()}"
    return {"token": token, "who": who, "machine": _machine(), "process": _process(str(os.getpid()))}


def _machine() -> str:
    """This start of this machine, and its space of process numbers; nothing where the system does not tell (not Linux).

    Names of hosts would not do: containers often share one.
    """
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{started} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _process(known: str) -> str:
    """A process of this machine by number and start, as numbers are used again; nothing for one that is gone."""
    number = known.split(" ")[0]
    try:
        stat = Path(f"/proc/{int(number)}/stat").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return ""
    after_name = stat.rpartition(")")[2].split()
    return f"{number} {after_name[19]}" if after_name[0] not in "ZX" else ""
