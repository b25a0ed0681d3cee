"""Skeleton-aware convolutions over time, generator and critic, of four each (Roditakis et al. 2024; Li et al. 2022)."""

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
    """Neighbour matrix `near` (G, G) of a skeleton's groups, and the clusters that its layers are computed in.

    The outputs of each cluster must be consecutive groups, see `cluster_order`.
    """

    near: NDArray[np.bool_]
    clusters: tuple[Cluster, ...]

    @property
    def groups(self) -> int:
        return len(self.near)


ONE_GROUP = Graph(np.ones((1, 1), dtype=bool), (Cluster((0,), (0,)),))
"""Graph of a plain convolution: all channels in one group."""


class GraphConvolution(nn.Module):
    """Convolution over time in which each output group sees only its neighbours on the skeleton.

    Each cluster has a weight (kernel, outputs, inputs), zero and without gradient between groups that are no
    neighbours. `inside` and `outside` are the channels of a group before and after.
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
        # Indexing a ParameterList takes longer than a small product.
        self.own = (*self.weights, self.bias)
        self.column_names = [f"columns{number}" for number in range(len(self.rows))]

    def _apply(self, *arguments: Any, **named: Any) -> GraphConvolution:
        """Refresh `own`: moving to a device or another precision may replace the parameters."""
        super()._apply(*arguments, **named)
        self.own = (*self.weights, self.bias)
        return self

    def masks(self) -> list[Tensor]:
        """Return a mask (outputs, inputs) for each weight: 1 where the groups are neighbours."""
        return [getattr(self, f"mask{number}") for number in range(len(self.rows))]

    def layer(self) -> Layer:
        """Return the convolution as data for `packed_convolution`, weights detached."""
        columns = [getattr(self, name) for name in self.column_names]
        *weights, bias = (tensor.detach() for tensor in self.own)
        return Layer(self.starts, self.stops, columns, weights, bias)

    def pairs(self) -> NDArray[np.float32]:
        """Return the weights (P, outside, inside, kernel) of neighbouring pairs of groups, row by row of the matrix."""
        near = self.graph.near
        full = np.zeros((*near.shape, self.outside, self.inside, self.kernel), dtype=np.float32)
        for cluster, weight in zip(self.graph.clusters, self.weights, strict=True):
            shape = (self.kernel, len(cluster.outputs), self.outside, len(cluster.inputs), self.inside)
            blocks = weight.detach().cpu().numpy().reshape(shape).transpose(1, 3, 2, 4, 0)
            full[np.ix_(cluster.outputs, cluster.inputs)] = blocks
        return full[near]

    def load_pairs(self, pairs: NDArray[np.float32]) -> None:
        """Set the weights from the result of `pairs`."""
        for cluster, weight in zip(self.graph.clusters, self.weights, strict=True):
            blocks = cluster_blocks(pairs, self.graph.near, cluster).transpose(4, 0, 2, 1, 3)
            weight.data.copy_(torch.from_numpy(np.ascontiguousarray(blocks).reshape(tuple(weight.shape))))


def channel_index(groups: Sequence[int], width: int) -> Tensor:
    """Return the channels of `groups`, each `width` wide."""
    return (torch.tensor(list(groups))[:, None] * width + torch.arange(width)).reshape(-1)


class _Stack(torch.autograd.Function):
    """Layers on packed rows; differentiable once, with respect to the input and to all weights or none."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: list[Layer], wants_weights: bool, *parameters: Tensor) -> Tensor:
        values, seen = run_layers(x, layers, False)
        result = values.pop()  # saved in ctx it would form a reference cycle that holds gigabytes until collected
        ctx.kept = (layers, values, seen, wants_weights)
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        layers, values, seen, wants_weights = ctx.kept
        wants_input = ctx.needs_input_grad[0]
        to_x, weights, biases = back_layers(grads[0], layers, values, seen, False, wants_input, wants_weights)
        gradients: list[Tensor | None] = []
        for layer_weights, bias in zip(reversed(weights), reversed(biases), strict=True):
            gradients += [*layer_weights, bias]
        return (to_x if wants_input else None, None, None, *gradients)


class LayerStack(nn.Module):
    """Sequence of skeleton-aware convolutions with LeakyReLU between them (Li et al. 2022)."""

    def __init__(self, layers: Sequence[GraphConvolution]) -> None:
        super().__init__()
        self.stack = nn.ModuleList(layers)
        self.margin = layers[0].kernel // 2
        self.reach = self.margin * len(layers)
        """Rows on either side that a row of the result depends on."""

    @property
    def layers(self) -> list[GraphConvolution]:
        return [layer for layer in self.stack if isinstance(layer, GraphConvolution)]

    def forward(self, x: Tensor, *, frozen: bool = False) -> Tensor:
        """Run the layers, (B, C, T) → (B, outputs, T); a `frozen` stack has gradients for its input only."""
        parameters = [] if frozen else list(self.parameters())
        layers = [layer.layer() for layer in self.layers]
        result: Tensor = _Stack.apply(pack(x, self.margin), layers, not frozen, *parameters)
        return unpack(result, self.margin)

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Yield weights, then bias, layer by layer: the order of `Critic.gradients`."""
        for layer in self.layers:
            yield from layer.own


def _hidden_layers(graph: Graph, widths: Sequence[int], kernel: int, random: torch.Generator) -> list[GraphConvolution]:
    return [GraphConvolution(graph, a, b, kernel, random) for a, b in itertools.pairwise(widths)]


class Generator(LayerStack):
    """Generator G_i of a stage: (B, C, T) → (B, C, T), the residual that is added to the upsampled input."""

    def __init__(self, graph: Graph, hidden: Sequence[int], kernel: int, random: torch.Generator) -> None:
        widths = [GROUP, *group_widths(graph.groups, hidden), GROUP]
        super().__init__(_hidden_layers(graph, widths, kernel, random))

    def refine(self, base: Tensor, noise: Tensor) -> Tensor:
        """Return x_i = G_i(base + noise) + base; `noise` (B, 1, T) or (B, C, T) is scaled by σ_i already."""
        if not torch.is_grad_enabled():
            return refine(base, noise, [layer.layer() for layer in self.layers])
        result: Tensor = self(base + noise)
        return result + base


class Critic(LayerStack):
    """Critic D_i of a stage: (B, C, T) → (B, 1, T), a score for each row; the last layer is a plain convolution."""

    def __init__(self, graph: Graph, hidden: Sequence[int], kernel: int, random: torch.Generator) -> None:
        widths = [GROUP, *group_widths(graph.groups, hidden)]
        channels = graph.groups * widths[-1]
        score = GraphConvolution(ONE_GROUP, channels, 1, kernel, random)
        super().__init__([*_hidden_layers(graph, widths, kernel, random), score])

    def gradients(self, real: Tensor, fake: Tensor, mix: Tensor, penalty: float) -> tuple[list[Tensor], Tensor]:
        """Return the gradients of the WGAN-GP loss (Roditakis et al. 2024, eq. 1), ordered as `parameters`; and the gap
        of the scores.

        `real`, `fake` are (B, C, T). `mix` (J, 1, 1), J ≤ B, interpolates between the first J of them: the points of
        the gradient penalty. The gap is the mean score of real minus that of fake.
        """
        count = len(mix)
        between = mix * real[:count] + (1.0 - mix) * fake[:count]
        layers = [layer.layer() for layer in self.layers]
        one, two, three = (pack(x.detach(), self.margin) for x in (real, fake, between))
        weights, biases, gap = critic_gradients(one, two, three, layers, penalty)
        return [grad for layer, bias in zip(weights, biases, strict=True) for grad in (*layer, bias)], gap


def arrays_of(stack: LayerStack, prefix: str) -> dict[str, NDArray[np.float32]]:
    """Return pair weights and bias of each layer j, as `{prefix}{j}.weight` and `.bias`."""
    arrays = {}
    for number, layer in enumerate(stack.layers):
        arrays[f"{prefix}{number}.weight"] = layer.pairs()
        arrays[f"{prefix}{number}.bias"] = layer.bias.detach().cpu().numpy().copy()
    return arrays


def load_arrays(stack: LayerStack, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Set the weights from the result of `arrays_of`, of any precision."""
    for number, layer in enumerate(stack.layers):
        layer.load_pairs(arrays[f"{prefix}{number}.weight"])
        layer.bias.data.copy_(torch.from_numpy(arrays[f"{prefix}{number}.bias"]))


def mask_gradients(module: nn.Module) -> None:
    """Zero the gradients of weights between groups that are no neighbours."""
    for layer in module.modules():
        if isinstance(layer, GraphConvolution):
            for weight, mask in zip(layer.weights, layer.masks(), strict=True):
                if weight.grad is not None:
                    weight.grad.mul_(mask)
