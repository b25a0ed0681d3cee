"""Farm panel: export of actions as a job, import of its models."""

from __future__ import annotations

from typing import Any

import bpy

from .tab import ForArmature


class RIFF_PT_farm(ForArmature, bpy.types.Panel):
    bl_label = "Farm"
    bl_order = 4
    side = "LEARN"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        column = self.layout.column(align=True)
        column.operator("riff.export_job", icon="EXPORT")
        column.operator("riff.import_trained", icon="IMPORT")


CLASSES = (RIFF_PT_farm,)
