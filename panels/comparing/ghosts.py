"""Ghosts in the box Compare: the choice, the buttons."""

from __future__ import annotations

from typing import Any


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
    fill_ghosts(row.operator("riff.show_ghosts", icon="GHOST_ENABLED"), settings)
    row.operator("riff.hide_ghosts", text="", icon="X")


def fill_ghosts(show: Any, settings: Any) -> None:
    """Set the settings of the operator Show Ghosts to those of the panel."""
    for name in ("number", "which", "spacing", "behind", "wire"):
        setattr(show, name, getattr(settings, name))
