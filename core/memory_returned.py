"""What glibc does with the memory of a training: it keeps what was freed, and each thread some of its own."""

from __future__ import annotations

import ctypes
import sys

M_ARENA_MAX = -8
"""The number of this setting in glibc's malloc.h."""


def share_one_arena() -> None:
    """Let all threads of this process take memory from one place, which saves a training a sixth of its peak.

    For processes of Riff's own, before they have many threads: a Blender decides on its memory by itself.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if choose is not None:
        choose(M_ARENA_MAX, 1)


def return_freed_memory() -> None:
    """Give back what this process no longer uses, where its allocator must be asked (glibc); any thread may ask."""
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none, and keeps nothing
    if trim is not None:
        trim(0)
