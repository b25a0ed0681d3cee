"""What is keyed beside places and rotations: a number of the rig, known by its path, as a motion's channel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..files.fields import FieldError, Fields

MOST_PROPERTIES = 4096
"""Properties of a skeleton."""

HIGHEST = 3.5e38
"""No number of Blender's is larger."""

_STEP = r"""\[(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\d{1,6})\]"""
_WORD = r"[A-Za-z]\w*"
RNA_PATH = re.compile(rf"(?:{_WORD}|{_STEP})(?:\.{_WORD}|{_STEP})*", re.ASCII | re.DOTALL)
"""A path to a property as Blender writes it: names and subscripts, no name of Python's own with two underscores."""

OWNER = re.compile(r"(?:(?:ARMATURE|KEY):.+)?", re.DOTALL)
"""What a property is set on: the armature object, or type and name of another data-block."""


@dataclass(frozen=True)
class AnimatedProperty:
    """A number other than a place or rotation that the animator keyed, known by what it is set on and its path there.

    It sits on `joint` and goes from `low` to `high`; one that is switched takes the values `steps` only. `owner` is
    empty for the armature object, else type and name of the data-block.
    """

    joint: int
    path: str
    index: int
    low: float
    high: float
    steps: tuple[float, ...] = ()
    owner: str = ""

    @property
    def name(self) -> str:
        """A readable name: the last part of the path."""
        inner = self.path.rstrip("]").rpartition("[")[2] if self.path.endswith("]") else self.path.rpartition(".")[2]
        return inner.strip("\"'") or self.path

    def to_json(self) -> list[Any]:
        return [self.joint, self.path, self.index, self.low, self.high, list(self.steps), self.owner]

    @staticmethod
    def from_json(data: Any, joints: int) -> AnimatedProperty:
        """Of a skeleton of so many joints. Raises FieldError."""
        names = ("joint", "path", "index", "low", "high", "steps", "owner")
        if not isinstance(data, list) or len(data) != len(names):
            raise FieldError("“skeleton.properties” holds what is no property")
        fields = Fields(dict(zip(names, data, strict=True)), "skeleton.properties")
        path, owner = fields.text("path", longest=4096), fields.text("owner")
        low, high = fields.number("low", -HIGHEST, HIGHEST), fields.number("high", -HIGHEST, HIGHEST)
        if not RNA_PATH.fullmatch(path) or not OWNER.fullmatch(owner):
            raise FieldError(f"“skeleton.properties” holds “{path}”, which is no path of a property")
        if low >= high:
            raise FieldError(f"the property “{path}” has no range")
        steps = fields.numbers("steps", -HIGHEST, HIGHEST, 256)
        return AnimatedProperty(
            fields.whole("joint", 0, joints - 1), path, fields.whole("index", 0, 1 << 16), low, high, steps, owner
        )
