"""Settings of a crowd: properties of the panel, and the same of the operator."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from ..rig.crowd.settings import CrowdSettings
from .settings import WORD_CONTEXT
from .shown.automatic import automatic

WORDS = {"light"}
"""Settings whose name Blender translates in another sense."""

_PROPERTY_OF: dict[type, Any] = {bool: BoolProperty, int: IntProperty, float: FloatProperty, str: StringProperty}


def _property(setting: Field[Any]) -> Any:
    """Return the property of a setting of a crowd."""
    shown_as = dict(setting.metadata["property"])
    if setting.name in WORDS:
        shown_as["translation_context"] = WORD_CONTEXT
    default: Any = setting.default
    make: Any = EnumProperty if "items" in shown_as else _PROPERTY_OF[type(default)]
    return make(default=default, **shown_as)


class CrowdChoices:
    """Settings shared by panel and operator: the number of members, and the properties of `CrowdSettings`."""

    count: IntProperty(
        name="Count", description="Number of members to make", default=50, min=1, max=5000, soft_max=1000
    )


CrowdChoices.__annotations__.update(
    {setting.name: _property(setting) for setting in fields(CrowdSettings) if "property" in setting.metadata}
)


SCENE_RANGE: dict[str, Any] = {
    "name": "Scene Range",
    "description": "Let members move from the first to the last frame of the scene",
}
"""Arguments of the property of the panel and of the operator; scripts say the number of frames, or get the default."""


class RiffCrowdSettings(CrowdChoices, bpy.types.PropertyGroup):
    """Settings of the Crowd panel, saved with the scene."""

    scene_range: BoolProperty(**SCENE_RANGE, default=True)
    auto_distance: automatic("distance", 1.0)
    auto_spacing: automatic("spacing", 3.0)
    more: IntProperty(name="More", description="Number of members to add", default=10, min=1, max=1000)
    keep: FloatProperty(
        name="Keep",
        description="Fraction of the members to keep when thinning out",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )


CLASSES = (RiffCrowdSettings,)


def register() -> None:
    bpy.types.Scene.riff_crowd = PointerProperty(type=RiffCrowdSettings)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Scene.riff_crowd  # type: ignore[attr-defined]
