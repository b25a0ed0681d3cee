"""Processor cores: how many there are for Riff, and one piece of work on each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


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


class _NumpyAlone:
    """What numpy multiplies with, which has one number of threads for the whole process: held at one while in use."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._limit: Any = None

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            self._users += 1
            libraries = _blas_libraries()
            if self._limit is None and libraries is not None:
                self._limit = libraries.limit(limits=1)
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users and self._limit is not None:
                    self._limit.restore_original_limits()
                    self._limit = None


_numpy_alone = _NumpyAlone()


@lru_cache
def _blas_libraries() -> Any:
    """The libraries that multiply matrices here, looked up once; None without threadpoolctl, which may be missing."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")


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
