"""Which PyTorch suits this machine: one pinned requirement file for each platform, backend and Python."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from .. import EXTENSION_ROOT
from .hardware import Device

REQUIREMENTS = EXTENSION_ROOT / "requirements"
WHEELS = EXTENSION_ROOT / "wheels"

SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}
MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True)
class TorchRelease:
    """A pinned PyTorch: its requirement file, megabytes to fetch and on disk, and whether it was tried."""

    path: Path
    platform: str
    backend: str
    title: str
    torch: str
    download: int
    disk: int
    tried: str
    hashed: bool = True
    """Whether the file of every package is known by its hash; nothing else is ever fetched."""

    @property
    def fingerprint(self) -> str:
        """Changes with every change of what is pinned."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]

    def groups(self) -> list[str]:
        """Requirements that are fetched one after the other, each with its hashes; all at once where it has none."""
        lines = [line for line in self.path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        options = [line for line in lines if line.startswith("--")]
        pins = re.split(r"\n(?=\S)", "\n".join(line for line in lines if not line.startswith("--")).strip())
        if "--hash=" not in pins[0]:
            return ["\n".join([*options, *pins]) + "\n"]
        # Only PyTorch itself is to be had from its own index.
        return ["\n".join([*(options if pin.startswith("torch==") else []), pin]) + "\n" for pin in pins]


def this_platform() -> str:
    """Blender's name of the platform, such as linux-x64."""
    return f"{SYSTEMS.get(sys.platform, sys.platform)}-{MACHINES.get(platform.machine().lower(), platform.machine())}"


def python_tag() -> str:
    """Names the Python that packages are for, such as py311."""
    return f"py{sys.version_info[0]}{sys.version_info[1]}"


def plans(system: str = "", python: str = "") -> list[TorchRelease]:
    """All that can be installed for a platform and a Python (these ones), the most modest first."""
    found = []
    for path in (REQUIREMENTS).glob(f"torch-{system or this_platform()}-*-{python or python_tag()}.txt"):
        found.append(_read(path))
    return sorted(found, key=lambda plan: (plan.backend != "cpu", plan.download))


def suggested(device: Device, offered: list[TorchRelease]) -> TorchRelease | None:
    """The plan for a device, or else the one for the processor."""
    fitting = [plan for backend in (device.backend, "cpu") for plan in offered if plan.backend == backend]
    # One that cannot be fetched is offered where there is no other: its wheels can be had in another way.
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
