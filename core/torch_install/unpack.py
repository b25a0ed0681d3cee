"""Unpacking of wheels into a folder: the installation of a wheel without its command-line scripts."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from ..errors import Cancelled
from ..files.archives import ARCHIVE_ERRORS
from ..files.paths import RESERVED, long_path
from .folder import InstallError, explained

CHUNK_BYTES = 1 << 20
"""Bytes that are copied at a time."""

_ALWAYS_ALLOWED_BYTES, _MAX_COMPRESSION_RATIO = 100_000_000, 30
"""Always allowed size in bytes, and the largest accepted compression ratio beyond it (PyTorch: 4)."""

IMPORT_FOLDERS = ("purelib", "platlib")
"""Subfolders of a wheel's data folder that belong on the import path."""


def unpack_wheels(
    wheels: Sequence[Path], folder: Path, on_bytes: Callable[[int, int], None], should_stop: Callable[[], bool]
) -> None:
    """Unpack wheels into a folder, checking every file; `on_bytes` is called with the written and the total bytes.

    Raises InstallError for a damaged wheel or a disk error, Cancelled if `should_stop` returns true.
    """
    total = sum(_unpacked_size(wheel) for wheel in wheels)
    if total > max(_ALWAYS_ALLOWED_BYTES, _MAX_COMPRESSION_RATIO * sum(wheel.stat().st_size for wheel in wheels)):
        raise InstallError("The wheels unpack to more than PyTorch needs; use the wheels of PyTorch.")
    done = 0
    for wheel in wheels:
        with _opened(wheel) as archive:
            for member in archive.infolist():
                target = _place(member.filename, folder)
                if target is None or member.is_dir():
                    continue
                if should_stop():
                    raise Cancelled
                _write(archive, member, target, wheel)
                done += member.file_size
                on_bytes(done, total)


def _opened(wheel: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(wheel)
    except (OSError, zipfile.BadZipFile) as error:
        raise InstallError(f"“{wheel.name}” is damaged; delete it and install again.") from error


def _unpacked_size(wheel: Path) -> int:
    with _opened(wheel) as archive:
        return sum(member.file_size for member in archive.infolist())


def _place(name: str, folder: Path) -> Path | None:
    """Return the target of a wheel's file, None for scripts and manual pages. Raises InstallError for one outside."""
    parts = PurePosixPath(name).parts
    if parts and parts[0].endswith(".data"):
        if len(parts) < 3 or parts[1] not in IMPORT_FOLDERS:
            return None
        parts = parts[2:]
    outside = name.startswith(("/", "\\")) or ".." in parts or any(":" in part or "\\" in part for part in parts)
    device = sys.platform == "win32" and any(RESERVED.fullmatch(part) for part in parts)
    if outside or device or "\0" in name:
        raise InstallError(f"A wheel wants to write outside its folder (“{name}”); nothing was installed.")
    return folder.joinpath(*parts)


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, wheel: Path) -> None:
    path = long_path(target)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(member) as source, open(path, "wb") as file:
            while piece := source.read(CHUNK_BYTES):
                file.write(piece)
    except ARCHIVE_ERRORS as error:
        raise InstallError(f"“{wheel.name}” is damaged; delete it and install again.") from error
    except OSError as error:
        raise explained(error, target) from error
