"""Ranges of numbers that a dataclass may be read with from a file, kept in the metadata of its fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .fields import Fields


@dataclass(frozen=True)
class Range:
    """Range of numbers from `low` to `high`, of integers if `whole`; a list of at most `max_count` unless that is 0."""

    low: float
    high: float
    whole: bool = False
    max_count: int = 0

    def take(self, name: str, fields: Fields) -> Any:
        """Read the number or numbers of this name. Raises FieldError."""
        if self.whole:
            low, high = int(self.low), int(self.high)
            return fields.wholes(name, low, high, self.max_count) if self.max_count else fields.whole(name, low, high)
        if self.max_count:
            return fields.numbers(name, self.low, self.high, self.max_count)
        return fields.number(name, self.low, self.high)


def ranged(low: float, high: float, *, whole: bool = False, max_count: int = 0) -> dict[str, Range]:
    """Return the metadata of a dataclass field that may be read with the numbers from `low` to `high`, see `Range`."""
    return {"range": Range(low, high, whole, max_count)}
