"""Short filters over time with fewer products: Winograd's minimal filtering, made by the Toom-Cook construction.

A filter of r taps gives m neighbouring outputs from n = m + r - 1 inputs, which plainly takes m·r multiplications. As
y = Aᵀ[(G w) ∘ (Bᵀ x)] it takes n, where ∘ goes element by element: for r = 5 and m = 4, 8 instead of 20 (Winograd,
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
"""Where polynomials are evaluated, besides at infinity. With these, single precision keeps results to 1e-6."""

TILE = 4


@dataclass(frozen=True, eq=False)
class MinimalFilter:
    """Matrices of one size of filter: `inputs` is Bᵀ (n, n), `taps` is G (n, r), `outputs` is Aᵀ (m, n)."""

    inputs: NDArray[np.float32]
    taps: NDArray[np.float32]
    outputs: NDArray[np.float32]

    @property
    def tile(self) -> int:
        """m, the outputs that are made together."""
        return len(self.outputs)

    @property
    def reads(self) -> int:
        """n, the inputs that these depend on, and the products that they take."""
        return len(self.inputs)

    @cached_property
    def constant(self) -> int:
        """The product that all outputs get as it is: what is added to it is added to all of them."""
        return int(np.flatnonzero((self.outputs == 1.0).all(0))[0])


@lru_cache
def minimal_filter(kernel: int) -> MinimalFilter:
    """Matrices for filters of `kernel` taps; where points run out, plain filtering in the same form with m = 1."""
    reads = TILE + kernel - 1
    if kernel == 1 or reads - 1 > len(POINTS):
        one = np.eye(kernel, dtype=np.float32)
        return MinimalFilter(one, one, np.ones((1, kernel), dtype=np.float32))
    outputs, taps, whole = (_evaluation(reads, size) for size in (TILE, kernel, reads))
    # The transpose of evaluation, then product, then interpolation: what multiplies polynomials filters signals.
    inputs = np.linalg.inv(whole.astype(np.float64)).T
    # Factors that cancel, so that no row is much larger than another and nothing is lost by rounding.
    even = np.sqrt(np.linalg.norm(inputs, axis=1) / np.linalg.norm(taps.astype(np.float64), axis=1))[:, None]
    return MinimalFilter(
        _single(inputs / even), _single(taps.astype(np.float64) * even), _single(outputs.T.astype(np.float64))
    )


def _evaluation(rows: int, size: int) -> NDArray[np.object_]:
    """Values of 1, x, …, x^(size-1) at rows - 1 points and at infinity, where only the last one counts."""
    values = [[point**power for power in range(size)] for point in POINTS[: rows - 1]]
    return np.array([*values, [Fraction(0)] * (size - 1) + [Fraction(1)]], dtype=object)


def _single(matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(matrix, dtype=np.float32)
