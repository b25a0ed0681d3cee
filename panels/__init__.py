"""What is drawn; nothing is computed here."""

from __future__ import annotations

import bpy

from . import lists, overlay, regions, sidebar

CLASSES = (*lists.CLASSES, *sidebar.CLASSES, *regions.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    overlay.register()


def unregister() -> None:
    overlay.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
