"""Settings that a file holds, brought into the ranges of the interface: Blender reads them as they are stored."""

from __future__ import annotations

import math
from typing import Any

import bpy

SCENE_SETTINGS = ("riff", "riff_crowd", "riff_compose", "riff_compare")
"""Properties of a scene that hold Riff's settings."""

ARMATURE_SETTINGS = ("riff", "riff_driving", "riff_places")
"""Properties of an armature that hold Riff's settings."""

MAX_ROWS = 10_000
"""Rows of a list of settings that are kept."""


def clamp(group: Any) -> None:
    """Bring the numbers and choices of a property group, and of all groups in it, into their ranges."""
    for prop in group.bl_rna.properties:
        if prop.identifier == "rna_type":
            continue
        if prop.type == "COLLECTION":
            rows = getattr(group, prop.identifier)
            while len(rows) > MAX_ROWS:
                rows.remove(len(rows) - 1)
            for row in rows:
                clamp(row)
        elif prop.type in ("INT", "FLOAT"):
            _clamp_number(group, prop)
        elif prop.type == "ENUM" and not prop.is_enum_flag and not getattr(group, prop.identifier):
            setattr(group, prop.identifier, prop.default)  # stored as a number that names no choice
        elif prop.type == "POINTER" and isinstance(getattr(group, prop.identifier), bpy.types.PropertyGroup):
            clamp(getattr(group, prop.identifier))


def _clamp_number(group: Any, prop: Any) -> None:
    value: Any = getattr(group, prop.identifier)
    found: Any
    if prop.is_array:
        found = [_within(one, default, prop) for one, default in zip(value, prop.default_array, strict=True)]
        changed = list(value) != found
    else:
        found = _within(value, prop.default, prop)
        changed = value != found
    if changed:
        setattr(group, prop.identifier, found)


def _within(value: float, default: float, prop: Any) -> float:
    """Return a value within a property's hard limits; its default for one that is no number."""
    return default if math.isnan(value) else type(default)(min(max(value, prop.hard_min), prop.hard_max))


def clamp_file() -> None:
    """Clamp the settings of all scenes and armatures of this file."""
    for scene in bpy.data.scenes:
        for name in SCENE_SETTINGS:
            if scene.library is None and scene.is_property_set(name):
                clamp(getattr(scene, name))
    for ob in bpy.data.objects:
        local = ob.library is None and ob.override_library is None
        for name in ARMATURE_SETTINGS if local and ob.type == "ARMATURE" else ():
            if ob.is_property_set(name):
                clamp(getattr(ob, name))
