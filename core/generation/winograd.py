"""Winograd's minimal filtering, short filters with fewer products, by the Toom-Cook construction.

A filter of r taps computes m neighbouring outputs from n = m + r - 1 inputs, directly by m·r multiplications. As
y = Aᵀ[(G w) ∘ (Bᵀ x)], with ∘ the element-wise product, it takes n: 8 instead of 20 for r = 5 and m = 4 (Winograd,
“Arithmetic Complexity of Computations”, 1980; Lavin and Gray, arXiv:1509.09308, for networks). For layers, ∘ becomes n
matrix products on rows a quarter as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

POINTS = tuple(map(Fraction, ("0", "1", "-1", "2", "-2", "1/2", "-1/2")))
"""Evaluation points besides infinity; with these, results in single precision are accurate to 1e-6."""

TILE = 4
"""Outputs m of a tile."""


@dataclass(frozen=True, eq=False)
class MinimalFilter:
    """Matrices for filters of r taps: `inputs` Bᵀ (n, n), `taps` G (n, r), `outputs` Aᵀ (m, n)."""

    inputs: NDArray[np.float32]
    taps: NDArray[np.float32]
    outputs: NDArray[np.float32]

    @property
    def tile(self) -> int:
        """Outputs m of a tile."""
        return len(self.outputs)

    @property
    def reads(self) -> int:
        """Inputs n of a tile, and its number of products."""
        return len(self.inputs)

    @cached_property
    def constant(self) -> int:
        """Index of the product that enters all outputs with factor 1; a bias added to it reaches all outputs."""
        return int(np.flatnonzero((self.outputs == 1.0).all(0))[0])


@lru_cache
def minimal_filter(kernel: int) -> MinimalFilter:
    """Return the matrices for filters of `kernel` taps; for large kernels those of direct filtering, m = 1."""
    reads = TILE + kernel - 1
    if kernel == 1 or reads - 1 > len(POINTS):
        one = np.eye(kernel, dtype=np.float32)
        return MinimalFilter(one, one, np.ones((1, kernel), dtype=np.float32))
    outputs, taps, whole = (_evaluation(reads, size) for size in (TILE, kernel, reads))
    # Transposing Toom-Cook multiplication (evaluate, multiply, interpolate) gives a filter.
    inputs = np.linalg.inv(whole.astype(np.float64)).T
    # Scale rows by factors that cancel, so that they are of similar size and rounding errors stay small.
    even = np.sqrt(np.linalg.norm(inputs, axis=1) / np.linalg.norm(taps.astype(np.float64), axis=1))[:, None]
    return MinimalFilter(
        _single(inputs / even), _single(taps.astype(np.float64) * even), _single(outputs.T.astype(np.float64))
    )


def _evaluation(rows: int, size: int) -> NDArray[np.object_]:
    """Return 1, x, …, x^(size-1) at rows - 1 points and at infinity (only the last power), as (rows, size)."""
    values = [[point**power for power in range(size)] for point in POINTS[: rows - 1]]
    return np.array([*values, [Fraction(0)] * (size - 1) + [Fraction(1)]], dtype=object)


def _single(matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(matrix, dtype=np.float32)
