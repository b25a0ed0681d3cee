"""Id-properties as a file holds them: of any kind and size, since anybody can write them; read as what Riff writes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection
from typing import Any

import bpy

MAX_CHARACTERS = 1024
"""Characters of a stored text that are read."""

MAX_SEED = 2**31 - 1
"""Largest seed and number of a variation."""


def stored_text(block: bpy.types.ID, key: str) -> str:
    """Return a stored text; empty for anything else."""
    value: Any = block.get(key)
    return value[:MAX_CHARACTERS] if isinstance(value, str) else ""


def stored_flag(block: bpy.types.ID, key: str) -> bool:
    """Return a stored True, or a number other than 0; False for anything else."""
    value: Any = block.get(key)
    return isinstance(value, (bool, int, float)) and bool(value)


def stored_number(block: bpy.types.ID, key: str, low: float, high: float) -> int | float | None:
    """Return a stored number within a range; None for anything else."""
    value: Any = block.get(key)
    return value if _is_number(value) and low <= value <= high else None


def stored_whole(block: bpy.types.ID, key: str, low: int, high: int) -> int | None:
    """Return a stored whole number within a range; None for anything else."""
    value = stored_number(block, key, low, high)
    return int(value) if value is not None and value == int(value) else None


def stored_numbers(block: bpy.types.ID, key: str, most: int) -> list[float] | None:
    """Return a stored row of at most so many finite numbers; None for anything else."""
    value: Any = block.get(key)
    if value is None or isinstance(value, str) or hasattr(value, "keys") or not hasattr(value, "__len__"):
        return None
    if len(value) > most or not all(_is_number(one) for one in value):
        return None
    return [float(one) for one in value]


def next_number(known: Collection[int]) -> int:
    """Return the number above the largest in use, from 1; the lowest free one where that could not be stored."""
    largest = max(known, default=0)
    return max(largest, 0) + 1 if largest < MAX_SEED else next(n for n in itertools.count(1) if n not in known)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
