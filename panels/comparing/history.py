"""History in the box Compare: what was generated for the armature, to be made again."""

from __future__ import annotations

from typing import Any

import bpy

from ..tab import RowList, say


class RIFF_UL_runs(RowList, bpy.types.UIList):
    """List of what was generated for an armature, the newest first."""

    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.row(align=True)
        row.label(text=say(item.label), translate=False)
        row.label(text=item.titles, translate=False)
        row.operator("riff.make_again", text="", icon="FILE_REFRESH", emboss=False).run = item.number
        row.operator("riff.use_settings", text="", icon="IMPORT", emboss=False).run = item.number


def draw_history(layout: Any, armature_object: Any) -> None:
    """Draw the list, and model, source and seed of the chosen entry."""
    settings = armature_object.riff
    if not len(settings.runs):
        layout.label(text="What you generate is listed here", icon="INFO")
        return
    layout.template_list("RIFF_UL_runs", "", settings, "runs", settings, "active_run", rows=3)
    if settings.active_run < len(settings.runs):
        row = settings.runs[settings.active_run]
        column = layout.column(align=True)
        column.label(text=say("Seed {}, {}").format(row.seed, row.model), icon="NETWORK_DRIVE", translate=False)
        if row.source:
            column.label(text=row.source, icon="ACTION", translate=False)


CLASSES = (RIFF_UL_runs,)
