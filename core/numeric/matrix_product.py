"""Products of float32 matrices: those of the OpenBLAS that Riff brings, else numpy's own.

Blender from blender.org has a numpy without a BLAS, whose products take ten times as long and more. The library is
taken wherever it is found, also where numpy has a BLAS: a seed then gives the same variation in each Blender, however
busy the machine is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .openblas import load_openblas

Numbers = NDArray[np.float32]

Product: TypeAlias = Callable[..., Any]
"""Function of two arrays and `out`, such as np.matmul."""

MEASURED_SHAPE = (64, 96, 160)
"""Rows, inner length and columns of the measured product, like those of generating; half a millisecond without BLAS."""

MEASURED_TIMES = 3
"""Measurements of a product, of which the fastest counts."""

SLOW_SECONDS = 0.25e-3
"""Time of the measured product from which numpy counts as slow where there is no library to compare it with."""


def matrix_product(a: NDArray[Any], b: NDArray[Any], out: Numbers | None = None) -> Numbers:
    """Return a @ b, also for batches and any strides; float32 by the library where there is one, others by numpy.

    `out` must not overlap the factors. Raises ValueError for shapes that do not fit.
    """
    ours = a.dtype == b.dtype == np.float32 and a.ndim >= 2 and b.ndim >= 2
    result: Numbers = (chosen_product() if ours else np.matmul)(a, b, out=out)
    return result


@lru_cache
def chosen_product() -> Product:
    """Return the library's function, or numpy's where Riff's library is missing."""
    library = load_openblas()
    return np.matmul if library is None else library.multiply


@lru_cache
def products_are_fast() -> bool:
    """Return whether products run at the speed of a BLAS, numpy's or the one that Riff brings.

    Times are only taken where there is no library to fall back on: a busy machine would call any numpy slow.
    """
    return load_openblas() is not None or best_seconds(np.matmul) < SLOW_SECONDS


def best_seconds(product: Product) -> float:
    """Return the least time of a product in several measurements."""
    rows, inner, columns = MEASURED_SHAPE
    a, b = np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32)
    out = np.empty((rows, columns), np.float32)
    product(a, b, out=out)  # the first call of a library sets it up
    seconds = []
    for _ in range(MEASURED_TIMES):
        started = time.perf_counter()
        product(a, b, out=out)
        seconds.append(time.perf_counter() - started)
    return min(seconds)
