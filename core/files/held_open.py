"""Files that another program holds open, such as an antivirus program or OneDrive: Windows refuses changes then."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

HELD_CODES = (5, 32, 33)
"""Windows' numbers of errors for a file in use: access denied (to replace an open file), shared, locked in part."""

SURELY_HELD_CODES = (32, 33)
"""Those that say nothing else; access is denied for other reasons, too."""

WAITS_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Pauses between tries: whoever looks through new files is done with a small one in less."""


def patiently(change: Callable[[], Result]) -> Result:
    """Replace, rename or delete a file, a few times where it is held open. Raises the last OSError."""
    for seconds in WAITS_SECONDS:
        try:
            return change()
        except OSError as error:
            if getattr(error, "winerror", None) not in HELD_CODES:
                raise
        time.sleep(seconds)
    return change()


def remove_if_possible(path: Path) -> None:
    """Delete a file, a few times where it is held open. Raises nothing: one that cannot be deleted stays."""
    with suppress(OSError):
        patiently(lambda: path.unlink(missing_ok=True))


def reason_of(error: BaseException) -> str:
    """Return why the system refused something, for a sentence."""
    if getattr(error, "winerror", None) in SURELY_HELD_CODES:
        return "another program holds it open, such as an antivirus program, OneDrive or a second Blender; try again"
    return getattr(error, "strerror", None) or str(error).rstrip(".")
