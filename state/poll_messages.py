"""Reasons why an operator is disabled, and the `poll` that shows them as its tooltip."""

from __future__ import annotations

from typing import Any

import bpy

from ..rig.hints.layers import strip_actions
from .rig_settings import plays_nla
from .settings import chosen_model, session_of


def selection_problem(ob: bpy.types.Object | None) -> str:
    """Return the reason why an object cannot be used as an armature; empty for an armature."""
    return "" if ob is not None and ob.type == "ARMATURE" else "Select an armature, or a mesh that it deforms"


def settings_problem(ob: bpy.types.Object | None) -> str:
    """Return the reason why the lists of an armature's settings cannot be changed; empty if they can."""
    problem = selection_problem(ob)
    if problem or ob is None:
        return problem
    if not ob.is_editable:
        return "The armature is linked from another file; change this there"
    return "The armature is a library override; change this in its own file" if ob.override_library else ""


def model_problem(context: bpy.types.Context) -> str:
    """Return the reason why no model is chosen; empty if one is."""
    if not len(session_of(context).models):
        return "No model yet; make an instant one, or train"
    return "" if chosen_model(context) is not None else "Choose a model from the list"


def set_poll_message(cls: Any, problem: str) -> bool:
    """Set the operator's tooltip to a problem, in the interface's language; return True if there is
    none, for `poll`.
    """
    cls.poll_message_set(bpy.app.translations.pgettext_tip(problem) if problem else "")
    return not problem


def armature_problem(ob: bpy.types.Object | None) -> str:
    """Return the reason why an object cannot be trained on, for a tooltip; empty if it can."""
    if ob is None or selection_problem(ob):
        return selection_problem(ob)
    if plays_nla(ob):
        return ""
    if ob.animation_data is None or ob.animation_data.action is None:
        if strip_actions(ob):
            return "The motion lies in NLA strips; choose one of their actions in the box Source, or Whole NLA"
        return "The armature has no action; assign one to learn from"
    return ""
