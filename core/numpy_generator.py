"""A trained generator in numpy: what `networks.Generator.refine` computes, for machines without PyTorch.

Rows are packed as in `packed`: channels first, the samples of a batch one after the other, each with reflected margins,
so that a convolution over time is one product for each kernel tap on a shifted view of whole rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .clusters import Cluster, cluster_blocks
from .model import Model
from .stage_rows import Rows

SLOPE = np.float32(0.2)
"""Negative slope of the LeakyReLU between layers, as in training."""


@dataclass(frozen=True, eq=False)
class _Product:
    """What one cluster of a layer reads and writes: input channels, output channels, weights (kernel, out, in)."""

    channels: NDArray[np.int64]
    rows: slice
    weights: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Layer:
    """A skeleton-aware convolution: its products, and the bias of every output channel."""

    products: tuple[_Product, ...]
    bias: NDArray[np.float32]

    @property
    def kernel(self) -> int:
        return len(self.products[0].weights)


class NumpyGenerator:
    """G_i of a stage of a model; its graph is `near` (G, G), whose product is cut into `clusters`."""

    def __init__(self, model: Model, stage: int, near: NDArray[np.bool_], clusters: Sequence[Cluster]) -> None:
        prefix = f"stage{stage}.layer"
        self._layers = [
            _layer(model.weights[f"{prefix}{j}.weight"], model.weights[f"{prefix}{j}.bias"], near, clusters)
            for j in range(len(model.recipe.hidden) + 1)
        ]

    def refine(self, base: Rows, noise: Rows) -> Rows:
        """x_i = G_i(base + noise) + base, with `noise` (B, 1, T) or (B, C, T) already scaled by σ_i."""
        half = self._layers[0].kernel // 2
        batch, channels, frames = base.shape
        x = np.empty((channels, batch, frames + 2 * half), dtype=np.float32)
        inside = slice(half, half + frames)
        np.add(base.transpose(1, 0, 2), noise.transpose(1, 0, 2), out=x[..., inside])
        _fill_margins(x, half)
        for number, layer in enumerate(self._layers):
            x = _convolve(x, layer)
            if number < len(self._layers) - 1:
                np.maximum(x, SLOPE * x, out=x)
        refined: Rows = x[..., inside].transpose(1, 0, 2) + base
        return refined


def _layer(
    pairs: NDArray[np.float32], bias: NDArray[np.float32], near: NDArray[np.bool_], clusters: Sequence[Cluster],
) -> _Layer:  # fmt: skip
    """A layer from the weights of its P pairs of neighbouring groups, (P, outside, inside, kernel)."""
    _, outside, inside, kernel = pairs.shape
    products = []
    for cluster in clusters:
        blocks = cluster_blocks(pairs, near, cluster).transpose(4, 0, 2, 1, 3)
        shape = (kernel, len(cluster.outputs) * outside, len(cluster.inputs) * inside)
        channels = (np.asarray(cluster.inputs)[:, None] * inside + np.arange(inside)).reshape(-1)
        rows = slice(cluster.outputs[0] * outside, (cluster.outputs[-1] + 1) * outside)
        products.append(_Product(channels, rows, np.ascontiguousarray(blocks).reshape(shape)))
    return _Layer(tuple(products), bias)


def _convolve(x: NDArray[np.float32], layer: _Layer) -> NDArray[np.float32]:
    """The convolution of packed rows (C, B, P); what it writes between two samples lies in margins, filled anew."""
    half = layer.kernel // 2
    flat = x.reshape(len(x), -1)
    count = flat.shape[1] - layer.kernel + 1
    out = np.empty((len(layer.bias), *x.shape[1:]), dtype=np.float32)
    rows = out.reshape(len(out), -1)[:, half : half + count]
    for product in layer.products:
        source = flat[product.channels]
        made = rows[product.rows]
        multiply(product.weights[0], source[:, :count], made)
        made += layer.bias[product.rows, None]
        part = np.empty(made.shape, dtype=np.float32)
        for tap in range(1, layer.kernel):
            made += multiply(product.weights[tap], source[:, tap : tap + count], part)
    _fill_margins(out, half)
    return out


def _fill_margins(x: NDArray[np.float32], half: int) -> None:
    """Reflect the inside of each sample into its margins."""
    end = x.shape[2] - 1
    for step in range(1, half + 1):
        x[..., half - step] = x[..., half + step]
        x[..., end - half + step] = x[..., end - half - step]


def _has_blas() -> bool:
    """Whether numpy multiplies with a library made for it."""
    describe: Any = np.show_config  # the stubs of numpy 1.26 lack its mode
    config = describe(mode="dicts")
    return bool(config.get("Build Dependencies", {}).get("blas", {}).get("found", True))


def _by_matmul(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.matmul(a, b, out=out)


def _by_einsum(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32]) -> NDArray[np.float32]:
    made: NDArray[np.float32] = np.einsum("ij,jt->it", a, b, out=out)
    return made


# Without BLAS numpy's matmul is a plain triple loop; einsum at least uses the processor's vectors.
multiply = _by_matmul if _has_blas() else _by_einsum
