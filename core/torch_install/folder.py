"""Riff's own PyTorch: a private folder for each Python and backend, and how far its installation has come."""

from __future__ import annotations

import csv
import errno
import json
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ..errors import RiffError


class InstallError(RiffError):
    """PyTorch cannot be installed or does not work; the sentence says why and what to do."""


class InstallState(Enum):
    """How far an installation is."""

    ABSENT = "not installed"
    INCOMPLETE = "incomplete"
    READY = "ready"
    OUTDATED = "update required"


@dataclass(frozen=True)
class TorchFolder:
    """Packages of one Python (py311) and backend (cpu) below the folder `root`.

    `packages` is what is put on the import path; beside it lie the downloads, the marker of an installation that has
    not come to its end, and the record of one that has.
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
        """How far it is; `fingerprint` is what the extension pins now. Two looks at the disk."""
        if self.marker.exists():
            return InstallState.INCOMPLETE
        facts = self.facts()
        if not facts or not self.packages.is_dir():
            return InstallState.ABSENT
        pinned = facts.get("fingerprint", "")
        return InstallState.OUTDATED if fingerprint and pinned and pinned != fingerprint else InstallState.READY

    def facts(self) -> dict[str, Any]:
        """What its self-test found: version of PyTorch, device, seconds; empty where there is no record."""
        try:
            facts = json.loads(self.record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def begin(self) -> None:
        """Mark it as incomplete and empty it; downloads stay. Raises InstallError."""
        try:
            self.downloads.mkdir(parents=True, exist_ok=True)
            self.marker.write_text("An installation of PyTorch was begun and has not come to its end.\n")
            self.record.unlink(missing_ok=True)
            if self.packages.exists():
                shutil.rmtree(self.packages)
            self.packages.mkdir()
        except OSError as error:
            raise explained(error, self.root) from error

    def finish(self, facts: dict[str, Any]) -> None:
        """Record what the self-test found, then take the marker and the downloads away. Raises InstallError."""
        try:
            self.record.write_text(json.dumps(facts, indent=1), encoding="utf-8")
            shutil.rmtree(self.downloads, ignore_errors=True)
            self.marker.unlink(missing_ok=True)
        except OSError as error:
            raise explained(error, self.root) from error

    def remove(self) -> None:
        """Delete it. Raises InstallError, for instance where Windows has loaded some of its files."""
        try:
            self.record.unlink(missing_ok=True)
            for folder in (self.packages, self.downloads):
                if folder.exists():
                    shutil.rmtree(folder)
            self.marker.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InstallError(
                f"“{error.filename or self.packages}” cannot be deleted ({reason}); restart Blender and remove again."
            ) from error

    def missing_files(self) -> list[str]:
        """Files that the packages' own lists name and that are gone, as after an antivirus program; some 50 ms."""
        gone = []
        for record in self.packages.glob("*.dist-info/RECORD"):
            with open(record, encoding="utf-8", newline="") as file:
                names = [row[0] for row in csv.reader(file) if row]
            # Scripts and manual pages (….data) are not unpacked.
            inside = [name for name in names if not name.startswith("..") and ".data/" not in name]
            gone += [name for name in inside if not (self.packages / name).exists()]
        if not list(self.packages.glob("torch-*.dist-info/RECORD")):
            gone.append("torch-*.dist-info/RECORD")
        return sorted(gone)

    def what_is_gone(self) -> str:
        """A sentence where files are missing, and what to do; empty where none is."""
        gone = self.missing_files()
        if not gone:
            return ""
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        return (
            f"“{gone[0]}”{more} of PyTorch is gone, perhaps taken away by an antivirus program; allow "
            f"“{self.packages}” there, then click Reinstall."
        )


def find_folders(root: Path, python: str) -> list[TorchFolder]:
    """Every installation for a Python that was begun or finished, finished ones first."""
    stems = {path.stem for pattern in ("json", "incomplete") for path in root.glob(f"{python}-*.{pattern}")}
    folders = [TorchFolder(root, python, stem.partition("-")[2]) for stem in sorted(stems)]
    return sorted(folders, key=lambda folder: folder.standing() is InstallState.INCOMPLETE)


def explained(error: OSError, folder: Path) -> InstallError:
    """The sentence for what a disk refuses."""
    reason = error.strerror or str(error)
    if error.errno == errno.ENOSPC or getattr(error, "winerror", None) == 112:
        return InstallError(f"The disk of “{folder}” is full; free some space, then install again.")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return InstallError(
            f"Blender may not write into “{error.filename or folder}” ({reason}); allow it, or use an existing Python "
            "environment."
        )
    return InstallError(f"Cannot write into “{error.filename or folder}”: {reason}.")
