"""Principal components: what varies in rows of numbers, as few of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Components:
    """Components of rows (T, C): (rows - middle) @ basis, with `middle` (C,) and `basis` (C, K)."""

    middle: Numbers
    basis: Numbers

    @staticmethod
    def of(rows: Numbers, share: float, most: int) -> Components:
        """The fewest components of rows (T, C), at most `most`, that hold a share of their variance."""
        middle = rows.mean(0)
        apart = rows - middle
        values, vectors = np.linalg.eigh(apart.T @ apart)
        held = np.cumsum(values[::-1]) / max(float(values.sum()), 1e-12)
        count = min(int(np.searchsorted(held, share)) + 1, most, len(values))
        return Components(middle, np.ascontiguousarray(vectors[:, ::-1][:, :count]))

    def tell(self, rows: Numbers) -> Numbers:
        """Rows (T, C) as (T, K)."""
        return (rows - self.middle) @ self.basis
