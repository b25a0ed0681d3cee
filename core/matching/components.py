"""Principal components of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..numeric.matrix_product import matrix_product

Numbers = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of rows (T, C): (rows - mean) @ basis, with `mean` (C,) and `basis` (C, K)."""

    mean: Numbers
    basis: Numbers

    @staticmethod
    def fit(rows: Numbers, variance_share: float, max_count: int) -> Components:
        """Return the fewest components of rows (T, C), at most `max_count`, that hold a share of the variance."""
        mean = rows.mean(0)
        centred = rows - mean
        few = len(rows) < rows.shape[1]
        # Of fewer rows than columns, the matrix of the rows' products has the same values and is the smaller one.
        squares = matrix_product(centred, centred.T) if few else matrix_product(centred.T, centred)
        values, vectors = np.linalg.eigh(squares.astype(np.float64))
        shares = np.cumsum(values[::-1]) / max(float(values.sum()), 1e-12)
        count = min(int(np.searchsorted(shares, variance_share)) + 1, max_count, len(values))
        basis = vectors[:, ::-1][:, :count]
        if few:
            basis = centred.T.astype(np.float64) @ basis
            basis = basis / np.maximum(np.linalg.norm(basis, axis=0), np.finfo(np.float32).tiny)
        # The sign is a matter of the library: with the largest entry positive, noise has the same effect anywhere.
        basis = basis * np.sign(basis[np.abs(basis).argmax(0), np.arange(count)])
        return Components(mean, np.ascontiguousarray(basis, dtype=np.float32))

    def project(self, rows: Numbers) -> Numbers:
        """Return the components (..., T, K) of rows (..., T, C)."""
        return matrix_product(rows - self.mean, self.basis)
