"""Ghosts as the viewport names them, and the variations to show as ghosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from ...rig.compat import end_of_name
from ...rig.ghosts.ghosts import COLLECTION_KEY, TOP_KEY, place_of, played
from ...rig.ownership import GHOST_KEY
from ...rig.stored import stored_flag, stored_text
from ..session import rows_of
from ..settings import session_of
from .history import run_of

Point = tuple[float, float, float]


@dataclass(frozen=True)
class GhostName:
    """Name of the variation that a ghost plays, its action, its colour, and the place over the ghost in the world."""

    text: str
    action: str
    color: Point
    place: Point
    kept: bool


def ghost_names(context: Any) -> list[GhostName]:
    """Return the names to draw over the ghosts of the context's scene as they are posed now; none in a local view."""
    found: list[GhostName] = []
    if getattr(context.space_data, "local_view", None) is not None:
        return found
    shown = context.view_layer.layer_collection.children
    for collection in context.scene.collection.children:
        layer = shown.get(collection.name) if collection.get(COLLECTION_KEY) is not None else None
        if layer is None or not layer.is_visible:
            continue
        for ob in sorted(collection.objects, key=place_of):
            action = played(ob) if ob.type == "ARMATURE" and ob.get(GHOST_KEY) is not None else None
            if action is not None and ob.pose is not None:
                found.append(_name_over(ob, action))
    return found


def _name_over(ghost: Any, action: bpy.types.Action) -> GhostName:
    bone = ghost.pose.bones.get(stored_text(ghost, TOP_KEY))
    x, y, z = ghost.matrix_world @ bone.tail if bone is not None else ghost.matrix_world.translation
    red, green, blue, _ = ghost.color
    return GhostName(title_of(action), action.name, (red, green, blue), (x, y, z), stored_flag(action, "riff_kept"))


def title_of(action: bpy.types.Action) -> str:
    """Return a variation's name without that of its model, as the list shows it."""
    return end_of_name(action.name, stored_text(action, "riff_model")).removeprefix("Variation ")


def chosen_for_ghosts(context: bpy.types.Context, ob: bpy.types.Object, which: str, number: int) -> list[str]:
    """Return the names of at most so many variations of an armature in the order of the list: those made last, those
    kept, or the first of the list.
    """
    rows = rows_of(session_of(context), ob)
    if which == "KEPT":
        rows = [row for row in rows if row.kept]
    names = [row.name for row in rows]
    if which == "NEWEST":
        last = sorted(names, key=_newest_first)[:number]
        names = [name for name in names if name in last]
    return names[:number]


def _newest_first(name: str) -> tuple[int, int]:
    """Return a key that sorts variations by the runs that made them, the latest first, then by their numbers."""
    action = bpy.data.actions.get(name)
    if action is None:
        return 0, 0
    run, index = run_of(action)
    return -run, index
