"""Takes names of files, bones, actions and people out of what is to be shown to others.

Rather too much than too little: what stands between quotation marks goes, and so does what looks like a path.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

GONE = "…"

_FRAME = re.compile(r"    at (?:[A-Za-z0-9_.-]+/)*[A-Za-z0-9_.-]+:\d+ [\w<>]+|    at …:\d+ [\w<>]+")
"""A line of `log` that says where in a program something happened: no name of the user's is in it."""

_QUOTED = re.compile(r"“.*”|“.*$|„.*[“”]|«.*»|\"[^\n]*\"|(?<!\w)'[^\n]*'(?!\w)|`[^\n]*`", re.MULTILINE)
_PATH = re.compile(r"""(?:\b[A-Za-z]:|~|\.{1,2})?[\\/][^\s:;,"'”][^\n:;,"'“”]*""")
_FILE = re.compile(r"\S+\.(?:blend\d*|bvh|fbx|safetensors|npz|npy|json|glb|gltf|whl|txt|part|usd\w?)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"\S+@\S+")


def people() -> set[str]:
    """Names of the user, the home folder and the machine, as far as they can be told."""
    found = {os.environ.get(name, "") for name in ("USER", "USERNAME", "LOGNAME", "COMPUTERNAME", "HOSTNAME")}
    found |= {platform.node(), platform.node().partition(".")[0], Path.home().name, str(Path.home())}
    try:
        found.add(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return found - {""}  # a user without a name
    return found - {""}


def scrubbed(text: str, names: Iterable[str] = ()) -> str:
    """The text without these names, without people's, and without what is quoted or looks like a path."""
    known = _matching({*names, *people()})
    return "\n".join(line if _FRAME.fullmatch(line) else _without(line, known) for line in text.splitlines())


def _without(line: str, known: re.Pattern[str] | None) -> str:
    for pattern in (_QUOTED, _PATH, _FILE, _ADDRESS, *([known] if known else [])):
        line = pattern.sub(GONE, line)
    return line


def _matching(names: set[str]) -> re.Pattern[str] | None:
    """What finds any of the names, the longest first, as words of their own."""
    words = sorted(_worth_finding(names), key=len, reverse=True)
    if not words:
        return None
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)", re.IGNORECASE)


def _worth_finding(names: set[str]) -> Iterator[str]:
    """Names and their parts without numbers and endings; one letter alone would be found everywhere."""
    for name in names:
        for one in (name.strip(), Path(name).stem, re.sub(r"[.\d_]+$", "", name)):
            if len(one) > 1 and any(letter.isalpha() for letter in one):
                yield one
