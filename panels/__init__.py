"""What is drawn; nothing is computed here."""

from __future__ import annotations

import bpy

from . import lists, sidebar

CLASSES = (*lists.CLASSES, *sidebar.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
