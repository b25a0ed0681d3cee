"""Values of arguments: each is checked while the command line is read, before any work."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from ..files.fields import MAX_CHARACTERS

MAX_WHOLE = 10**9
"""Largest whole number of an argument: more frames, motions or threads than any machine has room for."""

MIN_RATE, MAX_RATE = 1.0, 1000.0
"""Lowest and highest rate of files that are written, in frames a second."""


def whole(text: str) -> int:
    """A whole number, negative or not, of at most MAX_WHOLE."""
    digits = text.strip().removeprefix("-")
    if not digits.isdecimal() or len(digits) > len(str(MAX_WHOLE)) or int(digits) > MAX_WHOLE:
        raise argparse.ArgumentTypeError(f"“{shortened(text)}” is not a whole number from -{MAX_WHOLE} to {MAX_WHOLE}")
    return int(text)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    return _between(text, 1, MAX_WHOLE)


def seed(text: str) -> int:
    """A seed of 32 bits."""
    return _between(text, 0, 2**32 - 1)


def _between(text: str, low: int, high: int) -> int:
    if not text.isdecimal() or len(text) > len(str(high)) or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"“{shortened(text)}” is not a whole number from {low} to {high}")
    return int(text)


def rate(text: str) -> float:
    """A rate in frames a second."""
    value = _number(text)
    if not MIN_RATE <= value <= MAX_RATE:
        low, high = f"{MIN_RATE:g}", f"{MAX_RATE:g}"
        raise argparse.ArgumentTypeError(f"“{shortened(text)}” is not a rate from {low} to {high} frames a second")
    return value


def factor(text: str) -> float:
    """A number above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"“{shortened(text)}” is not a number above 0")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def model_file(text: str) -> Path:
    """A path that ends in the name of a file; “.” and “/” do not."""
    path = Path(text)
    if not path.name:
        raise argparse.ArgumentTypeError(f"“{text}” is a folder; it must name the model file to write")
    return path


def model_name(text: str) -> str:
    """A name that model files take."""
    if len(text) > MAX_CHARACTERS:
        raise argparse.ArgumentTypeError(f"“{shortened(text)}” has more than {MAX_CHARACTERS} characters")
    return text


def shortened(text: str, most: int = 40) -> str:
    """Return a text for a message, cut where it is long."""
    return text if len(text) <= most else f"{text[:most]}…"
