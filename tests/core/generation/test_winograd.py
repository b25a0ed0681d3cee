"""Minimal filtering beside numpy's own correlation, whole networks of unusual kernels beside PyTorch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.generation.generate import Sampler
from core.generation.winograd import minimal_filter
from core.model.recipe import RECIPES
from core.motion.motion import Motion
from core.training.train import train


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_a_tile_is_what_the_filter_gives(kernel: int, seed: int) -> None:
    short = minimal_filter(kernel)
    random = np.random.default_rng(seed)
    taps, frames = random.standard_normal((100, kernel)), random.standard_normal((100, short.reads))
    products = (short.taps @ taps.T.astype(np.float32)) * (short.inputs @ frames.T.astype(np.float32))
    made = short.outputs @ products.sum(1)
    expected = sum(np.correlate(x, w, mode="valid") for x, w in zip(frames, taps, strict=True))
    np.testing.assert_allclose(made, expected, atol=1e-6 * np.sqrt(100 * kernel) * 20)


def test_short_filters_take_fewer_products() -> None:
    for kernel in (3, 5):
        short = minimal_filter(kernel)
        assert (short.tile, short.reads) == (4, kernel + 3)
    assert minimal_filter(7).tile == 1  # beyond 7 points, rounding would cost what is gained


@pytest.mark.parametrize("kernel", [1, 3, 5, 9])
def test_networks_of_any_kernel_give_what_torch_gives(walker: Motion, kernel: int) -> None:
    recipe = RECIPES["fast"].scaled(0.002)
    model = train(walker, dataclasses.replace(recipe, kernel=kernel))
    for frames, count in ((30, 1), (121, 3), (900, 2)):
        by_torch, by_numpy = (Sampler(model, torch=torch).sample(frames, count, 3) for torch in (True, False))
        for one, other in zip(by_torch, by_numpy, strict=True):
            np.testing.assert_allclose(one.features, other.features, atol=1e-4)
