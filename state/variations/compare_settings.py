"""Settings of ghosts, saved with the scene."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty

from ...rig.ghosts.ghosts import MAX_GHOSTS, Arrangement
from ..settings import WORD_CONTEXT

WHICH_ITEMS = [
    ("NEWEST", "Newest", "The variations that were made last"),
    ("KEPT", "Kept", "The variations that are kept, by the star in their row"),
    ("LISTED", "From the List", "The first variations of the list"),
]


class GhostChoices:
    """Settings of ghosts, shared by the panel and the operators."""

    number: IntProperty(
        name="Number", description="Number of variations to show as ghosts", default=5, min=1, max=MAX_GHOSTS
    )
    which: EnumProperty(
        name="Which", description="Variations to show as ghosts", items=WHICH_ITEMS, translation_context=WORD_CONTEXT
    )
    spacing: FloatProperty(
        name="Spacing",
        description="Distance from one ghost to the next, as a multiple of the character's size",
        default=1.0,
        min=0.0,
        max=20.0,
        soft_max=5.0,
    )
    behind: BoolProperty(
        name="Behind", description="Place ghosts behind the character instead of beside it", default=False
    )
    wire: BoolProperty(name="As Wire", description="Show the meshes of ghosts as wires", default=False)


def arrangement_of(choices: GhostChoices) -> Arrangement:
    """Return the arrangement that the panel or an operator asks for."""
    return Arrangement(choices.spacing, choices.behind, choices.wire)


class RiffCompare(GhostChoices, bpy.types.PropertyGroup):
    """Settings of ghosts in the panel."""


def compare_settings(context: bpy.types.Context) -> RiffCompare:
    return context.scene.riff_compare  # type: ignore[attr-defined, no-any-return]


CLASSES = (RiffCompare,)


def register() -> None:
    bpy.types.Scene.riff_compare = PointerProperty(type=RiffCompare)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Scene.riff_compare  # type: ignore[attr-defined]
