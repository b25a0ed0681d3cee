"""Memory that was freed goes back to the system: glibc keeps what threads of a training had, a hundred megabytes."""

from __future__ import annotations

import ctypes
import sys


def return_freed_memory() -> None:
    """Give back what this process no longer uses, where its allocator must be asked (glibc); any thread may ask."""
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none, and keeps nothing
    if trim is not None:
        trim(0)
