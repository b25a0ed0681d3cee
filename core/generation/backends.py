"""The generators of a model, ready to run: by numpy, or by PyTorch where that is here and numpy would be slow."""

from __future__ import annotations

import importlib.util

from ..model.clusters import find_clusters
from ..model.model import Model
from .numpy_backend import NumpyGenerator, has_blas
from .pyramid import StageGenerator


def has_torch() -> bool:
    """Whether PyTorch is here, found without loading it."""
    try:
        return importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False  # something keeps it from being imported


def make_generators(model: Model, *, torch: bool | None = None) -> list[StageGenerator]:
    """One generator for each stage; `torch` says who computes (None: the faster of what is installed).

    Both give the same rows to 1e-4. The choice hangs on what is installed, not on what happens to be loaded, so that a
    seed gives the same motion in every run. Numpy is faster where it multiplies by a library made for it, which that of
    the Blender from blender.org may lack; without one it takes several times as long as PyTorch.
    """
    if (not has_blas() and has_torch()) if torch is None else torch:
        from .torch_backend import TorchGenerator, load_generators

        return [TorchGenerator(generator) for generator in load_generators(model)]
    near = model.channels.near(model.recipe.distance)
    clusters = find_clusters(near)
    return [NumpyGenerator(model, stage, near, clusters) for stage in range(model.recipe.stage_count)]
