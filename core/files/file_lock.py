"""A file that one process at a time works on: a lock beside it, which the system takes back when the process dies."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_SUFFIX = ".lock"

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Flags by which a lock's file is opened: a link is not followed, a pipe keeps nobody waiting."""

LOCK_TRIES, RETRY_SECONDS = 4, 0.02
"""Tries for a lock, and the seconds between two: another process may hold it for a moment to ask whether it is free."""


class FileLock:
    """The right to work on a file, until `release` or the end of the process; made by `try_lock`.

    Where the file system knows no locks the claim is there, but keeps nobody else away.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path, self.descriptor = path, descriptor

    def release(self) -> None:
        """Let others have it; the lock's file goes. Does nothing the second time."""
        if self.descriptor is None:
            return
        descriptor, self.descriptor = self.descriptor, None
        with suppress(OSError):  # Windows deletes no open file, a child process may have it open still
            _lock_file(self.path).unlink()
        os.close(descriptor)
        with suppress(OSError):
            if sys.platform == "win32":
                _lock_file(self.path).unlink()


def try_lock(path: Path, tries: int = LOCK_TRIES) -> FileLock | None:
    """The right to work on a file, which need not be there yet; None where another process, or this one, has it."""
    for attempt in range(tries):
        try:
            descriptor = os.open(_lock_file(path), _FLAGS, 0o644)
        except OSError:
            return FileLock(path, None)  # a full disk or a link: whoever writes there will hear of it
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "no regular file")
            _lock(descriptor)
            # Whoever had it before may have deleted the lock's file between our opening and our locking it.
            if os.path.samestat(os.fstat(descriptor), os.lstat(_lock_file(path))):
                return FileLock(path, descriptor)
        except (BlockingIOError, PermissionError, FileNotFoundError):
            if attempt < tries - 1:
                time.sleep(RETRY_SECONDS)
        except OSError:
            os.close(descriptor)
            return FileLock(path, None)
        os.close(descriptor)
    return None


def is_locked(path: Path) -> bool:
    """Return whether another process holds the lock on a file."""
    if not os.path.lexists(_lock_file(path)):
        return False
    found = try_lock(path, tries=2)
    if found is not None:
        found.release()
    return found is None


def _lock_file(path: Path) -> Path:
    return path.with_name(f"{path.name}{LOCK_SUFFIX}")


def _lock(descriptor: int) -> None:
    """Lock an open file. Raises BlockingIOError or PermissionError where it is locked already."""
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
