"""Installation of PyTorch in the preferences and the Train panel: the available release, and progress."""

from __future__ import annotations

from typing import Any

from ...state.preferences import EXTENSION
from ...state.pytorch.installation import chosen_plan, sizes_of, torch_state
from ...state.pytorch.trial import trial_state
from ..tab import SIDEBAR_CHARACTERS, draw_problem, draw_sentence, say

PREFERENCES_CHARACTERS = 90
"""Characters in a line of the preferences."""


def draw_progress(box: Any) -> bool:
    """Draw an installation that runs, with its cancelling; return True if there is one."""
    if torch_state.working:
        _draw_progress(box)
    return torch_state.working


def draw_removal(row: Any) -> None:
    """Draw the removal of Riff's own PyTorch, if there is one."""
    if torch_state.folder is not None:
        row.operator("riff.remove_torch", icon="TRASH")


def _draw_progress(box: Any) -> None:
    row = box.row()
    phase, share = (torch_state.job.phase, torch_state.job.share) if torch_state.job else ("", 0.0)
    row.progress(factor=share, text=f"{say(phase)} {share:.0%}" if phase else say("Beginning"))
    row.operator("riff.cancel_install", text="Cancel", icon="CANCEL")


def draw_standing(box: Any) -> None:
    """Draw the state of Riff's own PyTorch, and its last problem."""
    facts = torch_state.facts
    if torch_state.ready:
        words = say("PyTorch {} is ready, on {}").format(facts.get("torch", ""), facts.get("device", ""))
        box.label(text=words, icon="CHECKMARK", translate=False)
    elif torch_state.outdated:
        box.label(text="PyTorch does not match this version of Riff; reinstall it", icon="FILE_REFRESH")
    elif torch_state.incomplete:
        box.label(text="The installation of PyTorch is incomplete; install again to continue", icon="ERROR")
    elif trial_state.importable:
        box.label(text="Riff uses the PyTorch of this Python", icon="CHECKMARK")
    else:
        box.label(text="PyTorch is not installed; only training needs it", icon="INFO")
    if facts.get("refused") and torch_state.ready:
        draw_sentence(box, say("Not used: {}").format(facts["refused"]), "ERROR", width=PREFERENCES_CHARACTERS)
    if facts.get("device") is None and not trial_state.importable:
        words = say("Found on this machine: {}").format(say(torch_state.device.name))
        box.label(text=words, icon="DESKTOP", translate=False)
    if torch_state.problem:
        draw_problem(box, torch_state.problem, PREFERENCES_CHARACTERS)


def draw_offer(box: Any, preferences: Any) -> None:
    """Draw the release that would be installed, and the buttons for it."""
    plan = chosen_plan(preferences.backend)
    if torch_state.plans and not torch_state.bundled:
        box.prop(preferences, "backend")
    if torch_state.bundled:
        box.label(text="This download of Riff includes PyTorch; no network is needed", icon="PACKAGE")
    elif plan is None:
        box.label(text="PyTorch is not available for this system and Blender's Python", icon="ERROR")
    else:
        if preferences.backend == "auto":
            _draw_reason(box, PREFERENCES_CHARACTERS)
        words = say("Downloads PyTorch {} for {}: {}, {} on disk").format(plan.torch, plan.title, *sizes_of(plan))
        box.label(text=words, icon="IMPORT", translate=False)
        if plan.untried:
            box.label(text="Untried by Riff's developers; the test at its end shows whether it works", icon="INFO")
        if not plan.hashed:
            box.label(text="Its hashes are unknown; install it from a folder of wheels", icon="ERROR")
    box.label(text=say("Into {}").format(torch_state.root), icon="FILE_FOLDER", translate=False)
    finished = torch_state.ready or torch_state.outdated
    row = box.row()
    row.scale_y = 1.3
    if plan is not None or torch_state.bundled:
        name = "Reinstall" if finished else "Install PyTorch"
        row.operator("riff.install_torch", text=name, icon="IMPORT").source = "INDEX"
    row.operator("riff.install_torch", text="From a Folder of Wheels…", icon="FILE_FOLDER").source = "WHEELS"


def _draw_reason(box: Any, width: int = SIDEBAR_CHARACTERS) -> None:
    """Draw why this build is the one for the machine, before anything is fetched."""
    build = torch_state.build
    if torch_state.reading:
        box.label(text="The graphics card is being read…", icon="TIME")
    elif build.sentence:
        words = say(build.sentence).format(*(say(value) for value in build.values))
        draw_sentence(box, words, "ERROR" if build.backend == "cpu" else "INFO", width=width)


def draw_hint(box: Any) -> bool:
    """Draw a hint to install PyTorch in the Train panel; always True."""
    if torch_state.working:
        _draw_progress(box)
        return True
    draw_sentence(box, torch_state.problem or say("Training needs PyTorch; generating does not"), "INFO")
    if not torch_state.bundled:
        _draw_reason(box)
    box.operator("riff.install_torch", icon="IMPORT").source = "INDEX"
    box.operator("preferences.addon_show", text="Other Options…", icon="PREFERENCES").module = EXTENSION
    return True
