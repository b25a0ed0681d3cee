"""Write the pinned requirement files of PyTorch: `python requirements/pin.py`, or of some targets by name.

One file for each platform, backend and Python. Needs `uv` on PATH, which resolves for other platforms than this one
and lists PyPI's hashes. Packages that only PyTorch's own index has are pinned by version; hashes are added where
they are known (`KNOWN`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
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
    # Not computed by us: as public lock files of so many projects have them.
    "linux-x64-cuda12-py311": "0f4e49e334e24b552f694f6315e0676fb3f816fb0f727871b9c6d1f73784cc25",  # seen in 2
    "linux-x64-cuda12-py313": "4198c8d7478ab47ad2569309387d88b21fb553a1cf8ab06260fbd5a6ab9b9712",  # seen in 2
    "linux-x64-cuda12-py314": "affd3b49a4e48aef895ffd9e196181bd505422d7c37b4a6f9afa76899d2acd3d",  # seen in 1
    "linux-x64-rocm-py311": "2d35c37d15a0eb61ceab94dffae9399cab1b4a0d64668e4405025b5ce65df033",  # seen in 1
    "linux-x64-rocm-py313": "262ebeac6905df801969fb6dbdc085c75c21c5609dc8357334ec0b0a242e50eb",  # seen in 1
    "windows-x64-cuda-py311": "45e97bd9bc0416f4f4190b5098c55119a389fa5a7c8bbf2639f08f1d04e0a0dc",  # seen in 3
    "windows-x64-cuda-py313": "cf23236e9deed7d3510d14d9b9592d75d272ef7b35bbfee31a02bea339c73971",  # seen in 2
    "windows-x64-cuda-py314": "590b2a2b53ef295dcfcd703df17929bd579705bb0e42d9e43c462fe0f0b1e088",  # seen in 1
    "windows-x64-cuda12-py311": "8095729db14e7fd5178a39676fdd679208eff4041407ea34e3d898336c90f5c5",  # seen in 3
    "windows-x64-cuda12-py313": "cb91b2f91d053bb91e413459a13ec8b036ff348d03e411e9c29988cc6edb7b32",  # seen in 2
    "windows-x64-cuda12-py314": "136a8383b152dadc73d8944af9a796a76ff2038d59de666660d419a381b68078",  # seen in 1
}
"""SHA-256 of PyTorch's own files that only its own index has."""

ROCM_TRITON = "pytorch-triton-rocm==3.4.0"
"""Package of ROCm's build that PyTorch's own index has, too."""

ROCM_TRITON_KNOWN = {
    "linux-x64-rocm-py311": "b0362725d8e16d185251e3dcd48455ebf9cdaad2c26052bb47ef08a1d687ed20",  # seen in 2
    "linux-x64-rocm-py313": "1e7ccba3501fcd38e8cd8415f97a654043370e1fdc5a936bb75abe1bebeb94c9",  # seen in 2
}
"""SHA-256 of its files."""

CUDA12_PINS = """\
cuda-bindings==12.9.4
cuda-pathfinder==1.5.5
cuda-toolkit==12.6.3
nvidia-cublas-cu12==12.6.4.1
nvidia-cuda-cupti-cu12==12.6.80
nvidia-cuda-nvrtc-cu12==12.6.85
nvidia-cuda-runtime-cu12==12.6.77
nvidia-cudnn-cu12==9.10.2.21
nvidia-cufft-cu12==11.3.0.4
nvidia-cufile-cu12==1.11.1.6
nvidia-curand-cu12==10.3.7.77
nvidia-cusolver-cu12==11.7.1.2
nvidia-cusparse-cu12==12.5.4.2
nvidia-cusparselt-cu12==0.7.1
nvidia-nccl-cu12==2.29.3
nvidia-nvjitlink-cu12==12.6.85
nvidia-nvshmem-cu12==3.4.5
nvidia-nvtx-cu12==12.6.77
triton==3.7.1
"""
"""Packages that PyTorch for CUDA 12.6 needs on Linux beside those of every build; PyPI has all of them."""


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
    pins: str = ""
    """Packages that this build needs and PyPI's does not."""
    version: str = VERSION
    """Version of PyTorch: an older one where only of that the hashes are known."""
    pythons: tuple[str, ...] = PYTHONS

    @property
    def name(self) -> str:
        return f"{self.platform}-{self.backend}"


NOT_TRIED = "not tried by Riff's developers"
TARGETS = (
    Target("linux-x64", "cpu", "CPU", "x86_64-manylinux_2_28", 202, 755, "installed in Riff's tests", "cpu"),
    Target("linux-x64", "cuda", "NVIDIA, CUDA 13", "x86_64-manylinux_2_28", 2700, 4500, NOT_TRIED),
    Target(
        "linux-x64", "cuda12", "NVIDIA, CUDA 12.6", "x86_64-manylinux_2_28", 2900, 5200, NOT_TRIED, "cu126", CUDA12_PINS
    ),
    Target(
        "linux-x64",
        "rocm",
        "AMD, ROCm 6.4",
        "x86_64-manylinux_2_28",
        5000,
        15000,
        NOT_TRIED,
        "rocm6.4",
        version="2.8.0",
        pythons=("3.11", "3.13"),
    ),
    Target(
        "linux-x64",
        "rocm",
        "AMD, ROCm 7.2",
        "x86_64-manylinux_2_28",
        5000,
        15000,
        NOT_TRIED,
        "rocm7.2",
        pythons=("3.14",),
    ),
    Target("linux-x64", "xpu", "Intel Arc, XPU", "x86_64-manylinux_2_28", 2000, 6000, NOT_TRIED, "xpu"),
    Target("windows-x64", "cpu", "CPU", "x86_64-pc-windows-msvc", 133, 600, NOT_TRIED),
    Target("windows-x64", "cuda", "NVIDIA, CUDA 13", "x86_64-pc-windows-msvc", 2000, 4500, NOT_TRIED, "cu130"),
    Target("windows-x64", "cuda12", "NVIDIA, CUDA 12.6", "x86_64-pc-windows-msvc", 2600, 5000, NOT_TRIED, "cu126"),
    Target("windows-x64", "xpu", "Intel Arc, XPU", "x86_64-pc-windows-msvc", 1500, 5000, NOT_TRIED, "xpu"),
    Target("windows-arm64", "cpu", "CPU", "aarch64-pc-windows-msvc", 120, 600, NOT_TRIED, "cpu"),
    Target("macos-arm64", "mps", "Apple GPU, Metal", "aarch64-apple-darwin", 122, 500, NOT_TRIED),
)


def pinned(target: Target, python: str) -> str:
    """Text of a requirement file: a head that Riff's preferences read, then pip's own lines."""
    stem = f"{target.name}-py{python.replace('.', '')}"
    version = f"{target.version}+{target.build}" if target.build else target.version
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
        resolved = without_gpu(resolved) + hashed_pins(target, python)
        if stem in ROCM_TRITON_KNOWN:
            resolved += f"{ROCM_TRITON} \\\n    --hash=sha256:{ROCM_TRITON_KNOWN[stem]}\n"
        resolved += f"torch=={version} \\\n    --hash=sha256:{known}\n"
    return "\n".join(lines) + "\n" + resolved


def resolve(target: Target, python: str) -> str:
    """All of torch's requirements with the hashes of PyPI's files."""
    return compiled(f"torch=={target.version}\n", target, python)


def hashed_pins(target: Target, python: str) -> str:
    """The packages that a build alone needs, with the hashes of PyPI's files."""
    return compiled(target.pins, target, python, "--no-deps") if target.pins else ""


def compiled(wanted: str, target: Target, python: str, *options: str) -> str:
    """Requirements as uv resolves them for a target and a Python, with hashes."""
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
        *options,
    ]
    oldest = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}  # PyTorch has no wheels for older macOS
    done = subprocess.run(command, input=wanted, text=True, stdout=subprocess.PIPE, check=True, env=oldest)
    return done.stdout


def without_gpu(text: str) -> str:
    """Leave out what only CUDA builds need."""
    return re.sub(r"(?m)^(?:nvidia|cuda|triton)[^\n]*\\\n(?:    --hash=\S+(?: \\)?\n)+", "", text)


def main(names: Sequence[str]) -> None:
    """Write the files of the named targets, such as linux-x64-cuda12; of all without a name."""
    for target in (target for target in TARGETS if not names or target.name in names):
        for python in target.pythons:
            path = HERE / f"torch-{target.name}-py{python.replace('.', '')}.txt"
            path.write_text(pinned(target, python), encoding="utf-8", newline="\n")
            print(path.name)


if __name__ == "__main__":
    main(sys.argv[1:])
