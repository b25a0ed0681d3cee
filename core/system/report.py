"""Report for others: facts of this process and the end of the log, without names of files, bones, actions and people.

Quoted text and text that looks like a path are removed too.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

import numpy as np

from .log import log

LOG_LINES = 80
"""Lines of the log in a report."""

REDACTED = "…"
"""Replacement of names."""

_FRAME = re.compile(r"    at (?:[A-Za-z0-9_.-]+/)*[A-Za-z0-9_.-]+:\d+ [\w<>]+|    at …:\d+ [\w<>]+")
"""Line of a traceback in the log; it has no names of the user."""

_QUOTED = re.compile(r"“.*”|“.*$|„.*[“”]|«.*»|\"[^\n]*\"|(?<!\w)'[^\n]*'(?!\w)|`[^\n]*`", re.MULTILINE)
_PATH = re.compile(r"""(?:\b[A-Za-z]:|~|\.{1,2})?[\\/][^\s:;,"'”][^\n:;,"'“”]*""")
_FILE = re.compile(
    r"\S+\.(?:blend\d*|bvh|fbx|safetensors|clip|npz|npy|json|glb|gltf|whl|txt|part|usd\w?)\b", re.IGNORECASE
)
_ADDRESS = re.compile(r"\S+@\S+")


def people() -> set[str]:
    """Return the names of the user, the home folder and the machine, as far as the system tells."""
    found = {os.environ.get(name, "") for name in ("USER", "USERNAME", "LOGNAME", "COMPUTERNAME", "HOSTNAME")}
    found |= {platform.node(), platform.node().partition(".")[0], Path.home().name, str(Path.home())}
    try:
        found.add(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return found - {""}  # a user without a name
    return found - {""}


def scrubbed(text: str, names: Iterable[str] = ()) -> str:
    """Return the text without these names, names of the user, quoted text and paths."""
    known = _matching({*names, *people()})
    return "\n".join(line if _FRAME.fullmatch(line) else _without(line, known) for line in text.splitlines())


def _without(line: str, known: re.Pattern[str] | None) -> str:
    for pattern in (_QUOTED, _PATH, _FILE, _ADDRESS, *([known] if known else [])):
        line = pattern.sub(REDACTED, line)
    return line


def _matching(names: set[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds any of the names as whole words, the longest first."""
    words = sorted(_worth_finding(names), key=len, reverse=True)
    if not words:
        return None
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)", re.IGNORECASE)


def _worth_finding(names: set[str]) -> Iterator[str]:
    """Iterate over names of two letters or more, also without their numbers and endings."""
    for name in names:
        for one in (name.strip(), Path(name).stem, re.sub(r"[.\d_]+$", "", name)):
            if len(one) > 1 and any(letter.isalpha() for letter in one):
                yield one


def report(facts: Mapping[str, str], names: Iterable[str] = ()) -> str:
    """Return a report of these facts and of this process, without `names` and text that looks like a name."""
    known = {
        **facts,
        **_versions(),
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Cores": str(os.cpu_count()),
    }
    head = "\n".join(f"{what}: {value}" for what, value in known.items() if value)
    lines = "\n".join(log.last_lines(LOG_LINES)) or "nothing went wrong yet"
    return scrubbed(f"Riff, report\n{head}\n\nLast lines of the log:\n{lines}", names) + "\n"


def _versions() -> dict[str, str]:
    return {"Python": platform.python_version(), "numpy": np.__version__, "PyTorch in this Python": _torch_version()}


def _torch_version() -> str:
    """Return PyTorch's version without loading it."""
    loaded = getattr(sys.modules.get("torch"), "__version__", "")
    try:
        return str(loaded) or metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""
