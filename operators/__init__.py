"""Operators: gather settings, call rig and core, report."""

from __future__ import annotations

from types import ModuleType

import bpy

from ..core import HAS_INSTALLER
from ..state import guard
from . import (
    compose,
    compose_lists,
    compose_mix,
    crowd,
    export_job,
    feet,
    generate,
    instant,
    live,
    models,
    presets,
    regions,
    report,
    sample,
    source_hints,
    timed_clips,
    train,
)
from .driving import drive, pair_lists
from .exporting import export_takes
from .placing import place_lists, reach_places
from .pytorch import try_torch
from .variations import amount, ghosts, history, keep, show, use

INSTALLATION: tuple[ModuleType, ...] = ()
if HAS_INSTALLER:
    from .pytorch import install

    INSTALLATION = (install,)

MODULES = (
    *INSTALLATION,
    try_torch,
    sample,
    source_hints,
    feet,
    train,
    presets,
    models,
    instant,
    generate,
    live,
    show,
    keep,
    use,
    amount,
    ghosts,
    history,
    export_takes,
    regions,
    compose_lists,
    compose,
    compose_mix,
    timed_clips,
    place_lists,
    reach_places,
    pair_lists,
    drive,
    crowd,
    export_job,
    report,
)
CLASSES = tuple(cls for module in MODULES for cls in module.CLASSES)


def register() -> None:
    for cls in CLASSES:
        guard.wrap_operator(cls)
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
