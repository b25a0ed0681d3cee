"""Amounts of a variation for each body part, as the dialog shows them."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import FloatProperty

from ...core.errors import RiffError
from ...core.motion.body_parts import find_parts
from ...rig.steps import run_through
from ..armature_summary import rows_found
from ..source import glance_steps

GLANCE_FRAMES = 8
"""Frames of the action to look at where the armature is not analyzed yet: parts need its skeleton alone."""


class RiffPartAmount(bpy.types.PropertyGroup):
    """A body part and its share of the amount; `name` is the part's."""

    factor: FloatProperty(
        name="Share",
        description="Share of the amount that this body part has",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )


def fill_parts(rows: Any, ob: bpy.types.Object, scene: bpy.types.Scene) -> None:
    """List the body parts of an armature, each with the whole amount; none if its action cannot be read."""
    rows.clear()
    for name in _part_names(ob, scene):
        rows.add().name = name


def _part_names(ob: bpy.types.Object, scene: bpy.types.Scene) -> list[str]:
    names = list(dict.fromkeys(part for _, _, part in rows_found(ob) if part))
    if names:
        return names
    try:
        motion = run_through(glance_steps(ob, scene, GLANCE_FRAMES))
    except RiffError:  # the operator says why, once it is confirmed
        return []
    return [part.name for part in find_parts(motion.skeleton)]


CLASSES = (RiffPartAmount,)
