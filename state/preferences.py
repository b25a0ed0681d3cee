"""Device and interpreter for trainings, from the preferences."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import bpy

from ..rig.compat import EXTENSION as EXTENSION


def _preferences() -> Any:
    """Return the extension's preferences; None where it is not enabled."""
    addon = bpy.context.preferences.addons.get(EXTENSION)
    return addon.preferences if addon else None


def training_device() -> str:
    """Return the device to train on."""
    preferences = _preferences()
    return str(preferences.device) if preferences else "auto"


def shows_results() -> bool:
    """Return True if the first result of an operator is to be shown at once."""
    preferences = _preferences()
    return bool(preferences.show_results) if preferences else True


def pictures_move() -> bool:
    """Return True if the pictures in the box Compare move."""
    preferences = _preferences()
    return bool(preferences.moving_pictures) if preferences else True


def named_python() -> Path | None:
    """Return the interpreter with PyTorch that the preferences name; None if they name none."""
    preferences = _preferences()
    return Path(bpy.path.abspath(preferences.python)) if preferences and preferences.python else None


def training_python() -> Path | None:
    """Return the interpreter that trains in its own process; None if Blender trains itself.

    If Blender's Python has no PyTorch, the interpreter of the preferences is used in any case. Blender 5.2 on Python
    3.14 trains without TorchScript, and its training thread then holds Python's lock so long that playback stutters.
    """
    preferences = _preferences()
    chosen = named_python()
    if preferences and preferences.separate_process:
        return chosen or Path(sys.executable)
    return chosen if importlib.util.find_spec("torch") is None else None
