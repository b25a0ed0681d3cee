"""Hints about the shown armature's action, without those that the person closed."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import bpy

from ..core.errors import RiffError
from ..core.motion.motion import Motion
from ..rig.hints.find import Hint, HintKind, Look, find_hints
from ..rig.hints.layers import plays_layers, strip_actions
from .rig_settings import plays_nla, rig_settings


def look_at(ob: bpy.types.Object, scene: bpy.types.Scene, motion: Motion | None = None) -> Look:
    """Return everything that the finders of hints look at."""
    return Look(ob, scene, motion, smooth=rig_settings(ob).smooth_steps)


def hint_steps(
    ob: bpy.types.Object, scene: bpy.types.Scene, motion: Motion | None
) -> Generator[float, None, list[Hint]]:
    """Find the hints about the armature's action in steps; `motion` is what was read of it, None if it cannot be read.

    The whole NLA has none, nor has an action without keys for the armature.
    """
    if plays_nla(ob):
        return []
    try:
        return (yield from find_hints(look_at(ob, scene, motion)))
    except RiffError:
        return []  # the summary's problem says what is wrong


def open_hints(ob: bpy.types.Object, hints: Sequence[Hint]) -> list[Hint]:
    """Return the hints that the person has not closed for this action."""
    closed = {(row.name, row.kind) for row in rig_settings(ob).closed_hints}
    action = ob.animation_data.action.name if ob.animation_data and ob.animation_data.action else ""
    return [hint for hint in hints if (action, hint.kind.value) not in closed]


def close_hint(ob: bpy.types.Object, kind: HintKind) -> None:
    """Close the hint of this kind for the armature's action; it stays closed in the saved file."""
    row = rig_settings(ob).closed_hints.add()
    row.name, row.kind = ob.animation_data.action.name, kind.value


def offered_actions(ob: bpy.types.Object | None) -> list[bpy.types.Action]:
    """Return the actions of an armature's NLA strips, other than the active one."""
    if ob is None or ob.animation_data is None:
        return []
    active = ob.animation_data.action
    return [action for action in strip_actions(ob) if action != active]


def plays_strips(ob: bpy.types.Object) -> bool:
    """Return True if the armature plays NLA strips, which *Whole NLA* can learn."""
    return plays_layers(ob)
