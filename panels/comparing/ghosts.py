"""Ghosts in the box Compare: the choice, the buttons."""

from __future__ import annotations

from typing import Any

from ...state.settings import copy_choices
from ...state.variations.compare_settings import GhostChoices


def draw_ghosts(layout: Any, context: Any) -> None:
    """Draw which variations to show as ghosts, how they stand, and the buttons that show and hide them."""
    settings = context.scene.riff_compare
    row = layout.row(align=True)
    row.prop(settings, "number")
    row.prop(settings, "which", text="")
    row = layout.row(align=True)
    row.prop(settings, "spacing")
    row.prop(settings, "behind", text="", icon="SORT_ASC")
    row.prop(settings, "wire", text="", icon="SHADING_WIRE")
    row = layout.row(align=True)
    copy_choices(GhostChoices, settings, row.operator("riff.show_ghosts", icon="GHOST_ENABLED"))
    row.operator("riff.hide_ghosts", text="", icon="X")
