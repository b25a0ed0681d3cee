"""Principal components: the variance that is asked for, and the same basis whatever library finds it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.matching.components import Components


@pytest.fixture
def rows() -> np.ndarray:
    random = np.random.default_rng(0)
    return (random.normal(size=(200, 12)) * np.linspace(1.0, 4.0, 12)).astype(np.float32)


def test_as_many_components_as_the_variance_takes(rows: np.ndarray) -> None:
    found = Components.fit(rows, 0.9, 24)
    values = np.sort(np.linalg.eigvalsh(np.cov(rows.T)))[::-1]
    wanted = int(np.searchsorted(np.cumsum(values) / values.sum(), 0.9)) + 1
    assert found.basis.shape == (12, wanted)
    np.testing.assert_allclose(found.basis.T @ found.basis, np.eye(wanted), atol=1e-5)
    np.testing.assert_allclose(found.project(rows).var(0), values[:wanted] * 199 / 200, rtol=1e-3)
    assert Components.fit(rows, 0.9, 3).basis.shape == (12, 3)


def test_fewer_rows_than_columns_have_the_same_components() -> None:
    rows = np.random.default_rng(1).normal(size=(20, 50)).astype(np.float32) * np.linspace(1.0, 4.0, 50)
    found = Components.fit(rows.astype(np.float32), 0.9, 24)
    _, vectors = np.linalg.eigh(np.cov(rows.T))
    count = found.basis.shape[1]
    assert 5 < count < 20
    np.testing.assert_allclose(np.abs(found.basis.T @ vectors[:, ::-1][:, :count]), np.eye(count), atol=1e-4)
    still = Components.fit(np.ones((20, 50), dtype=np.float32), 0.9, 24)
    np.testing.assert_array_equal(still.project(rows.astype(np.float32)), 0.0)


def test_signs_do_not_depend_on_the_library(rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    found, eigh = Components.fit(rows, 1.0, 24), np.linalg.eigh

    def other(matrix: Any) -> Any:
        values, vectors = eigh(matrix)
        return values, vectors * np.where(np.arange(vectors.shape[1]) % 2, -1.0, 1.0)

    monkeypatch.setattr(np.linalg, "eigh", other)
    np.testing.assert_array_equal(Components.fit(rows, 1.0, 24).basis, found.basis)
