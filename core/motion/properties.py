"""Animated properties: keyed numbers of a rig other than transforms, identified by their paths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..files.fields import FieldError, Fields

MAX_PROPERTIES = 4096
"""Largest number of properties of a skeleton."""

MAX_NUMBER = 3.5e38
"""Largest accepted value, just above that of a single-precision number."""

_STEP = r"""\[(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\d{1,6})\]"""
_WORD = r"[A-Za-z]\w*"
RNA_PATH = re.compile(rf"(?:{_WORD}|{_STEP})(?:\.{_WORD}|{_STEP})*", re.ASCII | re.DOTALL)
"""Pattern of Blender's property paths: names and subscripts; names must begin with a letter, which excludes dunders."""

OWNER = re.compile(r"(?:(?:ARMATURE|KEY):.+)?", re.DOTALL)
"""Pattern of a property's owner: empty for the armature object, else type and name of a data-block."""


@dataclass(frozen=True)
class AnimatedProperty:
    """Keyed number other than a position or rotation, identified by its owner and its path there.

    It belongs to `joint` and ranges from `low` to `high`; a switch takes only the values `steps`. `owner` is empty for
    the armature object, else type and name of the data-block.
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
        """Readable name: the last part of the path."""
        inner = self.path.rstrip("]").rpartition("[")[2] if self.path.endswith("]") else self.path.rpartition(".")[2]
        return inner.strip("\"'") or self.path

    def to_json(self) -> list[Any]:
        return [self.joint, self.path, self.index, self.low, self.high, list(self.steps), self.owner]

    @staticmethod
    def from_json(data: Any, joints: int) -> AnimatedProperty:
        """Parse a property of a skeleton with this number of joints. Raises FieldError."""
        names = ("joint", "path", "index", "low", "high", "steps", "owner")
        if not isinstance(data, list) or len(data) != len(names):
            raise FieldError("“skeleton.properties” holds what is no property")
        fields = Fields(dict(zip(names, data, strict=True)), "skeleton.properties")
        path, owner = fields.text("path", longest=4096), fields.text("owner")
        low, high = fields.number("low", -MAX_NUMBER, MAX_NUMBER), fields.number("high", -MAX_NUMBER, MAX_NUMBER)
        if not RNA_PATH.fullmatch(path) or not OWNER.fullmatch(owner):
            raise FieldError(f"“skeleton.properties” holds “{path}”, which is no path of a property")
        if low >= high:
            raise FieldError(f"the property “{path}” has no range")
        steps = fields.numbers("steps", -MAX_NUMBER, MAX_NUMBER, 256)
        return AnimatedProperty(
            fields.whole("joint", 0, joints - 1), path, fields.whole("index", 0, 1 << 16), low, high, steps, owner
        )
