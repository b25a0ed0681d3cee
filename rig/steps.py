"""Work on Blender's data that goes on in steps, so that the window stays alive between two of them."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")

STEP = 0.04
"""Seconds of work between two looks at the window's events."""


def stride(first: float, last: float, frames: int) -> int:
    """How many frames to go on at a time so that a span is looked at on about so many frames."""
    return max(1, int((last - first) / frames))


def run_through(steps: Generator[float, None, Result]) -> Result:
    """Take all steps at once; returns what they return. Raises what they raise."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def part_of(steps: Generator[float, None, Result], before: float, whole: float) -> Generator[float, None, Result]:
    """The same steps as one of `whole` equal parts of a longer work of which `before` parts are done."""
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield (before + share) / whole
