"""What a click does: gather settings, call rig and core, report."""

from __future__ import annotations

import bpy

from . import generate, models, regions, rig_settings, sample, session, settings, timer, train

CLASSES = (
    *settings.CLASSES, *rig_settings.CLASSES, *sample.CLASSES, *train.CLASSES, *models.CLASSES, *generate.CLASSES,
    *regions.CLASSES,
)  # fmt: skip


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    settings.register()
    rig_settings.register()
    session.register()


def unregister() -> None:
    """Running jobs end first: within a second, as the thread looks every tenth of one whether it should stop."""
    timer.unregister()
    session.unregister()
    rig_settings.unregister()
    settings.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
