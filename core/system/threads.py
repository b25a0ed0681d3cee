"""Threads: work on all cores, with one thread for each matrix product.

OpenBLAS, by which most builds of numpy multiply, is set by ctypes. The library for this, threadpoolctl, runs
`ldconfig`, and Riff starts no program that the user did not ask for.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeVar

import numpy as np

Item = TypeVar("Item")
Result = TypeVar("Result")

PREFIXES, SUFFIXES = ("", "scipy_"), ("", "64_", "_64")
"""Prefixes and suffixes of function names in builds of OpenBLAS."""


class Threads(NamedTuple):
    """Functions of OpenBLAS that get and set the number of threads."""

    get: Callable[[], int]
    set: Callable[[int], object]


class OneThread:
    """Reference-counted context manager that sets the process-wide number of OpenBLAS threads to 1."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._before = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Use one thread inside the block; restore the number after the last of several blocks."""
        threads = openblas()
        if threads is None:
            yield
            return
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = threads.get()
                threads.set(1)
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    threads.set(self._before)


_numpy_alone = OneThread()


@lru_cache
def openblas() -> Threads | None:
    """Return the OpenBLAS that numpy has loaded; None where it has another library or none."""
    for path in _loaded():
        try:
            found = _functions(ctypes.CDLL(path))
        except (OSError, UnicodeError):
            continue  # it cannot be loaded, or Python 3.11 cannot encode the name of a missing function
        if found is not None:
            return found
    return None


def _functions(library: ctypes.CDLL) -> Threads | None:
    for prefix, suffix in itertools.product(PREFIXES, SUFFIXES):
        names = (f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set"))
        get, put = (getattr(library, name, None) for name in names)
        if get is not None and put is not None:
            put.argtypes, put.restype = (ctypes.c_int,), None
            return Threads(get, put)
    return None


def _loaded() -> list[str]:
    """Return the OpenBLAS files in this process's memory or, where the system does not tell, of numpy's wheel."""
    try:
        # Names of folders need not be UTF-8.
        text = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        text = ""  # not Linux, or a Linux that hides it
    loaded = {line.split(maxsplit=5)[5].strip() for line in text.splitlines() if "openblas" in line}
    if loaded:
        return sorted(loaded)
    folder = Path(np.__file__).parent
    beside = (folder.parent / "numpy.libs", folder / ".dylibs", folder / ".libs")
    return sorted(str(path) for place in beside for path in place.glob("*openblas*"))


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def working_cores() -> int:
    """Return the number of cores to work on; one is left to Blender where there are three or more."""
    cores = usable_cores()
    return cores - 1 if cores > 2 else cores


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread for each product inside the block: waking a second one costs more than it saves."""
    with _numpy_alone.held(), _torch_alone():
        yield


@contextmanager
def _torch_alone() -> Iterator[None]:
    """Use one thread of PyTorch, where it is loaded, in the calling thread."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_all_cores(call: Callable[[Item], Result], items: Sequence[Item], *, most: int | None = None) -> list[Result]:
    """Return the results of a call for each item, in order; each core, `most` of them, works on one item at a time.

    Calls of many short steps, which hold Python's lock, are quicker on one core.
    """
    workers = min(len(items), most or working_cores())
    if workers < 2:
        with one_thread():
            return [call(item) for item in items]
    with one_thread(), ThreadPoolExecutor(workers, "riff-work", _begin_thread) as pool:
        return list(pool.map(call, items))


def _begin_thread() -> None:
    """Set PyTorch to one thread; it keeps the number for each calling thread."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
