"""A model's generators in PyTorch, called with arrays."""

from __future__ import annotations

import torch

from ..model.clusters import find_clusters
from ..model.model import Model
from ..networks.networks import Generator, Graph, load_arrays
from .pyramid import Rows


class TorchGenerator:
    """G_i of a stage of a model, on the CPU."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    @torch.no_grad()
    def refine(self, base: Rows, noise: Rows) -> Rows:
        """x_i = G_i(base + noise) + base, with `noise` (B, 1, T) or (B, C, T) already scaled by σ_i.

        Sample by sample: products of several together round otherwise.
        """
        parts = zip(torch.from_numpy(base).split(1), torch.from_numpy(noise).split(1), strict=True)
        made: Rows = torch.cat([self._generator.refine(*part) for part in parts]).numpy()
        return made


def load_generators(model: Model) -> list[Generator]:
    """The generators of all trained stages, with their weights."""
    recipe = model.recipe
    near = model.channels.near(recipe.distance)
    graph = Graph(near, tuple(find_clusters(near)))
    generators = []
    for stage in range(model.trained_stages):
        generator = Generator(graph, recipe.hidden, recipe.kernel, torch.Generator())
        load_generator(generator, model, stage)
        generators.append(generator.eval())
    return generators


def load_generator(generator: Generator, model: Model, stage: int) -> None:
    """Set a generator's weights from those of a stage of a model."""
    load_arrays(generator, f"stage{stage}.layer", model.weights)
