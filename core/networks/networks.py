"""Skeleton-aware convolutions over time, and the generator and critic made of four of them (`paper.md`, *Networks*)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..model.clusters import Cluster, cluster_blocks
from ..model.model_file import group_widths
from ..motion.skeleton import GROUP
from .packed_convolution import Layer, back_layers, critic_gradients, pack, refine, run_layers, unpack


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


ONE_GROUP = Graph(np.ones((1, 1), dtype=bool), (Cluster((0,), (0,)),))


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
        self.starts, self.stops = [rows.start for rows in self.rows], [rows.stop for rows in self.rows]
        # Asking a ParameterList takes longer than a small product.
        self.own = (*self.weights, self.bias)
        self.column_names = [f"columns{number}" for number in range(len(self.rows))]

    def _apply(self, *arguments: Any, **named: Any) -> GraphConvolution:
        """Moving to a device or another precision may replace the parameters."""
        super()._apply(*arguments, **named)
        self.own = (*self.weights, self.bias)
        return self

    def masks(self) -> list[Tensor]:
        """One mask for each weight: 1 where the groups are neighbours."""
        return [getattr(self, f"mask{number}") for number in range(len(self.rows))]

    def layer(self) -> Layer:
        """The convolution as data for `packed`, its weights without gradients."""
        columns = [getattr(self, name) for name in self.column_names]
        *weights, bias = (tensor.detach() for tensor in self.own)
        return Layer(self.starts, self.stops, columns, weights, bias)

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
        for cluster, weight in zip(self.graph.clusters, self.weights, strict=True):
            blocks = cluster_blocks(pairs, self.graph.near, cluster).transpose(4, 0, 2, 1, 3)
            weight.data.copy_(torch.from_numpy(np.ascontiguousarray(blocks).reshape(tuple(weight.shape))))


def channel_index(groups: Sequence[int], width: int) -> Tensor:
    """Channels of `groups` when each group is `width` wide."""
    return (torch.tensor(list(groups))[:, None] * width + torch.arange(width)).reshape(-1)


class _Stack(torch.autograd.Function):
    """Layers on packed rows; differentiable once, by the input and by all weights or none of them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: list[Layer], wants_weights: bool, *parameters: Tensor) -> Tensor:
        values, seen = run_layers(x, layers, False)
        result = values.pop()  # kept here it would refer to this very context: a cycle, and gigabytes until it is found
        ctx.kept = (layers, values, seen, wants_weights)
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        layers, values, seen, wants_weights = ctx.kept
        wants_input = ctx.needs_input_grad[0]
        to_x, weights, biases = back_layers(grads[0], layers, values, seen, False, wants_input, wants_weights)
        found: list[Tensor | None] = []
        for own, bias in zip(reversed(weights), reversed(biases), strict=True):
            found += [*own, bias]
        return (to_x if wants_input else None, None, None, *found)


class LayerStack(nn.Module):
    """Skeleton-aware convolutions one after the other, LeakyReLU between them (`paper.md`, *Networks*)."""

    def __init__(self, layers: Sequence[GraphConvolution]) -> None:
        super().__init__()
        self.stack = nn.ModuleList(layers)
        self.margin = layers[0].kernel // 2
        self.reach = self.margin * len(layers)
        """Frames on either side that a frame of the result depends on."""

    @property
    def layers(self) -> list[GraphConvolution]:
        return [layer for layer in self.stack if isinstance(layer, GraphConvolution)]

    def forward(self, x: Tensor, *, frozen: bool = False) -> Tensor:
        """(B, C, T) → (B, outputs, T); a `frozen` stack passes gradients to its input only."""
        parameters = [] if frozen else list(self.parameters())
        layers = [layer.layer() for layer in self.layers]
        result: Tensor = _Stack.apply(pack(x, self.margin), layers, not frozen, *parameters)
        return unpack(result, self.margin)

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Weights, then bias, layer by layer: the order in which gradients are returned."""
        for layer in self.layers:
            yield from layer.own


def _hidden_layers(graph: Graph, widths: Sequence[int], kernel: int, random: torch.Generator) -> list[GraphConvolution]:
    return [GraphConvolution(graph, a, b, kernel, random) for a, b in itertools.pairwise(widths)]


class Generator(LayerStack):
    """G_i of a stage: (B, C, T) → (B, C, T), the residual that is added to the upsampled input."""

    def __init__(self, graph: Graph, hidden: Sequence[int], kernel: int, random: torch.Generator) -> None:
        widths = [GROUP, *group_widths(graph.groups, hidden), GROUP]
        super().__init__(_hidden_layers(graph, widths, kernel, random))

    def refine(self, base: Tensor, noise: Tensor) -> Tensor:
        """x_i = G_i(base + noise) + base, with `noise` (B, 1, T) or (B, C, T) already scaled by σ_i."""
        if not torch.is_grad_enabled():
            return refine(base, noise, [layer.layer() for layer in self.layers])
        result: Tensor = self(base + noise)
        return result + base


class Critic(LayerStack):
    """D_i of a stage: (B, C, T) → (B, 1, T), a score for each frame, by a last plain convolution."""

    def __init__(self, graph: Graph, hidden: Sequence[int], kernel: int, random: torch.Generator) -> None:
        widths = [GROUP, *group_widths(graph.groups, hidden)]
        channels = graph.groups * widths[-1]
        score = GraphConvolution(ONE_GROUP, channels, 1, kernel, random)
        super().__init__([*_hidden_layers(graph, widths, kernel, random), score])

    def gradients(self, real: Tensor, fake: Tensor, mix: Tensor, penalty: float) -> tuple[list[Tensor], Tensor]:
        """Gradients of the WGAN-GP loss (eq. 1) in the order of `parameters`, and the gap.

        `real`, `fake` (B, C, T); `mix` (J, 1, 1), J ≤ B, places the points between the first J of them at which the
        gradient is held to length 1. The gap is the mean score of real minus fake.
        """
        count = len(mix)
        between = mix * real[:count] + (1.0 - mix) * fake[:count]
        layers = [layer.layer() for layer in self.layers]
        one, two, three = (pack(x.detach(), self.margin) for x in (real, fake, between))
        weights, biases, gap = critic_gradients(one, two, three, layers, penalty)
        return [grad for own, bias in zip(weights, biases, strict=True) for grad in (*own, bias)], gap


def arrays_of(stack: LayerStack, prefix: str) -> dict[str, NDArray[np.float32]]:
    """Weights of neighbouring pairs and bias of each layer j, as `{prefix}{j}.weight` and `.bias`."""
    arrays = {}
    for number, layer in enumerate(stack.layers):
        arrays[f"{prefix}{number}.weight"] = layer.pairs()
        arrays[f"{prefix}{number}.bias"] = layer.bias.detach().cpu().numpy().copy()
    return arrays


def load_arrays(stack: LayerStack, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Set the weights from what `arrays_of` gave, of any precision."""
    for number, layer in enumerate(stack.layers):
        layer.load_pairs(arrays[f"{prefix}{number}.weight"])
        layer.bias.data.copy_(torch.from_numpy(arrays[f"{prefix}{number}.bias"]))


def mask_gradients(module: nn.Module) -> None:
    """Clear the gradients of weights between groups that are no neighbours."""
    for layer in module.modules():
        if isinstance(layer, GraphConvolution):
            for weight, mask in zip(layer.weights, layer.masks(), strict=True):
                if weight.grad is not None:
                    weight.grad.mul_(mask)
