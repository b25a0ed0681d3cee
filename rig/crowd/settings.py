"""Settings of a crowd, defined once: defaults, ranges and words of the properties that panels and operators show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ...core.errors import ClipError
from ...core.files.fields import FieldError, Fields

KIND_ITEMS = [
    ("GRID", "Grid", "Rows about the 3D cursor"),
    ("SURFACE", "Scatter on Surface", "Random places on an object's faces; paths stay on them"),
    ("CURVE", "Along Curve", "Evenly along a curve"),
    ("POINTS", "Points of Object", "On the points of an object"),
    ("EMPTIES", "Selected Empties", "On the empties selected together with the armature"),
]
LOOKS_ITEMS = [
    ("RANDOM", "Random", "In any direction"),
    ("SAME", "As the Character", "In the direction of the character in its own action"),
    ("TARGET", "At Object", "Towards an object"),
    ("ALONG", "Along", "Along the curve, or in the direction of the empty"),
]

MIN_FRAMES = 30
"""Frames of the shortest motions of members."""

MAX_STORED = 1 << 32
"""Largest accepted number of a setting without a range of its own."""


def shown(
    default: bool | int | float | str,
    name: str,
    description: str,
    *,
    items: Sequence[tuple[str, str, str]] = (),
    **keywords: Any,
) -> Any:
    """Define a setting that is a property in Blender; `keywords` are those of `bpy.props`: min, max, subtype."""
    shown_as = {"name": name, "description": description, **({"items": items} if items else {}), **keywords}
    return field(default=default, metadata={"property": shown_as})


@dataclass(frozen=True)
class CrowdSettings:
    """Settings of a crowd as plain data that fits JSON; lengths in the scene's units, angles in radians.

    `model` is the model's name, `armature` the character's, `source` the action that it was learned from. `next` is the
    first number of the `seed` that no candidate has used. `smallest` and `from_source` are distances of the members to
    each other and to the source.
    """

    model: str = ""
    armature: str = ""
    source: str = ""
    kind: str = shown("GRID", "Placement", "Placement of the members", items=KIND_ITEMS)
    ground: str = shown("", "Object", "Name of the object that members stand on")
    distance: float = shown(
        0.0,
        "Distance",
        "Smallest distance between two roots at any frame; 0 to use the size of the body",
        min=0.0,
        subtype="DISTANCE",
    )
    spacing: float = shown(
        0.0,
        "Spacing",
        "Distance between the places of the grid; 0 to use the extent of the motion",
        min=0.0,
        subtype="DISTANCE",
    )
    centred: bool = shown(True, "Centre Paths", "Center each path on its place instead of starting there")
    looks: str = shown("RANDOM", "Looking", "Direction in which members look", items=LOOKS_ITEMS)
    target: str = shown("", "Target", "Name of the object that members face")
    spread: float = shown(
        math.radians(20.0),
        "Turn",
        "Largest random rotation of members, in either direction",
        min=0.0,
        max=math.pi,
        subtype="ANGLE",
    )
    uneven: float = shown(
        0.0, "Size Variation", "Largest random difference in size", min=0.0, max=0.5, subtype="FACTOR"
    )
    frames: int = shown(
        250, "Frames", "Length of the members' motions or loops in frames", min=MIN_FRAMES, max=100_000, soft_max=2000
    )
    phase: int = shown(
        0,
        "Random Start",
        "Largest number of frames by which members start at different places of their motions",
        min=0,
        max=10_000,
        soft_max=250,
    )
    loop: bool = shown(False, "Loops", "Short motions that repeat endlessly, each starting at a random frame")
    seed: int = shown(1, "Seed", "The same model, seed and settings always give the same crowd", min=0)
    pool: float = shown(
        4.0,
        "Tries per Member",
        "Motions to generate for each member; the most different ones are used",
        min=1.0,
        max=20.0,
        soft_max=8.0,
        precision=1,
    )
    light: bool = shown(False, "Light", "For large crowds: a quarter of the keys, and none for bones that hardly move")
    nla: bool = shown(False, "As NLA Strips", "Put each member's action on an NLA track of its own")
    clean_feet: bool = True
    coarse: float = 1.0
    fine: float = 1.0
    frame_start: int = 1
    next: int = 0
    smallest: float = 0.0
    from_source: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> CrowdSettings:
        """Read a crowd's settings; ignore those of a newer version. Raises ClipError if they are missing or damaged."""
        given = Fields(data, "crowd")
        if "model" not in given:
            raise ClipError("This crowd has no settings; create it again.")
        try:
            return CrowdSettings(
                **{each.name: _read(given, each) for each in fields(CrowdSettings) if each.name in given}
            )
        except FieldError as error:
            raise ClipError(f"The settings of this crowd are damaged: {error}.") from error


def _read(given: Fields, setting: Any) -> Any:
    """Return a setting with the type of its default and within its range: the file may be untrusted.

    Raises FieldError.
    """
    name, default, shown_as = setting.name, setting.default, setting.metadata.get("property", {})
    if isinstance(default, str):
        text = given.text(name)
        if "items" in shown_as and text not in [item[0] for item in shown_as["items"]]:
            raise FieldError(f"“crowd.{name}” is none of its choices")
        return text
    if isinstance(default, bool):
        return given.flag(name, default)
    return type(default)(given.number(name, shown_as.get("min", -MAX_STORED), shown_as.get("max", MAX_STORED)))
