"""Panels, lists and menus; drawing computes nothing."""

from __future__ import annotations

import bpy

from . import (
    compose,
    crowd,
    farm,
    generate,
    hints,
    lists,
    live,
    menus,
    overlay,
    preferences,
    regions,
    rig_overlay,
    source,
    train,
    translations,
)

MODULES = (preferences, lists, source, hints, train, generate, live, compose, regions, crowd, farm, menus)
CLASSES = tuple(cls for module in MODULES for cls in module.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    menus.register()
    overlay.register()
    rig_overlay.register()
    translations.register()


def unregister() -> None:
    translations.unregister()
    rig_overlay.unregister()
    overlay.unregister()
    menus.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
