"""Number of threads that OpenBLAS, by which most builds of numpy multiply, uses for one product.

Set by ctypes. The library for this, threadpoolctl, runs `ldconfig`, and Riff starts no program that the user did not
ask for.
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

PREFIXES, SUFFIXES = ("", "scipy_"), ("", "64_", "_64")
"""Prefixes and suffixes of function names in builds of OpenBLAS."""


class Threads(NamedTuple):
    """Two functions of a library that multiplies matrices."""

    get: Callable[[], int]
    set: Callable[[int], object]


class OneThread:
    """Holds the number, which the whole process shares, at one as long as somebody wants that."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._before = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """One thread inside the block; afterwards, if nobody else is inside one, as many as before."""
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


@lru_cache
def openblas() -> Threads | None:
    """The OpenBLAS that numpy has loaded; None where it has another library or none."""
    for path in _loaded():
        try:
            found = _functions(ctypes.CDLL(path))
        except (OSError, UnicodeError):
            continue  # not to be loaded, or where Python 3.11 cannot even say that it lacks a function
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
    """Files called OpenBLAS: what this process has in memory or, where nobody tells, what came with numpy's wheel."""
    try:
        # Folders of any name, which need be no UTF-8.
        text = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        text = ""  # not Linux, or a Linux that keeps this to itself
    loaded = {line.split(maxsplit=5)[5].strip() for line in text.splitlines() if "openblas" in line}
    if loaded:
        return sorted(loaded)
    folder = Path(np.__file__).parent
    beside = (folder.parent / "numpy.libs", folder / ".dylibs", folder / ".libs")
    return sorted(str(path) for place in beside for path in place.glob("*openblas*"))


Item = TypeVar("Item")


Result = TypeVar("Result")


_numpy_alone = OneThread()


def usable_cores() -> int:
    """Processor cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def working_cores() -> int:
    """Cores to work on side by side: one is left to Blender where there are three or more."""
    cores = usable_cores()
    return cores - 1 if cores > 2 else cores


@contextmanager
def one_thread() -> Iterator[None]:
    """Let each product inside the block be computed by one thread: waking a second costs more than it does."""
    with _numpy_alone.held(), _torch_alone():
        yield


@contextmanager
def _torch_alone() -> Iterator[None]:
    """PyTorch, where it is loaded, with one thread in the thread that calls."""
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


def on_all_cores(call: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The results of a call for each item, in their order; every core works on one at a time."""
    workers = min(len(items), working_cores())
    if workers < 2:
        with one_thread():
            return [call(item) for item in items]
    with one_thread(), ThreadPoolExecutor(workers, "riff-work", _begin_thread) as pool:
        return list(pool.map(call, items))


def _begin_thread() -> None:
    """PyTorch keeps the number of threads for each thread that calls it."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
