"""Panels, lists and menus; drawing computes nothing."""

from __future__ import annotations

import bpy

from . import (
    choices,
    compose,
    crowd,
    farm,
    generate,
    hints,
    live,
    menus,
    models,
    preferences,
    regions,
    source,
    top,
    train,
    translations,
    variations,
)
from .comparing import history
from .driving import driven
from .overlays import ghost_buttons, ghost_names, region_strips, rig_marks
from .placing import place_lists

MODULES = (
    preferences,
    top,
    choices,
    source,
    hints,
    train,
    models,
    generate,
    variations,
    history,
    live,
    compose,
    place_lists,
    regions,
    driven,
    crowd,
    farm,
    menus,
)
CLASSES = tuple(cls for module in MODULES for cls in module.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    menus.register()
    region_strips.register()
    rig_marks.register()
    ghost_names.register()
    ghost_buttons.register()
    translations.register()


def unregister() -> None:
    translations.unregister()
    ghost_buttons.unregister()
    ghost_names.unregister()
    rig_marks.unregister()
    region_strips.unregister()
    menus.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
