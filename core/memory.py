"""Giving memory back: glibc keeps what many short-lived tensors leave behind, gigabytes over a training."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable


@functools.cache
def _trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none


def release_memory() -> None:
    """Hand free memory of the C library back to the system, where it does not do so by itself (Linux with glibc)."""
    trim = _trim()
    if trim is not None:
        trim(0)
