"""Menu Riff where animators look, so that the search finds each operator by its name."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.settings import copy_choices
from ..state.variations.compare_settings import GhostChoices
from .generate import fill_generate

OPERATORS = (
    ("riff.add_sample_dancer", "riff.instant_model", "riff.train", "riff.train_on_actions"),
    (
        "riff.generate",
        "riff.set_amount",
        "riff.more_like_this",
        "riff.reduce_keys",
        "riff.variation_to_nla",
        "riff.mark_asset",
    ),
    ("riff.next_variation", "riff.previous_variation", "riff.mark_kept", "riff.export_takes", "riff.discard_others"),
    ("riff.show_ghosts", "riff.hide_ghosts"),
    ("riff.vary_parts", "riff.drag_region", "riff.fill_regions", "riff.keep_keys", "riff.place_moments"),
    ("riff.extend_action", "riff.loop_action", "riff.restyle", "riff.live"),
    ("riff.duplicate_as_crowd", "riff.export_job", "riff.import_trained", "riff.import_model", "riff.copy_report"),
)
"""Operators of the menu, with a line between the groups."""

PARENTS = ("VIEW3D_MT_object_animation", "VIEW3D_MT_pose", "DOPESHEET_MT_key", "DOPESHEET_MT_action")
"""Blender's menus that it is appended to; 4.5 has no DOPESHEET_MT_action."""


class RIFF_MT_riff(bpy.types.Menu):
    bl_label = "Riff"

    def draw(self, context: Any) -> None:
        layout = self.layout
        for number, group in enumerate(OPERATORS):
            if number:
                layout.separator()
            for operator in group:
                layout.operator_context = "INVOKE_DEFAULT"
                row = layout.operator(operator)
                if operator == "riff.generate":
                    fill_generate(row, context.scene.riff)
                elif operator == "riff.show_ghosts":
                    copy_choices(GhostChoices, context.scene.riff_compare, row)


def draw_menu(menu: Any, context: Any) -> None:
    """Draw the entry of the menu Riff in one of Blender's menus."""
    menu.layout.separator()
    menu.layout.menu("RIFF_MT_riff")


CLASSES = (RIFF_MT_riff,)


def register() -> None:
    for name in PARENTS:
        if hasattr(bpy.types, name):
            getattr(bpy.types, name).append(draw_menu)


def unregister() -> None:
    for name in PARENTS:
        if hasattr(bpy.types, name):
            getattr(bpy.types, name).remove(draw_menu)
