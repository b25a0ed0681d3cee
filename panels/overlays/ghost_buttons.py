"""Buttons over ghosts in the 3D viewports: show the ghost's variation on the character, keep it, reject it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Matrix, Vector

from ...state.variations.ghosts import GhostName, ghost_names

BUTTONS = (("riff.show_action", "PLAY"), ("riff.keep_variation", "SOLO_ON"), ("riff.discard_variation", "X"))
"""Operators of the buttons over a ghost, and their icons."""

BUTTON_POINTS, RISE_POINTS = 22, 40
"""Distance of two buttons and their height over the ghost's top, in interface points."""


def levels(places: Sequence[float | None], width: float) -> list[int]:
    """Return a level for each place on a line, 0 for the lowest, so that none of this width covers another on its
    level; places that are None cover nothing.
    """
    found: list[int] = []
    for place in places:
        near = [
            level
            for other, level in zip(places, found, strict=False)
            if other is not None and place is not None and abs(other - place) < width
        ]
        found.append(min(level for level in range(len(found) + 1) if level not in near))
    return found


def button_places(context: Any, names: Sequence[GhostName]) -> list[list[tuple[float, float]] | None]:
    """Return the centres of the buttons over each ghost in pixels of the context's region; None for a ghost behind
    the view. The buttons of ghosts that stand close stand above each other.
    """
    width = BUTTON_POINTS * context.preferences.system.ui_scale
    tops: list[Any] = [
        location_3d_to_region_2d(context.region, context.region_data, Vector(name.place)) for name in names
    ]
    heights = levels([None if top is None else top.x / width for top in tops], len(BUTTONS))
    return [
        None
        if top is None
        else [
            (top.x + (step - 1) * width, top.y + (RISE_POINTS / BUTTON_POINTS + height) * width)
            for step in range(len(BUTTONS))
        ]
        for top, height in zip(tops, heights, strict=True)
    ]


class RIFF_GGT_ghosts(bpy.types.GizmoGroup):
    """Buttons over ghosts"""

    bl_label = "Ghosts"
    bl_space_type: Any = "VIEW_3D"
    bl_region_type: Any = "WINDOW"
    bl_options: Any = {"PERSISTENT", "SCALE"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return bool(context.space_data.overlay.show_overlays and ghost_names(context))

    def setup(self, context: Any) -> None:
        self._buttons: list[Any] = []
        self._shown: list[str] = []

    def draw_prepare(self, context: Any) -> None:
        names = ghost_names(context)
        if self._shown != [name.action for name in names]:
            self._fill(names)
        for number, places in enumerate(button_places(context, names)):
            for step, button in enumerate(self._buttons[len(BUTTONS) * number : len(BUTTONS) * (number + 1)]):
                button.hide = places is None
                if places is not None:
                    button.matrix_basis = Matrix.Translation((*places[step], 0.0))

    def _fill(self, names: list[GhostName]) -> None:
        """Make the buttons of these ghosts in place of those before."""
        self.gizmos.clear()
        self._buttons, self._shown = [], [name.action for name in names]
        for name in names:
            for operator, icon in BUTTONS:
                button: Any = self.gizmos.new("GIZMO_GT_button_2d")
                button.icon, button.draw_options = icon, {"BACKDROP", "OUTLINE"}
                button.scale_basis = 9.0
                button.color, button.alpha = name.color, 0.5
                button.color_highlight, button.alpha_highlight = name.color, 0.9
                button.target_set_operator(operator).action = name.action
                self._buttons.append(button)


def register() -> None:
    bpy.utils.register_class(RIFF_GGT_ghosts)  # type: ignore[arg-type, unused-ignore]


def unregister() -> None:
    bpy.utils.unregister_class(RIFF_GGT_ghosts)  # type: ignore[arg-type, unused-ignore]
