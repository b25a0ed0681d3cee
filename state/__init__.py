"""State that operators write and panels read: settings, lists, running jobs, facts about the selected armature."""

from __future__ import annotations

from types import ModuleType

import bpy

from ..core import HAS_INSTALLER
from . import (
    armature_summary,
    compose_settings,
    crowd_settings,
    guard,
    live,
    loss_picture,
    model_fit,
    rig_marks,
    rig_settings,
    session,
    settings,
    timer,
    trainings,
)
from .driving import drive_settings
from .placing import place_settings
from .pytorch import trial
from .shown import action_choices, part_amounts
from .variations import compare_settings, pose_pictures, show, strip

INSTALLATION: tuple[ModuleType, ...] = ()
if HAS_INSTALLER:
    from .pytorch import installation

    INSTALLATION = (installation,)

SETTINGS = (settings, rig_settings, compose_settings, crowd_settings, place_settings, compare_settings, drive_settings)
CLASSES = tuple(cls for module in (*SETTINGS, action_choices, part_amounts) for cls in module.CLASSES)


BEFORE_TIMER = (guard, session, loss_picture, armature_summary, model_fit)
AFTER_TIMER = (*INSTALLATION, trial, live, trainings, show, pose_pictures)
"""Modules that are registered before and after `timer`, whose end stops all jobs, and unregistered in reverse order."""


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for module in (*SETTINGS, *BEFORE_TIMER, *AFTER_TIMER):
        module.register()


def unregister() -> None:
    """Unregister everything. Running jobs end first: within a second, as their threads check ten times a second."""
    for module in (rig_marks, strip, *reversed(AFTER_TIMER), timer, *reversed(BEFORE_TIMER), *reversed(SETTINGS)):
        module.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
