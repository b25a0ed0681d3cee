"""The text of *Copy Report*: versions, device, recipe and the last lines of the log, without any name."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata

import numpy as np

from .log import log
from .scrub import scrubbed

LINES = 80
"""Lines of the log that a report holds."""


def report(facts: Mapping[str, str], names: Iterable[str] = ()) -> str:
    """A report of these facts and of this process; `names` and what looks like one are taken out."""
    known = {
        **facts,
        **_versions(),
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Cores": str(os.cpu_count()),
    }
    head = "\n".join(f"{what}: {value}" for what, value in known.items() if value)
    lines = "\n".join(log.last_lines(LINES)) or "nothing went wrong yet"
    return scrubbed(f"Riff, report\n{head}\n\nLast lines of the log:\n{lines}", names) + "\n"


def _versions() -> dict[str, str]:
    return {"Python": platform.python_version(), "numpy": np.__version__, "PyTorch in this Python": _torch_version()}


def _torch_version() -> str:
    """PyTorch's version, without loading it."""
    loaded = getattr(sys.modules.get("torch"), "__version__", "")
    try:
        return str(loaded) or metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""
