"""Common parts of the panels of the tab Riff."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from ..state.rig_settings import active_armature

SIDEBAR_CHARACTERS = 38
"""Characters in a line of a sidebar of usual width."""


class RiffPanel:
    """A panel of the tab Riff, shown in `side`: MAKE, LEARN, or both where it is empty."""

    bl_space_type: Any = "VIEW_3D"
    bl_region_type: Any = "UI"
    bl_category = "Riff"
    side = ""

    @classmethod
    def poll(cls, context: Any) -> bool:
        return cls.side in ("", context.window_manager.riff.tab)


class ForArmature(RiffPanel):
    """A panel that is shown for an active armature."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        return super().poll(context) and active_armature(context) is not None


def say(text: str) -> str:
    """Translate a text into the interface's language; needed before values are inserted."""
    translated: Any = bpy.app.translations.pgettext_iface(text)
    return str(translated)


def draw_seed(layout: Any, owner: Any, settings: Any) -> None:
    """Draw a seed of `owner`, with the lock that keeps it from moving on."""
    row = layout.row(align=True)
    row.prop(owner, "seed")
    row.prop(settings, "same_seed", text="", icon="LOCKED" if settings.same_seed else "UNLOCKED")


def in_words(seconds: float) -> str:
    """Format a time in words: 40 s, 8 min, 3 h 20 min."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class RowList:
    """Mixin of lists that draw a row by `draw_row`; Blender calls `draw_item` with all of its arguments."""

    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        """Draw the row of an item of a list of `owner`."""
        layout.label(text=item.name, translate=False)

    def draw_item(
        self,
        context: Any,
        layout: Any,
        data: Any,
        item: Any,
        icon: Any,
        active_data: Any,
        active_property: Any,
        index: Any,
        flt_flag: Any,
    ) -> None:
        self.draw_row(context, layout, data, item)


def draw_problem(layout: Any, text: str, width: int = SIDEBAR_CHARACTERS) -> None:
    """Draw a problem as a sentence, with the button that copies the details."""
    draw_sentence(layout, text, "ERROR", alert=True, width=width)
    layout.operator("riff.copy_report", icon="COPYDOWN")


def draw_sentence(
    layout: Any, text: str, icon: str = "INFO", alert: bool = False, width: int = SIDEBAR_CHARACTERS
) -> None:
    """Draw a sentence over as many lines as it needs."""
    column = layout.column(align=True)
    column.alert = alert
    for number, line in enumerate(textwrap.wrap(text, width)):
        column.label(text=line, icon="BLANK1" if number else icon, translate=False)
