"""PyTorch in the Train panel and in the preferences, for editions with and without its installation."""

from __future__ import annotations

from typing import Any

from ...core import HAS_INSTALLER
from ...state.preferences import EXTENSION
from ...state.pytorch.trial import can_train, trial_state
from ..tab import draw_problem, draw_sentence, say

if HAS_INSTALLER:
    from . import install

PREFERENCES_CHARACTERS = 90
"""Characters in a line of the preferences."""


def draw_hint(layout: Any) -> bool:
    """Draw a hint in the Train panel where no PyTorch is known; return True if it was needed."""
    if can_train():
        return False
    box = layout.box()
    if trial_state.problem:
        draw_problem(box, trial_state.problem)
    elif HAS_INSTALLER:
        return install.draw_hint(box)
    else:
        draw_sentence(box, say("Training needs a Python that has PyTorch, or a farm; generating does not"), "INFO")
    box.operator("preferences.addon_show", text="Choose a Python…", icon="PREFERENCES").module = EXTENSION
    return True


def draw_pytorch(layout: Any, preferences: Any) -> None:
    """Draw the part of the preferences about PyTorch."""
    box = layout.box()
    if HAS_INSTALLER and install.draw_progress(box):
        return
    if preferences.python or not HAS_INSTALLER:
        _draw_trial(box, preferences)
    if HAS_INSTALLER and not preferences.python:
        install.draw_standing(box)
        if trial_state.working:
            _draw_testing(box)
        elif trial_state.problem:
            draw_problem(box, trial_state.problem, PREFERENCES_CHARACTERS)
        install.draw_offer(box, preferences)
    row = box.row()
    row.operator("riff.try_torch", icon="CHECKMARK")
    if HAS_INSTALLER:
        install.draw_removal(row)


def _draw_testing(box: Any) -> None:
    row = box.row()
    row.label(text="Testing PyTorch…", icon="TIME")
    row.operator("riff.cancel_trial", text="Cancel", icon="CANCEL")


def _draw_trial(box: Any, preferences: Any) -> None:
    """Draw what is known of the Python that trains."""
    facts = trial_state.facts
    if trial_state.working:
        _draw_testing(box)
    elif trial_state.problem:
        draw_problem(box, trial_state.problem, PREFERENCES_CHARACTERS)
    elif facts.get("torch"):
        words = say("PyTorch {} is ready, on {}").format(facts["torch"], facts.get("device", ""))
        box.label(text=words, icon="CHECKMARK", translate=False)
        if facts.get("refused"):
            draw_sentence(box, say("Not used: {}").format(facts["refused"]), "ERROR", width=PREFERENCES_CHARACTERS)
    elif facts.get("version"):
        words = say("Python {} has PyTorch").format(facts["version"])
        box.label(text=words, icon="CHECKMARK", translate=False)
    elif preferences.python:
        box.label(text="This Python has not been tested", icon="INFO")
    elif trial_state.importable:
        box.label(text="Riff uses the PyTorch of this Python", icon="CHECKMARK")
    else:
        draw_sentence(
            box,
            say("Name a Python that has PyTorch, to train here; generating needs none"),
            "INFO",
            width=PREFERENCES_CHARACTERS,
        )
