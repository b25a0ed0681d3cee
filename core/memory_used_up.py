"""How Python, PyTorch and the system say that memory is used up, in one way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory", "can't start new thread", "bad_alloc")
"""What is said where memory is used up: by graphics cards, by PyTorch's processor, by the system, by Python."""


def ran_out(error: BaseException) -> bool:
    """Whether a device's memory was used up; PyTorch has a class of its own for it on some devices only."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, (RuntimeError, OSError)) and any(words in str(error).lower() for words in WORDS)


@contextmanager
def told_as_memory_error() -> Iterator[None]:
    """What PyTorch and the system raise where memory is used up becomes a MemoryError."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or not ran_out(error):
            raise
        raise MemoryError(str(error)) from error
