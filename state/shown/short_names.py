"""Long names, shortened where they are alike, so that a narrow list shows where they differ."""

from __future__ import annotations

from collections.abc import Sequence

LIST_CHARACTERS = 24
"""Characters of a name that a row of a list shows."""

HEAD_CHARACTERS = 8
"""Characters that a shortened name keeps of its beginning."""


def shortened(names: Sequence[str]) -> list[str]:
    """Return the names with the middle left out of those that are too long and begin as another one does."""
    return [_shortened(name, [other for other in names if other != name]) for name in names]


def _shortened(name: str, others: Sequence[str]) -> str:
    alike = max((_alike(name, other) for other in others), default=0)
    tail = LIST_CHARACTERS - HEAD_CHARACTERS - 1
    start = min(alike - 2, len(name) - tail)  # two more characters tell where the difference is
    if len(name) <= LIST_CHARACTERS or start <= HEAD_CHARACTERS:
        return name
    return f"{name[:HEAD_CHARACTERS]}…{name[start:]}"


def _alike(one: str, other: str) -> int:
    """Return the number of characters with which both names begin."""
    return next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def without_namespace(name: str) -> str:
    """Return a bone's name without what stands before a colon, which all bones of a rig have."""
    return name.rpartition(":")[2] or name
