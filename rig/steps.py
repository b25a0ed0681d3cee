"""Split work on Blender's data into steps, so that the window stays responsive."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")

STEP_SECONDS = 0.04
"""Seconds of work between two looks at the window's events."""


def stride(first: float, last: float, frames: int) -> int:
    """Return the step in frames that samples a span at about `frames` frames; at least 1."""
    return max(1, int((last - first) / frames))


def run_through(steps: Generator[float, None, Result]) -> Result:
    """Run all steps at once and return their result. Raises what they raise."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def paced(steps: Generator[float, None, Result], seconds: float) -> Generator[float, None, Result]:
    """Run short steps together until `seconds` have gone, then yield the progress of the last one."""
    begun = time.monotonic()
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        if time.monotonic() - begun >= seconds:
            yield share
            begun = time.monotonic()


def part_of(steps: Generator[float, None, Result], before: float, whole: float) -> Generator[float, None, Result]:
    """Run steps as one part of a longer work; yield the progress of the whole.

    The work has `whole` equal parts, of which `before` are done.
    """
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield (before + share) / whole
