"""Choice of the backend: a model's generators in numpy, or in PyTorch where it is installed and numpy is slow."""

from __future__ import annotations

import importlib.util

from ..matching.stages import make_matchers
from ..model.clusters import find_clusters
from ..model.model import Model
from ..model.pyramid import StageGenerator
from ..numeric.matrix_product import products_are_fast
from .numpy_backend import NumpyGenerator


def has_torch() -> bool:
    """Return true if PyTorch is installed, without importing it."""
    try:
        return importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False  # a finder or a half-imported torch refuses


def make_generators(model: Model, *, torch: bool | None = None) -> list[StageGenerator]:
    """Return one generator for each stage, in PyTorch if `torch`, else in numpy (None: the faster one installed).

    Stages that are not trained are matched, in numpy. Both give the same rows to 1e-4. The choice depends on the
    installation, not on loaded modules, so that a seed gives the same motion in every run. numpy is faster with
    a BLAS, its own or Riff's; without one it takes several times as long as PyTorch.
    """
    return _networks(model, torch) + make_matchers(model)


def _networks(model: Model, torch: bool | None) -> list[StageGenerator]:
    if not model.trained_stages:
        return []
    if (not products_are_fast() and has_torch()) if torch is None else torch:
        # late: PyTorch takes seconds to load
        from .torch_backend import TorchGenerator, load_generators

        return [TorchGenerator(generator) for generator in load_generators(model)]
    near = model.channels.near(model.recipe.distance)
    clusters = find_clusters(near)
    return [NumpyGenerator(model, stage, near, clusters) for stage in range(model.trained_stages)]
