"""Riff's preferences: PyTorch, and where trainings run."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from .install import backend_items

PACKAGE = __package__.rpartition(".")[0]


class RiffPreferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    backend: EnumProperty(name="PyTorch for", description="Which PyTorch to install", items=backend_items)
    device: EnumProperty(
        name="Train on",
        description="What computes; a graphics card that runs out of memory hands over to the processor",
        items=[
            ("auto", "Automatic", "NVIDIA or AMD where PyTorch finds one, else the processor"),
            ("cpu", "Processor", "The processor, always there"),
            ("cuda", "NVIDIA or AMD", "A graphics card through CUDA or ROCm"),
            ("mps", "Apple GPU", "Apple's graphics through Metal"),
            ("xpu", "Intel Arc", "A graphics card of Intel"),
        ],
        default="auto",
    )
    separate_process: BoolProperty(
        name="Train in a Separate Process",
        description="Blender's window stays smoother, and a training without memory cannot take Blender with it",
        default=True,
    )
    python: StringProperty(
        name="Python",
        description="Python interpreter with PyTorch for the separate process; empty for Blender's own",
        subtype="FILE_PATH",
        default="",
    )

    def draw(self, context: Any) -> None:
        # What is drawn lives in panels, which know the operators and not the other way round.
        from ..panels.install import draw_install

        layout = self.layout
        layout.use_property_split = True
        draw_install(layout, self)
        layout.prop(self, "device")
        layout.prop(self, "separate_process")
        row = layout.row()
        row.active = self.separate_process
        row.prop(self, "python", placeholder="Blender's own")
        layout.operator("riff.copy_report", icon="COPYDOWN")


def training_device() -> str:
    """The device that the preferences say to train on."""
    addon = bpy.context.preferences.addons.get(PACKAGE)
    preferences: Any = addon.preferences if addon else None
    return str(preferences.device) if preferences else "auto"


def training_python() -> Path | None:
    """The interpreter that trains in a process of its own; None where Blender trains itself.

    Where Blender's Python has no PyTorch, the one of the preferences is used unasked. Blender 5.2 on Python 3.14 trains
    without TorchScript, and a thread of it then holds Python's lock so long that playback stutters.
    """
    addon = bpy.context.preferences.addons.get(PACKAGE)
    preferences: Any = addon.preferences if addon else None
    chosen = Path(bpy.path.abspath(preferences.python)) if preferences and preferences.python else None
    if preferences and preferences.separate_process:
        return chosen or Path(sys.executable)
    return chosen if importlib.util.find_spec("torch") is None else None


CLASSES = (RiffPreferences,)
