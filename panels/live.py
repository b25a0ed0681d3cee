"""Live Variation panel."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.live import is_live, live_state, matched_bones
from .tab import ForArmature, draw_sentence


class RIFF_PT_live(ForArmature, bpy.types.Panel):
    bl_label = "Live Variation"
    bl_order = 3
    side = "MAKE"

    def draw(self, context: Any) -> None:
        layout, session = self.layout, context.window_manager.riff
        _, problem = live_state()
        if not is_live():
            layout.operator("riff.live", icon="HIDE_OFF")
            if problem:
                draw_sentence(layout, problem, "ERROR", alert=True)
            return
        slider = layout.column()
        slider.scale_y = 1.3
        slider.prop(session, "live_position", slider=True)
        row = layout.row(align=True)
        row.operator("riff.live_keep", icon="CHECKMARK")
        row.operator("riff.live", text="Stop", icon="X", depress=True)
        if matched_bones():
            draw_sentence(layout, matched_bones(), "CHECKMARK")


CLASSES = (RIFF_PT_live,)
