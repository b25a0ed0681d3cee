"""OpenBLAS as the library that Riff brings (the package scipy-openblas32), called by ctypes.

A call lets go of Python's lock and uses one thread: work is spread over cores by samples, not inside a product.
"""

from __future__ import annotations

import ctypes
import importlib.util
from dataclasses import dataclass
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

MAX_PLANS = 4000
"""Plans that are kept: those of the layers of some models at some dozens of lengths."""

_Layout = tuple[tuple[int, ...], ...]
"""Shapes and strides of two factors and their product."""


@dataclass(frozen=True)
class _Plan:
    """Calls of the library for arrays of one layout; looking at their strides takes longer than a small product."""

    head: tuple[float, ...]
    """The form of both factors, their sizes and the factor 1."""

    rows: tuple[int, int, int]
    """Numbers from one row to the next in the factors and the product."""

    steps: tuple[int, int, int]
    """Numbers from one matrix to the next of those that are multiplied in one call."""

    count: int
    """Matrices of one call; 0 for calls of one matrix each."""

    offsets: tuple[tuple[int, int, int], ...]
    """Bytes from the beginnings of the arrays, for each call."""


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
        self._plans: dict[_Layout, _Plan] = {}

    def multiply(self, a: Numbers, b: Numbers, out: Numbers | None = None) -> Numbers:
        """Return a @ b for float32 arrays of two or more axes, whatever their strides; `out` may not overlap them.

        Raises ValueError for shapes that do not fit.
        """
        if out is None:
            batch = a.shape[:-2] if a.shape[:-2] == b.shape[:-2] else np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
            out = np.empty((*batch, a.shape[-2], b.shape[-1]), np.float32)
        layout = (a.shape, b.shape, out.shape, a.strides, b.strides, out.strides)
        plan = self._plans.get(layout)
        if plan is None:
            plan = self._plan(a, b, out)
            if plan is None:  # one of them has to be copied
                result = self.multiply(_readable(a), _readable(b), out if _has_rows(out) else None)
                if result is not out:
                    out[...] = result
                return out
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            self._plans[layout] = plan
        self._run(plan, a, b, out)
        return out

    def _plan(self, a: Numbers, b: Numbers, out: Numbers) -> _Plan | None:
        """Return the calls for arrays laid out like these; None where the library cannot read or write one.

        Raises ValueError for shapes that do not fit.
        """
        rows, inner, columns = a.shape[-2], a.shape[-1], b.shape[-1]
        if b.shape[-2] != inner:
            raise ValueError(f"matrices {a.shape} and {b.shape} do not fit")
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        if out.shape != (*batch, rows, columns):
            raise ValueError(f"a product of shape {(*batch, rows, columns)} does not fit {out.shape}")
        if not out.size or not inner:
            return _Plan((), (0, 0, 0), (0, 0, 0), 0, ())
        x, y = np.broadcast_to(a, (*batch, rows, inner)), np.broadcast_to(b, (*batch, inner, columns))
        left, right = _form(x), _form(y)
        if left is None or right is None or not _has_rows(out):
            return None
        # The matrices of the longest axis are multiplied in one call, where the library can.
        axis = max(range(len(batch)), key=lambda k: batch[k]) if self._many is not None and prod(batch) > 1 else None

        def start(array: Numbers, place: tuple[int, ...]) -> int:
            return sum(index * step for index, step in zip(place, array.strides, strict=False))

        def step(array: Numbers) -> int:
            return 0 if axis is None else array.strides[axis] // ITEM_BYTES

        places = np.ndindex(*(1 if number == axis else count for number, count in enumerate(batch)))
        return _Plan(
            (ROW_MAJOR, left[0], right[0], rows, columns, inner, 1.0),
            (left[1], right[1], max(out.strides[-2] // ITEM_BYTES, columns)),
            (step(x), step(y), step(out)),
            0 if axis is None else batch[axis],
            tuple((start(x, place), start(y, place), start(out, place)) for place in places),
        )

    def _run(self, plan: _Plan, a: Numbers, b: Numbers, out: Numbers) -> None:
        """Multiply arrays of a plan's layout."""
        if not a.shape[-1]:
            out[...] = 0.0
        left, right, result = (array.__array_interface__["data"][0] for array in (a, b, out))
        (left_row, right_row, row), (left_step, right_step, step) = plan.rows, plan.steps
        for left_offset, right_offset, offset in plan.offsets:
            x, y, z = left + left_offset, right + right_offset, result + offset
            if self._many is None or not plan.count:
                self._one(*plan.head, x, left_row, y, right_row, 0.0, z, row)
            else:
                self._many(*plan.head, x, left_row, left_step, y, right_row, right_step, 0.0, z, row, step, plan.count)


def _has_rows(array: Numbers) -> bool:
    """Return whether the library can write an array: rows of neighbours that do not overlap, steps of whole numbers."""
    columns, (row, column) = array.shape[-1], array.strides[-2:]
    steps = all(step > 0 and step % ITEM_BYTES == 0 for step in array.strides[:-2])
    return steps and (column == ITEM_BYTES or columns == 1) and row % ITEM_BYTES == 0 and row >= columns * ITEM_BYTES


def _form(array: Numbers) -> tuple[int, int] | None:
    """Return how the library reads a batch of matrices, PLAIN or TRANSPOSED, and the numbers from one row to the next;
    None if it cannot.
    """
    (rows, columns), (row, column) = array.shape[-2:], array.strides[-2:]
    if any(step < 0 or step % ITEM_BYTES for step in array.strides):
        return None
    # The stride of an axis of length 1 says nothing; numpy sets it to 0 where it repeats other axes.
    if (column == ITEM_BYTES or columns == 1) and (row >= columns * ITEM_BYTES or rows == 1):
        return PLAIN, max(row // ITEM_BYTES, columns)
    if (row == ITEM_BYTES or rows == 1) and (column >= rows * ITEM_BYTES or columns == 1):
        return TRANSPOSED, max(column // ITEM_BYTES, rows)
    return None


def _readable(array: Numbers) -> Numbers:
    """Return an array that the library can read: itself, or a copy."""
    return array if _form(array) is not None else np.array(array, order="C")


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
