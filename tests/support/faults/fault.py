"""Faults of the soak, and the outcome of a single attempt."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def patience() -> float:
    """Factor of all limits of time, for slow and busy machines: RIFF_SOAK_PATIENCE, 1 where it is unset."""
    return float(os.environ.get("RIFF_SOAK_PATIENCE", "1"))


class Lost(AssertionError):
    """The fault was survived, but something of the user's was lost; the message says what."""


class NotHere(Exception):
    """This machine cannot make the fault happen (no right to mount, a package missing); the message says why."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, tried `times` times in the whole soak.

    `attempt` gets a seed and an empty folder of its own. It returns where the fault was survived, with what there is to
    show of it or None, raises Lost where
    something was lost, NotHere where it cannot be tried, and anything else where it was not survived. An attempt
    that takes over `limit` seconds (times `patience`), or that ends the process, was not survived either.
    """

    name: str
    attempt: Callable[[int, Path], str | None]
    times: int
    limit: float = 180.0
