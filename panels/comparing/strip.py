"""Strip of moving pictures in the box Compare: one for each variation, with a click that keeps and one that rejects."""

from __future__ import annotations

from typing import Any

from ...state.session import chosen_variation, rows_of
from ...state.variations.strip import MAX_PICTURES, strip_drawn, strip_icon
from ..tab import say

PICTURE_SCALE = 3.2
"""Height of a picture as a multiple of an icon's."""


def draw_strip(layout: Any, context: Any, armature_object: Any) -> None:
    """Draw a picture for each variation of an armature, its name, and the buttons."""
    rows, playing = rows_of(context.window_manager.riff, armature_object), chosen_variation(context)
    if not rows:
        return
    strip_drawn()
    flow = layout.grid_flow(row_major=True, columns=3, even_columns=True, even_rows=True, align=True)
    for row in rows[:MAX_PICTURES]:
        cell = flow.column(align=True)
        icon = strip_icon(row)
        cell.template_icon(icon_value=icon, scale=PICTURE_SCALE)
        shows = playing is not None and playing.name == row.name
        show = cell.operator("riff.show_action", text=row.label, translate=False, depress=shows)
        show.action = row.name
        buttons = cell.row(align=True)
        buttons.alignment = "CENTER"
        star = "SOLO_ON" if row.kept else "SOLO_OFF"
        buttons.operator("riff.keep_variation", text="", icon=star).action = row.name
        buttons.operator("riff.discard_variation", text="", icon="X").action = row.name
    if len(rows) > MAX_PICTURES:
        layout.label(text=say("{} more in the list").format(len(rows) - MAX_PICTURES), translate=False)
