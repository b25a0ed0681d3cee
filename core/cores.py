"""Processor cores: how many there are for Riff, and one piece of work on each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from .blas_threads import OneThread

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
