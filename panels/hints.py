"""Hints in the box Source: one line each with the button that mends it, and the actions of NLA strips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ..state.rig_settings import active_armature
from ..state.source_hints import offered_actions, plays_strips
from .tab import say

MAX_BUTTONS = 8
"""Most actions of strips that are drawn as buttons; the others are in a menu."""

WORDS: dict[str, Callable[[Any], tuple[str, str]]] = {
    "LAYERS": lambda hint: (say("NLA strips below are not learned"), say("Whole NLA")),
    "DEAD": lambda hint: (
        say("{:.0f} bones: keys of another rotation mode").format(*hint.numbers)
        if len(hint.names) > 1
        else say("{}: keys of another rotation mode").format(*hint.names),
        say("Mend"),
    ),
    "STRAY": lambda hint: (say("Only frames {:.0f} to {:.0f} move").format(*hint.numbers), say("Set Range")),
    "APART": lambda hint: (say("Frame {:.0f} is apart from the motion").format(*hint.numbers), say("Leave Out")),
    "TAKES": lambda hint: (
        say("{} takes, with a jump at frame {:.0f}").format(len(hint.numbers) // 2, hint.numbers[2]),
        say("Split"),
    ),
    "RATE": lambda hint: (
        say("Moves like {:g} fps, not {:g}").format(*(round(rate, 2) for rate in hint.numbers)),
        say("Set {:g} fps").format(*(round(rate, 2) for rate in hint.numbers)),
    ),
    "CYCLE": lambda hint: (say("A cycle of {:.0f} frames").format(*hint.numbers), say("Mark as Cyclic")),
    "STEPPED": lambda hint: (say("Stepped: poses held for {:.0f} frames").format(*hint.numbers), say("Make Smooth")),
}
"""Words of each kind of hint and of its button."""


def draw_hint(layout: Any, hint: Any) -> None:
    """Draw a hint with the button that mends it and the one that closes it."""
    words, button = WORDS[hint.kind](hint)
    column = layout.column(align=True)
    column.label(text=words, icon="INFO", translate=False)
    row = column.row(align=True)
    row.operator("riff.mend_source", text=button, translate=False).kind = hint.kind.value
    row.operator("riff.close_hint", text="", icon="X").kind = hint.kind.value


def draw_strips(layout: Any, ob: Any) -> None:
    """Draw the actions of an armature without an active one: those of its NLA strips, or that there is none."""
    actions = offered_actions(ob)
    if not actions:
        layout.label(text="No action to learn from", icon="INFO")
        return
    layout.label(text="The motion lies in NLA strips:", icon="NLA")
    column = layout.column(align=True)
    for action in actions[:MAX_BUTTONS]:
        column.operator("riff.take_strip_action", text=action.name, icon="ACTION", translate=False).action = action.name
    if len(actions) > MAX_BUTTONS:
        layout.menu("RIFF_MT_strip_actions")
    if plays_strips(ob):
        layout.prop(ob.riff, "whole_nla", toggle=True)


class RIFF_MT_strip_actions(bpy.types.Menu):
    """Menu of the actions in NLA strips that are not the active one"""

    bl_label = "Strips' Actions"

    def draw(self, context: Any) -> None:
        for action in offered_actions(active_armature(context)):
            chosen = self.layout.operator("riff.take_strip_action", text=action.name, icon="ACTION", translate=False)
            chosen.action = action.name


CLASSES = (RIFF_MT_strip_actions,)
