"""Products of matrices: the library's are numpy's, whatever the shapes and strides, and are taken where it is."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.numeric import matrix_product as module
from core.numeric import openblas
from core.numeric.matrix_product import chosen_product, matrix_product, products_are_fast
from core.numeric.openblas import OpenBlas, load_openblas

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def library() -> OpenBlas:
    found = load_openblas()
    if found is None:
        pytest.skip("the OpenBLAS that Riff brings is not in this environment")
    return found


@pytest.fixture
def forgotten() -> Iterator[Callable[[], None]]:
    """Function that lets the choice be made anew; afterwards it is what this machine has."""

    def forget() -> None:
        for cached in (load_openblas, chosen_product, products_are_fast):
            cached.cache_clear()

    forget()
    yield forget
    forget()


def strided(random: np.random.Generator, shape: tuple[int, ...], way: int) -> np.ndarray[Any, Any]:
    """Random numbers of a shape: contiguous, transposed, every other, backwards, part of something wider, a window."""
    *batch, rows, columns = shape
    if way == 0:
        return random.standard_normal(shape).astype(np.float32)
    if way == 1:
        return random.standard_normal((*batch, columns, rows)).astype(np.float32).swapaxes(-1, -2)
    if way == 2:
        return random.standard_normal((*batch, rows, 2 * columns)).astype(np.float32)[..., ::2]
    if way == 3:
        return random.standard_normal(shape).astype(np.float32)[..., ::-1, :]
    if way == 4:
        return random.standard_normal((*batch, rows + 1, columns + 3)).astype(np.float32)[..., 1:, 2:-1]
    base = random.standard_normal((*batch, rows + columns - 1)).astype(np.float32)
    return np.lib.stride_tricks.sliding_window_view(base, columns, axis=-1)


BATCHES = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((), (4,)), ((5, 1), (1, 2)), ((2, 1, 3), (2, 2, 1)), ((0,), (0,))]


@settings(deadline=None, max_examples=150)
@given(
    st.tuples(st.integers(0, 17), st.integers(0, 17), st.integers(0, 33)),
    st.sampled_from(BATCHES),
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 4)),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_the_librarys_products_are_numpys(
    sizes: tuple[int, int, int],
    batches: tuple[tuple[int, ...], tuple[int, ...]],
    ways: tuple[int, int, int],
    many: bool,
    seed: int,
) -> None:
    library = load_openblas()
    if library is None:
        pytest.skip("the OpenBLAS that Riff brings is not in this environment")
    rows, inner, columns = sizes
    if 0 in sizes:
        ways = (0, 0, 0)
    random = np.random.default_rng(seed)
    a, b = strided(random, (*batches[0], rows, inner), ways[0]), strided(random, (*batches[1], inner, columns), ways[1])
    right = np.matmul(a.astype(np.float64), b.astype(np.float64))
    used = library
    if not many:
        used = object.__new__(OpenBlas)
        used._one, used._many, used._plans = library._one, None, {}  # as the build for Macs with Intel is
    np.testing.assert_allclose(used.multiply(a, b), right, atol=1e-4)
    out = strided(random, right.shape, ways[2]).copy() if ways[2] > 3 else strided(random, right.shape, ways[2])
    assert used.multiply(a, b, out=out) is out
    np.testing.assert_allclose(out, right, atol=1e-4)


def test_shapes_that_do_not_fit_are_refused(library: OpenBlas) -> None:
    one = np.ones((3, 4), np.float32)
    for a, b, out in ((one, one, None), (one, one.T, np.ones((3, 4), np.float32)), (one[None, None], one.T[None], one)):
        with pytest.raises(ValueError, match="fit"):
            library.multiply(a, b, out=out)


def test_a_product_beside_a_wider_array_leaves_the_rest_alone(library: OpenBlas) -> None:
    wide = np.full((2, 5, 9), 7.0, np.float32)
    library.multiply(np.ones((2, 3, 4), np.float32), np.ones((4, 6), np.float32), out=wide[:, 1:4, 2:8])
    assert np.all(wide[:, 1:4, 2:8] == 4.0)
    wide[:, 1:4, 2:8] = 7.0
    assert np.all(wide == 7.0)


def test_products_let_go_of_pythons_lock(library: OpenBlas) -> None:
    a = np.ones((3000, 3000), np.float32)
    out, ended = np.empty_like(a), threading.Event()

    def work() -> None:
        library.multiply(a, a, out=out)
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    steps = 0
    while not ended.is_set():
        time.sleep(0.001)
        steps += 1
    thread.join()
    assert steps > 3, "Python went on beside the product"


def slow_matmul(a: Any, b: Any, out: Any = None) -> Any:
    """numpy's product as it is without a BLAS: right, and slow."""
    time.sleep(0.005)
    return np.matmul(a, b, out=out)


class SlowNumpy:
    """numpy whose products are slow."""

    matmul = staticmethod(slow_matmul)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def test_the_library_is_taken_however_fast_numpy_is(
    library: OpenBlas, forgotten: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = np.ones((3, 4), np.float32), np.ones((4, 5), np.float32)
    for numpy in (np, SlowNumpy()):
        forgotten()
        monkeypatch.setattr(module, "np", numpy)
        assert isinstance(getattr(chosen_product(), "__self__", None), OpenBlas)
        assert products_are_fast()
        np.testing.assert_array_equal(matrix_product(a, b), np.full((3, 5), 4.0))


def test_without_the_library_everything_is_numpys(
    forgotten: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(module, "np", SlowNumpy())
    assert load_openblas() is None
    assert chosen_product() is slow_matmul
    assert not products_are_fast(), "so that generating takes its own way"
    a, b = np.ones((2, 3, 4), np.float32), np.ones((4, 5), np.float32)
    np.testing.assert_array_equal(matrix_product(a, b), np.full((2, 3, 5), 4.0))


def test_a_library_that_cannot_be_loaded_is_none(
    tmp_path: Path, forgotten: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "scipy_openblas32/lib"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    for name in openblas.NAMES:
        (folder / name).write_bytes(b"for another system")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_openblas() is None


def test_other_numbers_are_multiplied_by_numpy() -> None:
    a = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(matrix_product(a, a.T), a @ a.T)
    assert matrix_product(a, a.T).dtype == np.float64
    ones = np.ones(3, np.float32)
    assert matrix_product(a.astype(np.float32), ones).shape == (2,)


def test_nothing_is_measured_or_loaded_by_importing() -> None:
    code = "import sys, core.numeric.matrix_product as m; print(m.load_openblas.cache_info().misses)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
