"""Memory of a training: settings of glibc's allocator, and errors of full memory as MemoryError."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

M_ARENA_MAX = -8
"""Number of this setting in glibc's malloc.h."""

OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "can't start new thread",
    "bad_alloc",
)
"""Parts of the messages of full memory: of CUDA, PyTorch's CPU allocator, the system and Python."""


def limit_malloc_arenas() -> None:
    """Limit malloc to one arena for all threads of this process, which saves a training a sixth of its peak.

    For processes of Riff alone, before they have many threads; Blender sets its own allocator.
    """
    choose = _of_glibc("mallopt")
    if choose is not None:
        choose(M_ARENA_MAX, 1)


def trim_malloc() -> None:
    """Return unused memory of this process to the system, where the allocator must be asked (glibc); in any thread."""
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _of_glibc(name: str) -> Any:
    """Return a function of glibc; None on other systems and with musl, which keeps no unused memory."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether a device's memory was full; PyTorch has a class for it on some devices only."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, (RuntimeError, OSError)) and any(
        words in str(error).lower() for words in OUT_OF_MEMORY_WORDS
    )


@contextmanager
def as_memory_error() -> Iterator[None]:
    """Convert errors of PyTorch and the system about full memory to MemoryError."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or not is_out_of_memory(error):
            raise
        raise MemoryError(str(error)) from error
