"""Releases of PyTorch: one pinned requirement file for each platform, backend and Python; choice for this machine."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from .. import EXTENSION_ROOT

REQUIREMENTS = EXTENSION_ROOT / "requirements"
"""Folder of the requirement files."""

WHEELS = EXTENSION_ROOT / "wheels"
"""Folder of the bundled wheels."""

OWN_INDEX_PINS = ("torch==", "pytorch-triton-rocm==")
"""Beginnings of the requirements for which PyTorch's own index is asked; all others come from PyPI."""

SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}
"""Python's names of operating systems → Blender's."""

MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}
"""Python's names of processors → Blender's."""


@dataclass(frozen=True)
class TorchRelease:
    """Pinned PyTorch: its requirement file, megabytes to download and on disk, and on what it was tested."""

    path: Path
    platform: str
    backend: str
    title: str
    torch: str
    download: int
    disk: int
    tried: str
    hashed: bool = True
    """True if every package has a hash; releases without hashes are never downloaded."""

    @property
    def untried(self) -> bool:
        """True if nobody of Riff's developers has installed it."""
        return self.tried.startswith("not tried")

    @property
    def fingerprint(self) -> str:
        """Hash of the requirement file, which changes with every pinned version."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]

    def groups(self) -> list[str]:
        """Return the requirements to download one by one, each with its hashes; without hashes all in one."""
        lines = [line for line in self.path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        options = [line for line in lines if line.startswith("--")]
        pins = re.split(r"\n(?=\S)", "\n".join(line for line in lines if not line.startswith("--")).strip())
        if "--hash=" not in pins[0]:
            return ["\n".join([*options, *pins]) + "\n"]
        return ["\n".join([*(options if pin.startswith(OWN_INDEX_PINS) else []), pin]) + "\n" for pin in pins]


def this_platform() -> str:
    """Return Blender's name of the platform, such as linux-x64."""
    return f"{SYSTEMS.get(sys.platform, sys.platform)}-{MACHINES.get(platform.machine().lower(), platform.machine())}"


def python_tag() -> str:
    """Return the tag of this Python, such as py311."""
    return f"py{sys.version_info[0]}{sys.version_info[1]}"


def plans(system: str = "", python: str = "") -> list[TorchRelease]:
    """Return all releases for a platform and a Python (default: this one), for the processor first, then by size."""
    paths = REQUIREMENTS.glob(f"torch-{system or this_platform()}-*-{python or python_tag()}.txt")
    return sorted(map(_read, paths), key=lambda plan: (plan.backend != "cpu", plan.download))


def suggested(backend: str, offered: list[TorchRelease]) -> TorchRelease | None:
    """Return the release for a backend, else that for the processor."""
    fitting = [plan for wanted in (backend, "cpu") for plan in offered if plan.backend == wanted]
    # A release without hashes is a last resort: the user can get its wheels in another way.
    return next((plan for plan in fitting if plan.hashed), fitting[0] if fitting else None)


def _read(path: Path) -> TorchRelease:
    text = path.read_text(encoding="utf-8")
    head = dict(re.findall(r"(?m)^# (\w+): (.*)$", text))
    pins = re.findall(r"(?m)^[\w.-]+==[^\n]*", text)
    system, backend = re.fullmatch(r"torch-(\w+-\w+)-(\w+)-py\d+", path.stem).groups()  # type: ignore[union-attr]
    return TorchRelease(
        path,
        system,
        backend,
        head["title"],
        head["torch"],
        int(head["download"].split()[0]),
        int(head["disk"].split()[0]),
        head["tried"],
        bool(pins) and all(pin.endswith("\\") for pin in pins),
    )
