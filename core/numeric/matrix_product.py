"""Products of float32 matrices: numpy's own where it has a fast BLAS, else those of the OpenBLAS that Riff brings.

Blender from blender.org has a numpy without a BLAS, whose products take ten times as long and more. Which is faster is
measured once, at the first product, since names of builds do not tell.
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

SLOW_FACTOR = 3.0
"""Times that numpy's product has to take longer than the library's to be replaced: far more than chance does."""

MEASURED_SHAPE = (64, 96, 160)
"""Rows, inner length and columns of the measured product, like those of generating; half a millisecond without BLAS."""

MEASURED_TIMES = 3
"""Measurements of a product, of which the fastest counts."""

SLOW_SECONDS = 0.25e-3
"""Time of the measured product from which numpy counts as slow where there is no library to compare it with."""


def matrix_product(a: NDArray[Any], b: NDArray[Any], out: Numbers | None = None) -> Numbers:
    """Return a @ b, also for batches and any strides; float32 by the faster library, other numbers by numpy.

    `out` must not overlap the factors. Raises ValueError for shapes that do not fit.
    """
    ours = a.dtype == b.dtype == np.float32 and a.ndim >= 2 and b.ndim >= 2
    result: Numbers = (chosen_product() if ours else np.matmul)(a, b, out=out)
    return result


@lru_cache
def chosen_product() -> Product:
    """Return the function that multiplies fastest here, measured once."""
    library = load_openblas()
    if library is None or best_seconds(np.matmul) <= SLOW_FACTOR * best_seconds(library.multiply):
        return np.matmul
    return library.multiply


@lru_cache
def products_are_fast() -> bool:
    """Return whether products run at the speed of a BLAS, numpy's or the one that Riff brings."""
    product = chosen_product()
    return product is not np.matmul or best_seconds(np.matmul) < SLOW_SECONDS


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
