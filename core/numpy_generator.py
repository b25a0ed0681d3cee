"""A trained generator in numpy: what `networks.Generator.refine` computes.

Rows are tiled: frames 0, m, 2m … of all samples of a batch, then frames 1, m + 1 … (m, C, B, tiles), each sample with
reflected margins and filled up to whole tiles. So a convolution over time by `winograd` is a few products of long rows.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .clusters import Cluster, cluster_blocks
from .model import Model
from .stage_rows import Rows
from .winograd import minimal_filter

SLOPE = np.float32(0.2)
"""Negative slope of the LeakyReLU between layers, as in training."""

TOGETHER = 700
"""Tiles that go through a layer's products together, so that long motions take hardly more memory."""


class _Places(threading.local):
    """Memory of each thread that is used again: fresh pages from the system took a third of the time."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[np.float32]] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Numbers left over in a place, of any shape; what is asked for by the same name next overwrites them."""
        size = math.prod(shape)
        if name not in self._kept or self._kept[name].size < size:
            self._kept[name] = np.empty(size, dtype=np.float32)
        return self._kept[name][:size].reshape(shape)


_places = _Places()


@dataclass(frozen=True, eq=False)
class _Product:
    """What one cluster of a layer reads and writes: input channels, output channels, G w as (n, out, in)."""

    channels: NDArray[np.int64]
    rows: slice
    weights: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Layer:
    """A skeleton-aware convolution: its products, the bias of every output channel, and the taps of its filters."""

    products: tuple[_Product, ...]
    bias: NDArray[np.float32]
    kernel: int


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
        kernel, frames = self._layers[0].kernel, base.shape[2]
        half = kernel // 2
        x = _tiles(base + noise, kernel)
        for number, layer in enumerate(self._layers):
            x = _convolve(x, layer, f"layer {number % 2}", active=number < len(self._layers) - 1)
            _fill_margins(x, half, frames)
        tile, channels, batch, count = x.shape
        rows = x.transpose(2, 1, 3, 0).reshape(batch, channels, count * tile)
        refined: Rows = rows[..., half : half + frames] + base
        return refined


def _layer(
    pairs: NDArray[np.float32], bias: NDArray[np.float32], near: NDArray[np.bool_], clusters: Sequence[Cluster],
) -> _Layer:  # fmt: skip
    """A layer from the weights of its P pairs of neighbouring groups, (P, outside, inside, kernel)."""
    _, outside, inside, kernel = pairs.shape
    taps = minimal_filter(kernel).taps
    products = []
    for cluster in clusters:
        blocks = cluster_blocks(pairs, near, cluster).transpose(4, 0, 2, 1, 3)
        shape = (len(taps), len(cluster.outputs) * outside, len(cluster.inputs) * inside)
        channels = (np.asarray(cluster.inputs)[:, None] * inside + np.arange(inside)).reshape(-1)
        rows = slice(cluster.outputs[0] * outside, (cluster.outputs[-1] + 1) * outside)
        products.append(_Product(channels, rows, (taps @ blocks.reshape(kernel, -1)).reshape(shape)))
    return _Layer(tuple(products), bias, kernel)


def _tiles(rows: Rows, kernel: int) -> NDArray[np.float32]:
    """Rows (B, C, T) with reflected margins, every m-th frame of them together: (m, C, B, tiles)."""
    half, tile = kernel // 2, minimal_filter(kernel).tile
    batch, channels, frames = rows.shape
    count = -(-(frames + 2 * half) // tile)
    padded = np.zeros((batch, channels, count * tile), dtype=np.float32)
    padded[..., half : half + frames] = rows
    x = np.ascontiguousarray(padded.reshape(batch, channels, count, tile).transpose(3, 1, 0, 2))
    _fill_margins(x, half, frames)
    return x


def _convolve(x: NDArray[np.float32], layer: _Layer, name: str, active: bool) -> NDArray[np.float32]:
    """The convolution of tiles, in the place of that name, and LeakyReLU if `active`.

    What it makes of two samples together lies in margins, which are to be filled anew.
    """
    out = _places.array(name, (len(x), len(layer.bias), *x.shape[2:]))
    read, made = x.reshape(*x.shape[:2], -1), out.reshape(*out.shape[:2], -1)
    count = read.shape[2]
    for start in range(0, count, TOGETHER):
        stop = min(start + TOGETHER, count)
        shape = (*made.shape[:2], stop - start)
        part = made if stop - start == count else _places.array("part", shape)
        _filter(_read_tiles(read, start, stop, layer.kernel), layer, part)
        part += layer.bias[:, None]
        if active:
            np.maximum(part, np.multiply(part, SLOPE, out=_places.array("sloped", shape)), out=part)
        if part is not made:
            made[..., start:stop] = part
    return out


def _read_tiles(x: NDArray[np.float32], start: int, stop: int, kernel: int) -> NDArray[np.float32]:
    """The n frames that each tile from `start` to `stop` depends on, (n, C, stop - start), zero beyond the ends."""
    tile, reads, count = len(x), minimal_filter(kernel).reads, x.shape[2]
    seen = _places.array("seen", (reads, x.shape[1], stop - start))
    for place in range(reads):
        shift, phase = divmod(place - kernel // 2, tile)
        low, high = max(start + shift, 0), min(stop + shift, count)
        seen[place, :, : max(low - start - shift, 0)] = 0.0
        seen[place, :, low - start - shift : high - start - shift] = x[phase, :, low:high]
        seen[place, :, max(high - start - shift, 0) :] = 0.0
    return seen


def _filter(seen: NDArray[np.float32], layer: _Layer, out: NDArray[np.float32]) -> None:
    """Set `out` (m, outputs, tiles) by what the tiles depend on, (n, inputs, tiles): Aᵀ[(G w)(Bᵀ x)]."""
    short = minimal_filter(layer.kernel)
    reads, _, tiles = seen.shape
    values = _places.array("values", seen.shape)
    multiply(short.inputs, seen.reshape(reads, -1), values.reshape(reads, -1))
    results = _places.array("results", (reads, len(layer.bias), tiles))
    for product in layer.products:
        source = _places.array("source", (reads, len(product.channels), tiles))
        np.take(values, product.channels, axis=1, out=source, mode="clip")  # any other mode copies it once more
        multiply(product.weights, source, results[:, product.rows])
    multiply(short.outputs, results.reshape(reads, -1), out.reshape(short.tile, -1))


def _fill_margins(x: NDArray[np.float32], half: int, frames: int) -> None:
    """Reflect the inside of each sample into its margins; what fills up its last tile becomes zero."""
    tile = len(x)

    def at(frame: int) -> NDArray[np.float32]:
        return x[frame % tile, ..., frame // tile]

    for step in range(1, half + 1):
        at(half - step)[:] = at(half + step)
        at(half + frames - 1 + step)[:] = at(half + frames - 1 - step)
    for frame in range(frames + 2 * half, tile * x.shape[3]):
        at(frame)[:] = 0.0


def has_blas() -> bool:
    """Whether numpy multiplies with a library made for it."""
    describe: Any = np.show_config  # the stubs of numpy 1.26 lack its mode
    config = describe(mode="dicts")
    return bool(config.get("Build Dependencies", {}).get("blas", {}).get("found", True))


def _by_matmul(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.matmul(a, b, out=out)


def _by_einsum(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32]) -> NDArray[np.float32]:
    if a.ndim == 2:
        np.einsum("ij,jt->it", a, b, out=out)
        return out
    for each in zip(a, b, out, strict=True):  # one einsum of them all has a slower loop inside
        _by_einsum(*each)
    return out


# Without BLAS numpy's matmul is a plain triple loop; einsum at least uses the processor's vectors.
multiply = _by_matmul if has_blas() else _by_einsum
