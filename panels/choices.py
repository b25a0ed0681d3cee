"""List of actions to choose several of."""

from __future__ import annotations

from typing import Any

import bpy

from .tab import RowList, say


class RIFF_UL_action_choices(RowList, bpy.types.UIList):
    """List of a rig's actions with check boxes and lengths."""

    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.split(factor=0.65)
        name = row.row(align=True)
        name.prop(item, "use", text="")
        name.label(text=item.name, icon="ACTION", translate=False)
        length = say("{:.0f} frames, {:.1f} s").format(item.frames, item.seconds)
        row.label(text=length, translate=False)


CLASSES = (RIFF_UL_action_choices,)
