"""State that operators write and panels read: settings, lists, running jobs, facts about the selected armature."""

from __future__ import annotations

import bpy

from . import (
    armature_summary,
    compose_settings,
    crowd_settings,
    guard,
    live,
    loss_picture,
    model_fit,
    pytorch,
    rig_marks,
    rig_settings,
    session,
    settings,
    timer,
)

SETTINGS = (settings, rig_settings, compose_settings, crowd_settings)
CLASSES = tuple(cls for module in SETTINGS for cls in module.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for module in (*SETTINGS, guard, session, loss_picture, armature_summary, model_fit, live, pytorch):
        module.register()


def unregister() -> None:
    """Unregister everything. Running jobs end first: within a second, as their threads check ten times a second."""
    for module in (
        rig_marks,
        live,
        pytorch,
        timer,
        model_fit,
        armature_summary,
        loss_picture,
        session,
        guard,
        *reversed(SETTINGS),
    ):
        module.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
