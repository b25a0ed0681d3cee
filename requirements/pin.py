"""Write the pinned requirement files of PyTorch: `python requirements/pin.py`.

One file for each platform, backend and Python. Needs `uv` on PATH, which resolves for other platforms than this one and
lists PyPI's hashes. Packages that only PyTorch's own index has are pinned by version; hashes are added where they are
known (`KNOWN`).
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSION = "2.13.0"
PYTHONS = ("3.11", "3.13", "3.14")
"""Blender 4.5's, 5.2's, and that of 5.2 as some Linux distributions build it."""
INDEX = "https://download.pytorch.org/whl/"

KNOWN = {
    "linux-x64-cpu-py311": "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",  # a file of ours
    "linux-x64-cpu-py313": "3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6",  # as published
}


@dataclass(frozen=True)
class Target:
    """A platform of Blender and what computes there; megabytes to fetch and on disk (estimates where not tried)."""

    platform: str
    backend: str
    title: str
    uv_platform: str
    download: int
    disk: int
    tried: str
    build: str = ""
    """Local version of PyTorch's own index, such as cu130; PyPI's files where it is empty."""

    @property
    def name(self) -> str:
        return f"{self.platform}-{self.backend}"


NOT_TRIED = "not tried by Riff's developers"
TARGETS = (
    Target("linux-x64", "cpu", "CPU", "x86_64-manylinux_2_28", 202, 755, "installed in Riff's tests", "cpu"),
    Target("linux-x64", "cuda", "NVIDIA, CUDA 13", "x86_64-manylinux_2_28", 2700, 4500, NOT_TRIED),
    Target("linux-x64", "rocm", "AMD, ROCm 7.2", "x86_64-manylinux_2_28", 5000, 15000, NOT_TRIED, "rocm7.2"),
    Target("linux-x64", "xpu", "Intel Arc, XPU", "x86_64-manylinux_2_28", 2000, 6000, NOT_TRIED, "xpu"),
    Target("windows-x64", "cpu", "CPU", "x86_64-pc-windows-msvc", 133, 600, NOT_TRIED),
    Target("windows-x64", "cuda", "NVIDIA, CUDA 13", "x86_64-pc-windows-msvc", 2000, 4500, NOT_TRIED, "cu130"),
    Target("windows-x64", "xpu", "Intel Arc, XPU", "x86_64-pc-windows-msvc", 1500, 5000, NOT_TRIED, "xpu"),
    Target("windows-arm64", "cpu", "CPU", "aarch64-pc-windows-msvc", 120, 600, NOT_TRIED, "cpu"),
    Target("macos-arm64", "mps", "Apple GPU, Metal", "aarch64-apple-darwin", 122, 500, NOT_TRIED),
)


def pinned(target: Target, python: str) -> str:
    """Text of a requirement file: a head that Riff's preferences read, then pip's own lines."""
    stem = f"{target.name}-py{python.replace('.', '')}"
    version = f"{VERSION}+{target.build}" if target.build else VERSION
    known = KNOWN.get(stem)
    hashed = not target.build or known is not None
    lines = [
        f"# title: {target.title}",
        f"# torch: {version}",
        f"# download: {target.download} MB",
        f"# disk: {target.disk} MB",
        f"# tried: {target.tried if python == PYTHONS[0] else NOT_TRIED}",
    ]
    if target.build:
        lines.append(f"--extra-index-url {INDEX}{target.build}")
    if not hashed:
        # The index of this build could not be asked for hashes; what it brings with it is pinned by its own metadata.
        return "\n".join([*lines, f"torch=={version}", ""])
    resolved = resolve(target, python)
    if target.build:
        resolved = re.sub(r"torch==[^\\]*\\\n(?:    --hash=\S+(?: \\)?\n)+", "", resolved)
        resolved = without_gpu(resolved) + f"torch=={version} \\\n    --hash=sha256:{known}\n"
    return "\n".join(lines) + "\n" + resolved


def resolve(target: Target, python: str) -> str:
    """All of torch's requirements with the hashes of PyPI's files."""
    command = [
        "uv",
        "pip",
        "compile",
        "-",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--quiet",
        f"--python-version={python}",
        f"--python-platform={target.uv_platform}",
    ]
    oldest = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}  # PyTorch has no wheels for older macOS
    done = subprocess.run(
        command, input=f"torch=={VERSION}\n", text=True, stdout=subprocess.PIPE, check=True, env=oldest
    )
    return done.stdout


def without_gpu(text: str) -> str:
    """Leave out what only CUDA builds need."""
    return re.sub(r"(?m)^(?:nvidia|cuda|triton)[^\n]*\\\n(?:    --hash=\S+(?: \\)?\n)+", "", text)


def main() -> None:
    for target in TARGETS:
        for python in PYTHONS:
            path = HERE / f"torch-{target.name}-py{python.replace('.', '')}.txt"
            path.write_text(pinned(target, python), encoding="utf-8", newline="\n")
            print(path.name)


if __name__ == "__main__":
    main()
