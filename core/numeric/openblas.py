"""OpenBLAS as the library that Riff brings (the package scipy-openblas32), called by ctypes.

A call lets go of Python's lock and uses one thread: work is spread over cores by samples, not inside a product.
"""

from __future__ import annotations

import ctypes
import importlib.util
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]

ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112
"""Numbers of the C interface: rows one after the other, a matrix as it is, and transposed."""

NAMES = ("libscipy_openblas.so", "libscipy_openblas.dylib", "libscipy_openblas.dll")
"""File names of the library, of which a platform has one."""

ITEM_BYTES = 4
"""Bytes of a float32."""

_Matrix = tuple[NDArray[np.float32], int, int]
"""A batch of matrices with PLAIN or TRANSPOSED, and the numbers from one row to the next."""


class OpenBlas:
    """Products of float32 matrices by a loaded library. Raises AttributeError for a library without them."""

    def __init__(self, library: Any) -> None:
        i, f, p = ctypes.c_int, ctypes.c_float, ctypes.c_void_p
        self._one = library.scipy_cblas_sgemm
        self._one.argtypes, self._one.restype = [i, i, i, i, i, i, f, p, i, p, i, f, p, i], None
        # The build for Macs with Intel is older and lacks this one.
        self._many = getattr(library, "scipy_cblas_sgemm_batch_strided", None)
        if self._many is not None:
            self._many.argtypes, self._many.restype = [i, i, i, i, i, i, f, p, i, i, p, i, i, f, p, i, i, i], None
        library.scipy_openblas_set_num_threads(1)

    def multiply(self, a: Numbers, b: Numbers, out: Numbers | None = None) -> Numbers:
        """Return a @ b for float32 arrays of two or more axes, whatever their strides; `out` may not overlap them.

        Raises ValueError for shapes that do not fit.
        """
        rows, inner, columns = a.shape[-2], a.shape[-1], b.shape[-1]
        if b.shape[-2] != inner:
            raise ValueError(f"matrices {a.shape} and {b.shape} do not fit")
        batch = a.shape[:-2]
        if batch != b.shape[:-2]:
            batch = np.broadcast_shapes(batch, b.shape[:-2])
            a, b = np.broadcast_to(a, (*batch, rows, inner)), np.broadcast_to(b, (*batch, inner, columns))
        shape = (*batch, rows, columns)
        if out is not None and out.shape != shape:
            raise ValueError(f"a product of shape {shape} does not fit {out.shape}")
        result = np.empty(shape, np.float32) if out is None else out
        if not inner:
            result[...] = 0.0
        if not result.size or not inner:
            return result
        target = result if _strides_of_rows(result) else np.empty(shape, np.float32)
        self._multiply(_prepared(a), _prepared(b), target, (rows, columns, inner))
        if target is not result:
            result[...] = target
        return result

    def _multiply(self, a: _Matrix, b: _Matrix, out: Numbers, sizes: tuple[int, int, int]) -> None:
        """Multiply all matrices of a batch, those of its longest axis in one call where the library can."""
        (left, left_form, left_row), (right, right_form, right_row) = a, b
        batch, out_row = out.shape[:-2], out.strides[-2] // ITEM_BYTES
        starts = [array.__array_interface__["data"][0] for array in (left, right, out)]
        forms = (ROW_MAJOR, left_form, right_form, *sizes, 1.0)
        axis = max(range(len(batch)), key=lambda k: batch[k]) if self._many is not None and prod(batch) > 1 else None
        for place in np.ndindex(*(1 if number == axis else count for number, count in enumerate(batch))):
            at = [
                start + sum(index * step for index, step in zip(place, array.strides, strict=False))
                for start, array in zip(starts, (left, right, out), strict=True)
            ]
            if axis is None or self._many is None:
                self._one(*forms, at[0], left_row, at[1], right_row, 0.0, at[2], out_row)
                continue
            steps = [array.strides[axis] // ITEM_BYTES for array in (left, right, out)]
            factors = (at[0], left_row, steps[0], at[1], right_row, steps[1])
            self._many(*forms, *factors, 0.0, at[2], out_row, steps[2], batch[axis])


def _strides_of_rows(array: Numbers) -> bool:
    """Return whether the library can write an array: rows of neighbours that do not overlap, steps of whole numbers."""
    columns, (row, column) = array.shape[-1], array.strides[-2:]
    steps = all(step > 0 and step % ITEM_BYTES == 0 for step in array.strides[:-2])
    return steps and (column == ITEM_BYTES or columns == 1) and row % ITEM_BYTES == 0 and row >= columns * ITEM_BYTES


def _prepared(array: Numbers) -> _Matrix:
    """Return a batch of matrices as the library reads them, copied only where it cannot."""
    (rows, columns), (row, column) = array.shape[-2:], array.strides[-2:]
    if all(step >= 0 and step % ITEM_BYTES == 0 for step in array.strides):
        if column == ITEM_BYTES and row >= columns * ITEM_BYTES:
            return array, PLAIN, row // ITEM_BYTES
        if row == ITEM_BYTES and column >= rows * ITEM_BYTES:
            return array, TRANSPOSED, column // ITEM_BYTES
    copied = np.ascontiguousarray(array)
    return copied, PLAIN, max(columns, 1)


@lru_cache
def load_openblas() -> OpenBlas | None:
    """Return the library that Riff brings; None where it is missing, or cannot be loaded on this machine."""
    try:
        found = importlib.util.find_spec("scipy_openblas32")
    except (ImportError, ValueError):
        return None  # a finder of another extension refuses
    for place in (found.submodule_search_locations or ()) if found else ():
        for name in NAMES:
            path = Path(place) / "lib" / name
            if path.is_file():
                try:
                    return OpenBlas(ctypes.CDLL(str(path)))
                except (OSError, AttributeError):
                    return None  # for another system, or without the functions
    return None
