"""Circumstances of a measurement: date, machine and versions, stored with every figure."""

from __future__ import annotations

import os
import platform
import shlex
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy
import torch

ROOT = Path(__file__).resolve().parents[2]


def circumstances(device: str = "cpu") -> dict[str, Any]:
    """Return date, device, processor, cores and versions; every value fits JSON. `device` is PyTorch's name."""
    return {
        "date": date.today().isoformat(),
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "riff": riff_version(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": numpy.__version__,
        },
    }


def processor() -> str:
    """Return the processor's name as reported by the system."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def riff_version() -> str:
    version: str = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))["version"]
    return version


def repeatable(module: str, arguments: Sequence[str]) -> str:
    """Return the command in a form that can be repeated anywhere: files by name, without this machine's paths."""
    return shlex.join(["python", "-m", module, *(Path(word).name if os.sep in word else word for word in arguments)])
