"""Sentences for an operator that cannot be clicked, and the `poll` that shows them as its tooltip."""

from __future__ import annotations

from typing import Any

import bpy

from .rig_settings import plays_nla
from .settings import chosen_model, session_of


def selection_problem(ob: bpy.types.Object | None) -> str:
    """What is said where an object is no armature; empty for one."""
    return "" if ob is not None and ob.type == "ARMATURE" else "Select an armature"


def model_problem(context: bpy.types.Context) -> str:
    """What is said where no model is chosen; empty where one is."""
    if not len(session_of(context).models):
        return "There is no model; train one on an action first"
    return "" if chosen_model(context) is not None else "Choose a model from the list"


def set_poll_message(cls: Any, problem: str) -> bool:
    """What `poll` returns, with the problem as the operator's tooltip, in the language of the interface."""
    cls.poll_message_set(bpy.app.translations.pgettext_tip(problem) if problem else "")
    return not problem


def armature_problem(ob: bpy.types.Object | None) -> str:
    """What keeps this object from being trained on, as a sentence for a tooltip; empty where nothing does."""
    if ob is None or selection_problem(ob):
        return selection_problem(ob)
    if plays_nla(ob):
        return ""
    if ob.animation_data is None or ob.animation_data.action is None:
        return "The armature has no action; give it one to learn from"
    return ""
