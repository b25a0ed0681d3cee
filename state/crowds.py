"""Summary of the selected crowd for the Crowd panel, read from the file only after a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from ..rig.crowd.crowd import CROWD_KEY, settings_of_crowd


@dataclass(frozen=True)
class CrowdSummary:
    """Name of a crowd's collection and of its armature; `smallest` and `from_source` are distances,
    0 if not measured.
    """

    name: str
    armature: str
    smallest: float
    from_source: float

    @property
    def variety(self) -> float:
        """Difference of the two most alike members, as a share of the one between the source and its least like."""
        return self.smallest / self.from_source if self.from_source else 1.0


_summaries: dict[str, tuple[str, CrowdSummary]] = {}
"""Summary of each crowd by the name of its collection, with the text from which it was read."""


def crowd_summary(ob: bpy.types.Object | None) -> CrowdSummary | None:
    """Return the crowd that an object belongs to; else, of those made from it, the latest; cheap enough for drawing."""
    if ob is None:
        return None
    for collection in ob.users_collection:
        if collection.get(CROWD_KEY) is not None:
            return _summary_of(collection)
    made = [_summary_of(collection) for collection in bpy.data.collections if collection.get(CROWD_KEY) is not None]
    return next((summary for summary in reversed(made) if summary.armature == ob.name), None)


def _summary_of(collection: bpy.types.Collection) -> CrowdSummary:
    text = str(collection[CROWD_KEY])
    known = _summaries.get(collection.name)
    if known is None or known[0] != text:
        settings = settings_of_crowd(collection)
        numbers = _number(settings.get("smallest")), _number(settings.get("from_source"))
        known = text, CrowdSummary(collection.name, str(settings.get("armature", "")), *numbers)
        _summaries[collection.name] = known
    return known[1]


def _number(value: Any) -> float:
    """Return a finite number from a file, 0 for anything else."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9
    return float(value) if is_number else 0.0
