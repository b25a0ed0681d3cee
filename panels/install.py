"""PyTorch in the preferences and in the box Train: what is there, what would be fetched, how far it is."""

from __future__ import annotations

from typing import Any

from ..state.preferences import EXTENSION
from ..state.pytorch import chosen_plan, sizes_of, torch_state
from .tab import draw_problem, draw_sentence, say

PREFERENCES_CHARACTERS = 90
"""Characters of a line in the preferences."""


def draw_install(layout: Any, preferences: Any) -> None:
    """The part of the preferences about PyTorch."""
    box = layout.box()
    if torch_state.working:
        _draw_progress(box)
        return
    _draw_standing(box)
    if torch_state.problem:
        draw_problem(box, torch_state.problem, PREFERENCES_CHARACTERS)
    if not preferences.python:
        _draw_offer(box, preferences)
    row = box.row()
    row.operator("riff.try_torch", icon="CHECKMARK")
    if torch_state.folder is not None:
        row.operator("riff.remove_torch", icon="TRASH")


def _draw_progress(box: Any) -> None:
    row = box.row()
    if torch_state.installing:
        phase, share = torch_state.job.phase, torch_state.job.share
        row.progress(factor=share, text=f"{say(phase)} {share:.0%}" if phase else say("Beginning"))
    else:
        row.label(text="Trying PyTorch…", icon="TIME")
    row.operator("riff.cancel_install", text="Cancel", icon="CANCEL")


def _draw_standing(box: Any) -> None:
    facts = torch_state.facts
    if torch_state.ready:
        words = say("PyTorch {} is ready, on {}").format(facts.get("torch", ""), facts.get("device", ""))
        box.label(text=words, icon="CHECKMARK", translate=False)
    elif torch_state.outdated:
        box.label(text="PyTorch is installed; this Riff was made for another version of it", icon="FILE_REFRESH")
    elif torch_state.incomplete:
        box.label(text="PyTorch is not completely installed; install again to go on from there", icon="ERROR")
    elif torch_state.here:
        box.label(text="This Python has a PyTorch of its own; Riff uses it", icon="CHECKMARK")
    else:
        box.label(text="PyTorch is not installed; only training needs it", icon="INFO")
    if facts.get("device") is None and not torch_state.here:
        words = say("Found in this machine: {}").format(say(torch_state.device.name))
        box.label(text=words, icon="DESKTOP", translate=False)


def _draw_offer(box: Any, preferences: Any) -> None:
    plan = chosen_plan(preferences.backend)
    if torch_state.plans and not torch_state.inside:
        box.prop(preferences, "backend")
    if torch_state.inside:
        box.label(text="This download of Riff brings PyTorch along: no network is needed", icon="PACKAGE")
    elif plan is None:
        box.label(text="There is no PyTorch for this system and this Blender's Python", icon="ERROR")
    else:
        words = say("Fetches PyTorch {} for {}: {}, {} on disk").format(plan.torch, plan.title, *sizes_of(plan))
        box.label(text=words, icon="IMPORT", translate=False)
        if not plan.hashed:
            box.label(text="Its hashes are not known: from a folder of wheels only", icon="ERROR")
    box.label(text=say("Into {}").format(torch_state.root), icon="FILE_FOLDER", translate=False)
    finished = torch_state.ready or torch_state.outdated
    row = box.row()
    row.scale_y = 1.3
    if plan is not None or torch_state.inside:
        name = "Reinstall" if finished else "Install PyTorch"
        row.operator("riff.install_torch", text=name, icon="IMPORT").source = "INDEX"
    row.operator("riff.install_torch", text="From a Folder of Wheels…", icon="FILE_FOLDER").source = "WHEELS"


def draw_hint(layout: Any) -> bool:
    """In the box Train: what to do where there is no PyTorch yet; true where something was drawn."""
    if torch_state.here:
        return False
    box = layout.box()
    if torch_state.working:
        _draw_progress(box)
        return True
    draw_sentence(box, torch_state.problem or say("Training needs PyTorch, once; generating does not"), "INFO")
    box.operator("riff.install_torch", icon="IMPORT").source = "INDEX"
    box.operator("preferences.addon_show", text="Other Ways…", icon="PREFERENCES").module = EXTENSION
    return True
