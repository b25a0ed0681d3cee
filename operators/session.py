"""Refills the lists that the panel draws, so that drawing never looks at files or searches the actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..core.errors import ModelError
from ..core.model import read_info
from ..rig.models import model_files
from .settings import RiffSession, session_of


def refresh_models(session: RiffSession, select: Path | None = None) -> None:
    """List the models of the folder; the one at `select`, or else the one that was active, becomes active.

    Raises ModelError where the folder cannot be read; a model that cannot be read is listed with what is wrong.
    """
    active = session.models[session.active_model].path if session.active_model < len(session.models) else ""
    active = str(select) if select else active
    files = model_files()
    session.models.clear()
    session.active_model = 0
    for index, path in enumerate(files):
        row = session.models.add()
        row.name, row.path = path.stem, str(path)
        try:
            row.detail = describe(read_info(path))
        except ModelError as error:
            row.problem = str(error)
        if row.path == active:
            session.active_model = index


def describe(info: dict[str, Any]) -> str:
    """One line for the list: length of the source and recipe."""
    return f"{info['duration']:.0f} s, {info['recipe']}"


def refresh_variations(session: RiffSession) -> None:
    """List the actions that Riff generated, newest model first as Blender sorts names."""
    session.variations.clear()
    for action in bpy.data.actions:
        if action.get("riff_model") is None:
            continue
        row = session.variations.add()
        row.name = action.name
        row.armature = str(action.get("riff_armature", ""))
        row.source = str(action.get("riff_source", ""))
    session.active_variation = min(session.active_variation, max(0, len(session.variations) - 1))


def refresh() -> None:
    """Refill both lists of the window manager; one that cannot be filled stays empty and says why on the console."""
    session = session_of(bpy.context)
    refresh_variations(session)
    try:
        refresh_models(session)
    except ModelError as error:
        print(f"Riff: {error}")


@persistent
def after_change(*_: object) -> None:
    """After loading a file, undo and redo: names and actions may be others."""
    refresh()


HANDLERS = (bpy.app.handlers.load_post, bpy.app.handlers.undo_post, bpy.app.handlers.redo_post)


def register() -> None:
    for handlers in HANDLERS:
        handlers.append(after_change)
    # While extensions are enabled at start-up, Blender allows no look at its data: a moment later it does.
    bpy.app.timers.register(refresh, first_interval=0.0)


def unregister() -> None:
    for handlers in HANDLERS:
        if after_change in handlers:
            handlers.remove(after_change)
    if bpy.app.timers.is_registered(refresh):
        bpy.app.timers.unregister(refresh)
