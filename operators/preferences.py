"""Riff's preferences: where trainings run."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

PACKAGE = __package__.rpartition(".")[0]


class RiffPreferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    separate_process: BoolProperty(
        name="Train in a Separate Process",
        description="A training that runs out of memory or crashes then cannot take Blender with it", default=False,
    )  # fmt: skip
    python: StringProperty(
        name="Python", description="Python interpreter with PyTorch for the separate process; empty for Blender's own",
        subtype="FILE_PATH", default="",
    )  # fmt: skip

    def draw(self, context: Any) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "separate_process")
        row = layout.row()
        row.active = self.separate_process
        row.prop(self, "python", placeholder="Blender's own")


def training_python() -> Path | None:
    """The interpreter that trains in a process of its own; None where Blender trains itself.

    Where Blender's Python has no PyTorch, the one of the preferences is used unasked.
    """
    addon = bpy.context.preferences.addons.get(PACKAGE)
    preferences: Any = addon.preferences if addon else None
    chosen = Path(bpy.path.abspath(preferences.python)) if preferences and preferences.python else None
    if preferences and preferences.separate_process:
        return chosen or Path(sys.executable)
    return chosen if importlib.util.find_spec("torch") is None else None


CLASSES = (RiffPreferences,)
