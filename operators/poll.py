"""What must be there before an operator can be clicked, as sentences for its tooltip."""

from __future__ import annotations

from typing import Any

import bpy

from .settings import chosen_model, session_of


def selection_problem(ob: bpy.types.Object | None) -> str:
    """What is said where an object is no armature; empty for one."""
    return "" if ob is not None and ob.type == "ARMATURE" else "Select an armature"


def model_problem(context: bpy.types.Context) -> str:
    """What is said where no model is chosen; empty where one is."""
    if not len(session_of(context).models):
        return "There is no model; train one on an action first"
    return "" if chosen_model(context) is not None else "Choose a model from the list"


def answer(cls: Any, problem: str) -> bool:
    """What `poll` returns, with the problem as the operator's tooltip, in the language of the interface."""
    cls.poll_message_set(bpy.app.translations.pgettext_tip(problem) if problem else "")
    return not problem
