"""What a click does: gather settings, call rig and core, report."""

from __future__ import annotations

import bpy

from . import (
    command_line,
    compose,
    compose_mix,
    compose_settings,
    crowd,
    crowd_settings,
    export_job,
    feet,
    generate,
    guard,
    install,
    live,
    loss_picture,
    models,
    preferences,
    presets,
    regions,
    report,
    results,
    rig_settings,
    sample,
    session,
    settings,
    source,
    timer,
    train,
)

MODULES = (
    install,
    preferences,
    settings,
    rig_settings,
    sample,
    feet,
    train,
    presets,
    models,
    generate,
    live,
    results,
    regions,
    compose_settings,
    compose,
    compose_mix,
    crowd_settings,
    crowd,
    export_job,
    report,
)
CLASSES = tuple(cls for module in MODULES for cls in module.CLASSES)


def register() -> None:
    for cls in CLASSES:
        guard.guard(cls)
        bpy.utils.register_class(cls)
    settings.register()
    rig_settings.register()
    compose_settings.register()
    crowd_settings.register()
    session.register()
    loss_picture.register()
    source.register()
    live.register()
    install.register()
    report.register()
    command_line.register()


def unregister() -> None:
    """Running jobs end first: within a second, as the thread looks every tenth of one whether it should stop."""
    command_line.unregister()
    report.unregister()
    live.unregister()
    install.unregister()
    timer.unregister()
    source.unregister()
    loss_picture.unregister()
    session.unregister()
    crowd_settings.unregister()
    compose_settings.unregister()
    rig_settings.unregister()
    settings.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
