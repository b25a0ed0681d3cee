"""Trained generators in PyTorch, with numpy arrays as arguments and results."""

from __future__ import annotations

import torch

from ..model.clusters import find_clusters
from ..model.model import Model
from ..model.pyramid import Rows
from ..networks.networks import Generator, Graph, load_arrays


class TorchGenerator:
    """Generator G_i of a stage of a model, on the CPU."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    @torch.no_grad()
    def refine(self, base: Rows, noise: Rows) -> Rows:
        """Return x_i = G_i(base + noise) + base; `noise` (B, 1, T) or (B, C, T) is scaled by σ_i already.

        Samples run one by one, since rounding depends on the size of a batch.
        """
        parts = zip(torch.from_numpy(base).split(1), torch.from_numpy(noise).split(1), strict=True)
        refined: Rows = torch.cat([self._generator.refine(*part) for part in parts]).numpy()
        return refined


def load_generators(model: Model) -> list[Generator]:
    """Return the generators of all trained stages of a model, with their weights."""
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
    """Set a generator's weights to those of a stage of a model."""
    load_arrays(generator, f"stage{stage}.layer", model.weights)
