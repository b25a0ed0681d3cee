"""Skeleton-aware convolutions over time, and the generator and critic made of four of them (`paper.md`, *Networks*)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from .clusters import Cluster
from .packed import PackedConvolution, pack, unpack
from .skeleton import GROUP

SLOPE = 0.2
"""Negative slope of the LeakyReLU between layers."""


@dataclass(frozen=True)
class Graph:
    """What the layers of one skeleton share: the neighbour matrix (G, G) and its product cut into clusters.

    The outputs of each cluster must be consecutive groups (`cluster_order` arranges that).
    """

    near: NDArray[np.bool_]
    clusters: tuple[Cluster, ...]

    @property
    def groups(self) -> int:
        return len(self.near)


class GraphConvolution(nn.Module):
    """A convolution over time in which each output group sees its neighbours on the skeleton only.

    Weights (kernel, outside, inside) are kept per cluster, zero and without gradient where two groups are no
    neighbours.
    """

    def __init__(self, graph: Graph, inside: int, outside: int, kernel: int, random: torch.Generator) -> None:
        super().__init__()
        self.graph, self.inside, self.outside, self.kernel = graph, inside, outside, kernel
        self.weights = nn.ParameterList()
        self.rows: list[slice] = []
        fan_in = graph.near.sum(1).repeat(outside) * inside * kernel
        bound = torch.from_numpy(1.0 / np.sqrt(fan_in)).float()
        for number, cluster in enumerate(graph.clusters):
            rows = slice(cluster.outputs[0] * outside, (cluster.outputs[-1] + 1) * outside)
            shape = (kernel, rows.stop - rows.start, len(cluster.inputs) * inside)
            weight = (torch.rand(shape, generator=random) * 2 - 1) * bound[rows, None]
            near = graph.near[np.ix_(cluster.outputs, cluster.inputs)]
            mask = torch.from_numpy(np.kron(near, np.ones((outside, inside)))).float()
            self.rows.append(rows)
            self.weights.append(nn.Parameter(weight * mask))
            self.register_buffer(f"mask{number}", mask, persistent=False)
            self.register_buffer(f"columns{number}", channel_index(cluster.inputs, inside), persistent=False)
        self.bias = nn.Parameter((torch.rand(len(bound), generator=random) * 2 - 1) * bound)

    def masks(self) -> list[Tensor]:
        """One mask for each weight: 1 where the groups are neighbours."""
        return [getattr(self, f"mask{number}") for number in range(len(self.weights))]

    def forward(self, x: Tensor, *, with_bias: bool = True, frozen: bool = False) -> Tensor:
        """Convolve packed rows (see `pack`), or (B, C, T) on a GPU; `frozen` weights let no gradient be computed."""
        bias: Tensor | None = self.bias if with_bias else None
        weights: list[Tensor] = list(self.weights)
        if frozen:
            bias = None if bias is None else bias.detach()
            weights = [weight.detach() for weight in weights]
        if x.is_cuda:
            return _dense(x, weights[0], bias)
        columns = [getattr(self, f"columns{number}") for number in range(len(weights))]
        result: Tensor = PackedConvolution.apply(x, bias, self.rows, columns, *weights)
        return result

    def pairs(self) -> NDArray[np.float32]:
        """Weights of the P pairs of neighbouring groups, row by row of the matrix: (P, outside, inside, kernel)."""
        near = self.graph.near
        full = np.zeros((*near.shape, self.outside, self.inside, self.kernel), dtype=np.float32)
        for cluster, weight in zip(self.graph.clusters, self.weights, strict=True):
            shape = (self.kernel, len(cluster.outputs), self.outside, len(cluster.inputs), self.inside)
            blocks = weight.detach().cpu().numpy().reshape(shape).transpose(1, 3, 2, 4, 0)
            full[np.ix_(cluster.outputs, cluster.inputs)] = blocks
        return full[near]

    def load_pairs(self, pairs: NDArray[np.float32]) -> None:
        """Set the weights from what `pairs` returned."""
        near = self.graph.near
        full = np.zeros((*near.shape, self.outside, self.inside, self.kernel), dtype=np.float32)
        full[near] = pairs
        for cluster, weight in zip(self.graph.clusters, self.weights, strict=True):
            blocks = full[np.ix_(cluster.outputs, cluster.inputs)].transpose(4, 0, 2, 1, 3)
            weight.data.copy_(torch.from_numpy(np.ascontiguousarray(blocks).reshape(tuple(weight.shape))))


def channel_index(groups: Sequence[int], width: int) -> Tensor:
    """Channels of `groups` when each group is `width` wide."""
    return (torch.tensor(list(groups))[:, None] * width + torch.arange(width)).reshape(-1)


def group_widths(groups: int, hidden: Sequence[int]) -> list[int]:
    """Channels a group has in each hidden layer: the wanted total rounded up to whole groups."""
    return [math.ceil(channels / groups) for channels in hidden]


def _dense(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    half = weight.shape[0] // 2
    return F.conv1d(F.pad(x, (half, half), mode="reflect"), weight.permute(1, 2, 0), bias)


class LayerStack(nn.Module):
    """Skeleton-aware convolutions one after the other, each group `widths` wide between them."""

    def __init__(self, graph: Graph, widths: Sequence[int], kernel: int, random: torch.Generator) -> None:
        super().__init__()
        self.margin = kernel // 2
        self.stack = nn.ModuleList(GraphConvolution(graph, a, b, kernel, random) for a, b in itertools.pairwise(widths))

    @property
    def layers(self) -> list[GraphConvolution]:
        return [layer for layer in self.stack if isinstance(layer, GraphConvolution)]


class Generator(LayerStack):
    """G_i of a stage: (B, C, T) → (B, C, T), the residual that is added to the upsampled input."""

    def __init__(self, graph: Graph, hidden: Sequence[int], kernel: int, random: torch.Generator) -> None:
        super().__init__(graph, [GROUP, *group_widths(graph.groups, hidden), GROUP], kernel, random)

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = self.layers
        x = pack(x, self.margin)
        for layer in hidden:
            x = F.leaky_relu(layer(x), SLOPE, inplace=True)
        return unpack(last(x), self.margin)

    def refine(self, base: Tensor, noise: Tensor) -> Tensor:
        """x_i = G_i(base + noise) + base, with `noise` (B, 1, T) or (B, C, T) already scaled by σ_i."""
        result: Tensor = self(base + noise)
        return result + base


class Critic(LayerStack):
    """D_i of a stage: (B, C, T) → (B, 1, T), a score for each frame."""

    def __init__(self, graph: Graph, hidden: Sequence[int], kernel: int, random: torch.Generator) -> None:
        widths = [GROUP, *group_widths(graph.groups, hidden)]
        super().__init__(graph, widths, kernel, random)
        channels = graph.groups * widths[-1]
        bound = 1.0 / math.sqrt(channels * kernel)
        self.score_weight = nn.Parameter((torch.rand((kernel, 1, channels), generator=random) * 2 - 1) * bound)
        self.score_bias = nn.Parameter((torch.rand(1, generator=random) * 2 - 1) * bound)
        self.register_buffer("score_columns", torch.arange(channels), persistent=False)

    def forward(self, x: Tensor, *, frozen: bool = False) -> Tensor:
        """Scores; a `frozen` critic passes gradients to its input only."""
        x = pack(x, self.margin)
        for layer in self.layers:
            x = F.leaky_relu(layer(x, frozen=frozen), SLOPE, inplace=True)
        return self._score(x, frozen)

    def scores_and_slopes(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Scores of a frozen critic, and for each hidden layer the slope (1 or 0.2) of the LeakyReLU at each value."""
        slopes: list[Tensor] = []
        x = pack(x, self.margin)
        for layer in self.layers:
            x = F.leaky_relu(layer(x, frozen=True), SLOPE, inplace=True)
            slopes.append((x.detach() > 0).float().mul_(1.0 - SLOPE).add_(SLOPE))
        return self._score(x, frozen=True), slopes

    def tangent(self, direction: Tensor, slopes: Sequence[Tensor]) -> Tensor:
        """How the scores change along `direction` (B, C, T) where the hidden layers have these slopes."""
        x = pack(direction, self.margin)
        for layer, slope in zip(self.layers, slopes, strict=True):
            x = layer(x, with_bias=False) * slope
        return self._score(x, with_bias=False)

    def _score(self, x: Tensor, frozen: bool = False, with_bias: bool = True) -> Tensor:
        weight: Tensor = self.score_weight.detach() if frozen else self.score_weight
        bias: Tensor | None = self.score_bias if with_bias else None
        if frozen and bias is not None:
            bias = bias.detach()
        if x.is_cuda:
            return _dense(x, weight, bias)
        scores: Tensor = PackedConvolution.apply(x, bias, [slice(0, 1)], [self.get_buffer("score_columns")], weight)
        return unpack(scores, self.margin)


def mask_gradients(module: nn.Module) -> None:
    """Clear the gradients of weights between groups that are no neighbours."""
    for layer in module.modules():
        if isinstance(layer, GraphConvolution):
            for weight, mask in zip(layer.weights, layer.masks(), strict=True):
                if weight.grad is not None:
                    weight.grad.mul_(mask)
