"""Files that are written whole or not at all, and names of files that every system takes."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .held_open import patiently

PART_SUFFIX = re.compile(r"\.[0-9a-f]{16}\.part(\.\w{1,8})?$")
"""End of the name of an unfinished file: sixteen random digits, and where other programs write it the file's suffix."""

STALE_PART_SECONDS = 3600.0
"""Age from which an unfinished file is taken for what a killed process has left behind."""

_PLAIN_NAME = re.compile(r'[^/\\:<>"|?*\x00-\x1f\x7f]{1,250}')

RESERVED = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³]|con(?:in|out)\$) *(?:\..*)?", re.IGNORECASE | re.DOTALL)
"""Names that Windows takes for a device, whatever follows the dot."""


LONG_PREFIX = "\\\\?\\" if sys.platform == "win32" else ""
"""Beginning of paths that Windows takes at any length; without it the longest has 259 characters."""


def long_path(path: Path) -> str:
    """Return a path in the form in which the system takes one of any length, also to ask whether it exists."""
    return f"{LONG_PREFIX}{os.path.abspath(path)}" if LONG_PREFIX else str(path)


@contextmanager
def atomic_write(target: Path) -> Iterator[BinaryIO]:
    """Write a file that takes the target's place at the end, and vanishes where anything is raised.

    The file is made in the target's folder under a random name and must be new: a link or a file that somebody planted
    there is never written to. Its bytes reach the disk before it takes the place. Old unfinished files
    of the same name, left by killed processes, are deleted. Raises OSError.
    """
    part = _new_part(target)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(part, flags, 0o666)
    with _taking_place(part, target), open(descriptor, "w+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """Yield a random name in the target's folder, with its suffix, under which another program can write the file.

    That file takes the target's place at the end, and vanishes where anything is raised; a link or a pipe in the
    target's place is replaced, never written to. Raises OSError; the target is then as it was.
    """
    part = _new_part(target, target.suffix)
    with _taking_place(part, target):
        yield part


def _new_part(target: Path, suffix: str = "") -> Path:
    """Delete old unfinished files of a target; return a random name for a new one in its folder."""
    remove_parts(target.parent, of=target.name)
    return target.with_name(f"{target.name}.{secrets.token_hex(8)}.part{suffix}")


@contextmanager
def _taking_place(part: Path, target: Path) -> Iterator[None]:
    """Replace the target by a file that is written inside; delete the file where anything is raised."""
    try:
        yield
        patiently(lambda: os.replace(part, target))
    except BaseException:
        with suppress(OSError):
            patiently(lambda: part.unlink(missing_ok=True))
        raise


def write_bytes(target: Path, data: bytes) -> None:
    """Write a file atomically. Raises OSError; the target is then as it was."""
    with atomic_write(target) as file:
        file.write(data)


def copy_whole(source: str | os.PathLike[str], target: Path) -> None:
    """Copy a file atomically. Raises OSError; the target is then as it was."""
    with open(source, "rb") as original, atomic_write(target) as file:
        shutil.copyfileobj(original, file, 1 << 20)


def remove_parts(folder: Path, of: str = "") -> None:
    """Delete unfinished files in a folder, or those of one file, that killed processes have left. Raises nothing."""
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if PART_SUFFIX.search(path.name) and (not of or PART_SUFFIX.sub("", path.name) == of):
                with suppress(OSError):
                    if time.time() - path.lstat().st_mtime > STALE_PART_SECONDS:
                        path.unlink()


def is_plain_name(name: str) -> bool:
    """Return True if every file system takes a name, as one file in the very folder it is put into."""
    try:
        fits = len(name.encode()) <= 255
    except UnicodeEncodeError:
        return False
    ends_well = name == name.strip(" ").rstrip(".") and name.strip(".") != ""
    return fits and ends_well and _PLAIN_NAME.fullmatch(name) is not None and RESERVED.fullmatch(name) is None


def lies_in(path: Path, folder: Path) -> bool:
    """Return True if a path is within a folder when all links on its way are followed."""
    return path.resolve().is_relative_to(folder.resolve())
