"""Amounts of a variation for each body part, as the dialog shows them."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import FloatProperty

from ..armature_summary import rows_found


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


def fill_parts(rows: Any, ob: bpy.types.Object) -> None:
    """List the body parts that were found on an armature, each with the whole amount."""
    rows.clear()
    for name in dict.fromkeys(part for _, _, part in rows_found(ob) if part):
        rows.add().name = name


CLASSES = (RiffPartAmount,)
