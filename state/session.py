"""Lists that the panel draws, refilled here so that drawing never reads files or searches the actions."""

from __future__ import annotations

import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..core.errors import ModelError
from ..core.evaluation.advice import advice
from ..core.evaluation.grade import explain, grade
from ..core.files.fields import as_utf8
from ..core.model.model_file import read_info
from ..core.model.recipe import INSTANT
from ..core.training.checkpoint import read_checkpoint_info
from ..rig.background import jobs
from ..rig.clamping import clamp_file
from ..rig.compat import end_of_name
from ..rig.ghosts.ghosts import all_ghosts, played
from ..rig.library.models import model_files, unfinished_trainings
from ..rig.stored import MAX_SEED, stored_flag, stored_number, stored_text, stored_whole
from ..rig.writing.thumbnail import moving_key, poses_key
from .guard import wrap_callback
from .rig_settings import active_armature, rig_settings
from .settings import RiffSession, RiffVariation, session_of
from .shown.short_names import shortened


def refresh_models(session: RiffSession, select: Path | None = None) -> None:
    """List the models of the folder, instant ones first; activate the one at `select`, else the one that was active.

    Raises ModelError if the folder cannot be read; an unreadable model is listed with its problem.
    """
    active = session.models[session.active_model].path if session.active_model < len(session.models) else ""
    active = str(select) if select else active
    found = sorted(((path, *_info_of(path)) for path in model_files()), key=lambda one: not _is_instant(one[1]))
    session.models.clear()
    session.active_model = 0
    for index, (path, info, problem) in enumerate(found):
        row = session.models.add()
        row.name, row.path, row.problem = as_utf8(path.stem), str(path), as_utf8(problem)
        if info:
            row.label = str(info["name"])
            row.detail, row.rig = describe(info), str(info.get("rig", ""))
            row.seconds, row.source_fps = seconds_of(info), float(info["source_fps"])
            row.quality = grade(info.get("quality", {}))
            row.figures = "\n".join(explain(info.get("quality", {})))
            row.advice = "\n".join(advice(info))
            for name in info["clips"]:
                row.clips.add().name = name
        if row.path == active:
            session.active_model = index
    for row, shown in zip(session.models, shortened([row.name for row in session.models]), strict=True):
        row.shown = shown


def _info_of(path: Path) -> tuple[dict[str, Any], str]:
    """Return the summary of a model, or none and the reason why it cannot be read."""
    try:
        return read_info(path), ""
    except ModelError as error:
        return {}, str(error)


def _is_instant(info: dict[str, Any]) -> bool:
    return info.get("recipe") == INSTANT.name


def seconds_of(info: dict[str, Any]) -> float:
    """Return the length in seconds of variations as long as the source; of a cycle, as many as last a second."""
    cycle = float(info["cycle"])
    return math.ceil(1.0 / cycle) * cycle if cycle else float(info["duration"])


def describe(info: dict[str, Any]) -> str:
    """Return a line for the list: length of the source or its cycle, recipe, levels that are matched."""
    length = f"{info['cycle']:.1f} s cycle" if info["cycle"] else f"{info['duration']:.0f} s"
    levels, whole = info["levels"] or (0, 0)
    if info["fraction"] < 1.0:
        state = f", {info['fraction']:.0%} trained so far"
    elif levels == 0 and whole and not _is_instant(info):
        state = ", all levels matched"
    else:
        state = f", matched above level {levels}" if 0 < levels < whole else ""
    return f"{length}, {info['recipe']}{state}"


def refresh_unfinished(session: RiffSession) -> None:
    """List the unfinished trainings that do not run, the latest first. Raises ModelError."""
    at_work = {job.keep for job in jobs.trainings() if job.running}
    session.unfinished.clear()
    for path in unfinished_trainings():
        if path in at_work:
            continue
        row = session.unfinished.add()
        row.name, row.path = as_utf8(path.stem), str(path)
        try:
            info = read_checkpoint_info(path)
            row.detail = f"{info['fraction']:.0%} done, {info['recipe']}"
        except ModelError as error:
            row.problem = as_utf8(str(error))


def refresh_variations(session: RiffSession) -> None:
    """List the actions that Riff generated, by name, in which 2 comes before 10.

    A linked one that has the name of one of this file is left out: rows are known by their names.
    """
    session.variations.clear()
    found = [action for action in bpy.data.actions if action.get("riff_model") is not None]
    made = [action for action in found if bpy.data.actions.get(action.name) == action]
    ghostly = {played(ghost) for ghost in all_ghosts()}
    for action in sorted(made, key=_counting_order):
        row = session.variations.add()
        row.name, row.model = action.name, stored_text(action, "riff_model")
        # the names differ behind that of the model, and a list has no room for more
        row.label = end_of_name(action.name, row.model).removeprefix("Variation ")
        row.armature, row.identity = stored_text(action, "riff_armature"), stored_text(action, "riff_identity")
        row.poses, row.moving = poses_key(action), moving_key(action)
        frames: Any = action.frame_range
        row.frames = frames[1] - frames[0]
        row.source = stored_text(action, "riff_source")
        row.seed, row.kept = seed_text(action), stored_flag(action, "riff_kept")
        row.ghost = action in ghostly


def _counting_order(action: bpy.types.Action) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in names by their value."""
    return [(int(part) if part.isdecimal() else 0, part.casefold()) for part in re.split(r"(\d+)", action.name)]


def rows_of(session: RiffSession, ob: bpy.types.Object | None) -> list[RiffVariation]:
    """Return the rows of the variations of an armature, in the order of the list."""
    return [row for row in session.variations if is_variation_of(row, ob)] if ob is not None else []


def is_variation_of(row: RiffVariation, ob: bpy.types.Object) -> bool:
    """Return whether a listed action was made for an armature, or for the one that it is a duplicate of."""
    identity = rig_settings(ob).identity
    return row.identity == identity if row.identity and identity else row.armature == ob.name


def chosen_variation(context: bpy.types.Context) -> RiffVariation | None:
    """Return the row of the variation that the active armature plays; None if it plays none of its own."""
    session, ob = session_of(context), active_armature(context)
    row = session.active_variation
    if ob is None or not 0 <= row < len(session.variations):
        return None
    return session.variations[row] if is_variation_of(session.variations[row], ob) else None


def choose_model_of(session: RiffSession, ob: bpy.types.Object | None) -> None:
    """Choose the model that was last used for an armature, else one that was learned from it; else leave the choice."""
    if ob is None or ob.type != "ARMATURE":
        return
    used = session.models.find(rig_settings(ob).model)
    learned = [index for index, row in enumerate(session.models) if row.rig == ob.name and not row.problem]
    if used >= 0 or learned:
        session.active_model = used if used >= 0 else learned[0]


def seed_text(action: bpy.types.Action) -> str:
    """Return seed and number of a variation as text, such as 7-2; between two seeds, such as 7.25; empty if unknown."""
    seed = stored_number(action, "riff_seed", 0, MAX_SEED)
    index = stored_whole(action, "riff_index", 0, MAX_SEED)
    if seed is None or index is None:
        return ""
    return f"{seed:.2f}" if isinstance(seed, float) else f"{seed}-{index + 1}"


def refresh() -> None:
    """Refill the lists of the window manager; a list that cannot be filled stays empty, with the
    reason on the console.
    """
    session = session_of(bpy.context)
    try:
        refresh_models(session)
        refresh_unfinished(session)
    except ModelError as error:
        print(f"Riff: {error}")
    refresh_variations(session)


@partial(wrap_callback, "Filling the lists")
@persistent
def after_change(*_: object) -> None:
    """Refill the lists after loading a file, undo and redo: names and actions may have changed."""
    refresh()


@partial(wrap_callback, "Choosing the model")
@persistent
def after_load(*_: object) -> None:
    """Choose the model of the loaded file's active armature."""
    choose_model_of(session_of(bpy.context), active_armature(bpy.context))


@partial(wrap_callback, "Checking the settings")
@persistent
def after_import(*_: object) -> None:
    """Bring settings of a file that was loaded or appended into the ranges of the interface."""
    clamp_file()


HANDLERS = (bpy.app.handlers.load_post, bpy.app.handlers.undo_post, bpy.app.handlers.redo_post)
IMPORT_HANDLERS = (bpy.app.handlers.load_post, bpy.app.handlers.blend_import_post)


def register() -> None:
    for handlers in HANDLERS:
        handlers.append(after_change)
    bpy.app.handlers.load_post.append(after_load)
    for handlers in IMPORT_HANDLERS:
        handlers.append(after_import)
    # while extensions are enabled at start-up, Blender's data cannot be read; a moment later it can.
    # Persistent, since a file named on the command line is loaded before that moment.
    bpy.app.timers.register(refresh, first_interval=0.0, persistent=True)


def unregister() -> None:
    for handlers in HANDLERS:
        if after_change in handlers:
            handlers.remove(after_change)
    for handlers in IMPORT_HANDLERS:
        if after_import in handlers:
            handlers.remove(after_import)
    if after_load in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(after_load)
    if bpy.app.timers.is_registered(refresh):
        bpy.app.timers.unregister(refresh)
