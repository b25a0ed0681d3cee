"""The OpenBLAS of the zip in Blender: unpacked with the extension, loaded, and as right as numpy's products."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np


def test_the_zips_library_multiplies(riff: ModuleType) -> None:
    numeric = f"{riff.__name__}.core.numeric"
    openblas, products = (importlib.import_module(f"{numeric}.{name}") for name in ("openblas", "matrix_product"))
    library = openblas.load_openblas()
    assert library is not None, "Blender unpacks the wheel of this platform"
    random = np.random.default_rng(0)
    a, b = random.standard_normal((3, 20, 40), np.float32), random.standard_normal((40, 30), np.float32)
    np.testing.assert_allclose(library.multiply(a, b), a @ b, atol=1e-4)
    np.testing.assert_allclose(products.matrix_product(a, b), a @ b, atol=1e-4)
    assert products.products_are_fast(), "numpy's or Riff's"
    found = importlib.util.find_spec("scipy_openblas32")
    assert found is not None
    assert found.origin is not None
    assert "scipy_openblas32" not in sys.modules, "its Python is never run"
    assert (Path(found.origin).parent / "lib").is_dir()
