"""Common part of operators that remove the chosen row of one of the user's lists."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.poll_messages import set_poll_message, settings_problem
from ..state.rig_settings import active_armature, rig_settings


class ListRemove:
    """Mixin of operators that remove the row `active` of the list `rows`; both are names of the owner's properties.

    `nothing_chosen` is the message where no row is active.
    """

    bl_options: Any = {"REGISTER", "UNDO"}
    rows, active = "", ""
    nothing_chosen = ""

    @classmethod
    def problem(cls, context: bpy.types.Context) -> str:
        """Return the reason why the list cannot be edited; empty if it can."""
        return settings_problem(active_armature(context))

    @classmethod
    def owner(cls, context: bpy.types.Context) -> Any:
        """Return the property group with the list; that of the armature by default."""
        return rig_settings(active_armature(context))

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        problem = cls.problem(context)
        if not problem:
            owner = cls.owner(context)
            chosen = getattr(owner, cls.active) < len(getattr(owner, cls.rows))
            problem = "" if chosen else cls.nothing_chosen
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        owner = self.owner(context)
        rows, active = getattr(owner, self.rows), getattr(owner, self.active)
        rows.remove(active)
        setattr(owner, self.active, max(0, min(active, len(rows) - 1)))
        return {"FINISHED"}
