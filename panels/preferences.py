"""Riff's preferences: PyTorch, and where trainings run."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..state.preferences import EXTENSION
from ..state.pytorch import backend_items
from .install import draw_install


class RiffPreferences(bpy.types.AddonPreferences):
    bl_idname = EXTENSION

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
        layout = self.layout
        layout.use_property_split = True
        draw_install(layout, self)
        layout.prop(self, "device")
        layout.prop(self, "separate_process")
        row = layout.row()
        row.active = self.separate_process
        row.prop(self, "python", placeholder="Blender's own")
        layout.operator("riff.copy_report", icon="COPYDOWN")


CLASSES = (RiffPreferences,)
