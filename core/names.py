"""Names from files that anybody may have made, before they become names of files."""

from __future__ import annotations

import re
from pathlib import Path

_PLAIN = re.compile(r'[^/\\:<>"|?*\x00-\x1f\x7f]{1,250}')

RESERVED = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³]|con(?:in|out)\$) *(?:\..*)?", re.IGNORECASE | re.DOTALL)
"""What Windows takes for a device, whatever follows the dot."""


def is_plain_name(name: str) -> bool:
    """Whether every file system takes a name, as one file in the very folder it is put into."""
    try:
        fits = len(name.encode()) <= 255
    except UnicodeEncodeError:
        return False
    ends_well = name == name.strip(" ").rstrip(".") and name.strip(".") != ""
    return fits and ends_well and _PLAIN.fullmatch(name) is not None and RESERVED.fullmatch(name) is None


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is within a folder when all links on its way are followed."""
    return path.resolve().is_relative_to(folder.resolve())
