"""Folder of Riff's own PyTorch, one for each Python and backend, and the state of its installation."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ..errors import RiffError
from ..files.fields import FieldError, open_regular, parse_json
from ..files.file_lock import try_lock
from ..files.held_open import SURELY_HELD_CODES, patiently, reason_of
from ..files.paths import LONG_PREFIX, long_path, write_bytes

LARGEST_RECORD = 1 << 20
"""Bytes of the record of an installation."""


LARGEST_LIST = 1 << 26
"""Bytes of the list of a package's files; that of PyTorch has two million."""


class InstallError(RiffError):
    """PyTorch cannot be installed or does not work; the sentence says why and what to do."""


class InstallState(Enum):
    """State of an installation."""

    ABSENT = "not installed"
    INCOMPLETE = "incomplete"
    READY = "ready"
    OUTDATED = "update required"


@dataclass(frozen=True)
class TorchFolder:
    """Packages for one Python (such as py311) and backend (such as cpu) below the folder `root`.

    `packages` goes on the import path. Beside it are the downloads, the marker of an unfinished installation, and the
    record of a finished one.
    """

    root: Path
    python: str
    backend: str

    @property
    def stem(self) -> str:
        return f"{self.python}-{self.backend}"

    @property
    def packages(self) -> Path:
        return self.root / self.stem

    @property
    def downloads(self) -> Path:
        return self.root / f"{self.stem}-downloads"

    @property
    def marker(self) -> Path:
        return self.root / f"{self.stem}.incomplete"

    @property
    def record(self) -> Path:
        return self.root / f"{self.stem}.json"

    def standing(self, fingerprint: str = "") -> InstallState:
        """Return the state; `fingerprint` is that of the extension's current release. Costs two file accesses."""
        if self.marker.exists():
            return InstallState.INCOMPLETE
        facts = self.facts()
        if not facts or not self.packages.is_dir():
            return InstallState.ABSENT
        pinned = facts.get("fingerprint", "")
        return InstallState.OUTDATED if fingerprint and pinned and pinned != fingerprint else InstallState.READY

    def facts(self) -> dict[str, Any]:
        """Return the results of the self-test (version of PyTorch, device, seconds); empty without a record."""
        try:
            with open_regular(self.record, LARGEST_RECORD) as file:
                facts = parse_json(file.read(LARGEST_RECORD))
        except (OSError, FieldError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def begin(self) -> None:
        """Mark the folder as incomplete and empty it; downloads stay. Raises InstallError."""
        try:
            self.downloads.mkdir(parents=True, exist_ok=True)
            write_bytes(self.marker, b"An installation of PyTorch was begun and has not come to its end.\n")
            self.record.unlink(missing_ok=True)
            _remove_tree(self.packages)
            self.packages.mkdir()
        except OSError as error:
            raise explained(error, self.root) from error

    def finish(self, facts: dict[str, Any]) -> None:
        """Record the results of the self-test, then remove marker and downloads. Raises InstallError."""
        try:
            write_bytes(self.record, json.dumps(facts, indent=1).encode())
            shutil.rmtree(self.downloads, ignore_errors=True)
            self.marker.unlink(missing_ok=True)
        except OSError as error:
            raise explained(error, self.root) from error

    def remove(self) -> None:
        """Delete the folder.

        Raises InstallError, for instance where Windows has loaded some of its files, or another Blender installs.
        """
        with self.claimed():
            try:
                self.record.unlink(missing_ok=True)
                for folder in (self.packages, self.downloads):
                    _remove_tree(folder)
                self.marker.unlink(missing_ok=True)
            except OSError as error:
                name = str(error.filename or self.packages).removeprefix(LONG_PREFIX)
                raise InstallError(
                    f"“{name}” cannot be deleted ({reason_of(error)}); restart Blender and remove again."
                ) from error

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other Blenders from installing into the folder, or removing it, meanwhile.

        Raises InstallError where one does so already, and for a disk error.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explained(error, self.root) from error
        held = try_lock(self.packages)
        if held is None:
            raise InstallError("Another Blender is installing PyTorch; wait until it has ended.")
        try:
            yield
        finally:
            held.release()

    def missing_files(self) -> list[str]:
        """Return missing files of the packages' RECORD lists, as after an antivirus program; takes about 50 ms."""
        gone = []
        for record in self.packages.glob("*.dist-info/RECORD"):
            names = _names_in(record)
            if names is None:
                gone.append(f"{record.parent.name}/RECORD")
                continue
            # Scripts and manual pages (….data) are not unpacked.
            inside = [name for name in names if not name.startswith("..") and ".data/" not in name]
            gone += [name for name in inside if not os.path.exists(long_path(self.packages / name))]
        if not list(self.packages.glob("torch-*.dist-info/RECORD")):
            gone.append("torch-*.dist-info/RECORD")
        return sorted(gone)

    def what_is_gone(self) -> str:
        """Return a message about missing files and the remedy; empty if none is missing."""
        gone = self.missing_files()
        if not gone:
            return ""
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        return (
            f"“{gone[0]}”{more} of PyTorch is gone or damaged, perhaps by an antivirus program; allow "
            f"“{self.packages}” there, then click Reinstall."
        )


def _names_in(record: Path) -> list[str] | None:
    """Return the files that a RECORD lists; None for one that cannot be read, as after a power cut."""
    try:
        with open_regular(long_path(record), LARGEST_LIST) as file:
            text = file.read(LARGEST_LIST).decode()
        return [row[0] for row in csv.reader(io.StringIO(text, newline="")) if row]
    except (OSError, FieldError, UnicodeDecodeError, csv.Error):
        return None


def _remove_tree(folder: Path) -> None:
    """Delete a folder, its longest paths included, or what stands in its place; of a link the link alone.

    Raises OSError.
    """
    place = long_path(folder)
    if os.path.islink(place) or (os.path.lexists(place) and not os.path.isdir(place)):
        patiently(lambda: os.unlink(place))
    elif os.path.lexists(place):
        patiently(lambda: shutil.rmtree(place))


def find_folders(root: Path, python: str) -> list[TorchFolder]:
    """Return all installations for a Python, begun or finished, finished ones first."""
    stems = {path.stem for pattern in ("json", "incomplete") for path in root.glob(f"{python}-*.{pattern}")}
    folders = [TorchFolder(root, python, stem.partition("-")[2]) for stem in sorted(stems)]
    return sorted(folders, key=lambda folder: folder.standing() is InstallState.INCOMPLETE)


def explained(error: OSError, folder: Path) -> InstallError:
    """Convert an OSError to an InstallError with a remedy."""
    reason, name = reason_of(error), str(error.filename or folder).removeprefix(LONG_PREFIX)
    if error.errno == errno.ENOSPC or getattr(error, "winerror", None) == 112:
        return InstallError(f"The disk of “{folder}” is full; free some space, then install again.")
    if getattr(error, "winerror", None) in SURELY_HELD_CODES:
        return InstallError(f"“{name}”: {reason}.")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return InstallError(
            f"Blender may not write into “{name}” ({reason}); allow it, or use an existing Python environment."
        )
    return InstallError(f"Cannot write into “{name}”: {reason}.")
