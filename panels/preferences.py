"""Preferences: PyTorch, and the device and interpreter of trainings."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..core import HAS_INSTALLER
from ..state.preferences import EXTENSION
from ..state.pytorch.trial import try_named_python
from .pytorch.standing import draw_pytorch

if HAS_INSTALLER:
    from ..state.pytorch.installation import backend_items


def _try_python(_: Any, __: Any) -> None:
    try_named_python()


class RiffPreferences(bpy.types.AddonPreferences):
    bl_idname = EXTENSION

    if HAS_INSTALLER:
        backend: EnumProperty(name="PyTorch for", description="Which PyTorch to install", items=backend_items)
    device: EnumProperty(
        name="Train on",
        description="Device to train on; if a graphics card runs out of memory, training continues on the processor",
        items=[
            ("auto", "Automatic", "An NVIDIA or AMD graphics card if PyTorch finds one, otherwise the processor"),
            ("cpu", "Processor", "The processor, always available"),
            ("cuda", "NVIDIA or AMD", "A graphics card through CUDA or ROCm"),
            ("mps", "Apple GPU", "Apple's graphics processor through Metal"),
            ("xpu", "Intel Arc", "An Intel graphics card"),
        ],
        default="auto",
    )
    separate_process: BoolProperty(
        name="Train in a Separate Process",
        description="Keep Blender responsive while training, and safe if training runs out of memory",
        default=True,
    )
    python: StringProperty(
        name="Python",
        description="Python interpreter with PyTorch for the separate process; empty for Blender's own",
        subtype="FILE_PATH",
        default="",
        update=_try_python,
    )

    show_results: BoolProperty(
        name="Show Results",
        description="Assign and play the first of new actions as soon as they are made",
        default=True,
    )

    moving_pictures: BoolProperty(
        name="Moving Pictures", description="Let the pictures in the box Compare move while it is open", default=True
    )

    def draw(self, context: Any) -> None:
        layout = self.layout
        layout.use_property_split = True
        draw_pytorch(layout, self)
        layout.prop(self, "device")
        layout.prop(self, "separate_process")
        row = layout.row()
        row.active = self.separate_process
        row.prop(self, "python", placeholder="Blender's own")
        layout.prop(self, "show_results")
        layout.prop(self, "moving_pictures")
        layout.operator("riff.copy_report", icon="COPYDOWN")


CLASSES = (RiffPreferences,)
