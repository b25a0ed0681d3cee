"""Data paths of bones."""

from __future__ import annotations

import re

import bpy

_BONE_PATH = re.compile(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]')


def bone_of_path(path: str) -> str:
    """Return the bone of any data path; an empty text for a path of the object."""
    match = _BONE_PATH.match(path)
    return bpy.utils.unescape_identifier(match[1]) if match else ""
