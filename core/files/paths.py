"""Files that are written whole or not at all: beside the old one first, then in its place."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PART = re.compile(r"\.(\d+)\.part$")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """The path to write to; what lies there takes the target's place at the end, and goes where anything is raised."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def copy_whole(source: str | os.PathLike[str], target: Path) -> None:
    """Copy a file. Raises OSError; the target is then as it was."""
    with replacing(target) as part:
        shutil.copyfile(source, part)


def remove_parts(folder: Path) -> None:
    """Delete what processes that were killed have left half-written in a folder. Raises nothing."""
    with suppress(OSError):
        for path in list(folder.iterdir()):
            match = PART.search(path.name)
            if match and not _is_alive(int(match[1])):
                with suppress(OSError):
                    path.unlink()


def _is_alive(process: int) -> bool:
    """Whether a process of this number runs here; true where the system cannot be asked."""
    if os.name == "nt":
        return True  # there, signal 0 would end it
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # somebody else's
    return True


_PLAIN = re.compile(r'[^/\\:<>"|?*\x00-\x1f\x7f]{1,250}')


RESERVED = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³]|con(?:in|out)\$) *(?:\..*)?", re.IGNORECASE | re.DOTALL)
"""What Windows takes for a device, whatever follows the dot."""


def is_plain_name(name: str) -> bool:
    """Whether every file system takes a name, as one file in the very folder it is put into."""
    try:
        fits = len(name.encode()) <= 255
    except UnicodeEncodeError:
        return False
    ends_well = name == name.strip(" ").rstrip(".") and name.strip(".") != ""
    return fits and ends_well and _PLAIN.fullmatch(name) is not None and RESERVED.fullmatch(name) is None


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is within a folder when all links on its way are followed."""
    return path.resolve().is_relative_to(folder.resolve())
