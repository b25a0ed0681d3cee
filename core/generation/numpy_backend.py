"""A trained generator in numpy: what `networks.Generator.refine` computes.

Frames are tiled: those numbered 0, m, 2m … of a sample lie in one plane, 1, m + 1 … in the next (m, B, C, tiles), with
reflected margins and filled up to whole tiles. So a convolution over time by `winograd` is a few products of long rows.
Nothing is shared between the samples of a batch: each comes out the same to the bit whatever is made beside it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.clusters import Cluster, cluster_blocks
from ..model.model import Model
from .pyramid import Rows
from .winograd import MinimalFilter, minimal_filter

SLOPE = np.float32(0.2)
"""Negative slope of the LeakyReLU between layers, as in training."""

LINE = 16
"""Numbers in a line of the cache: rows that fill whole lines are multiplied in four fifths of the time."""

TOGETHER = 12 * LINE
"""Tiles that go through a layer's products together, so that long motions take hardly more memory."""

MOST_KNOWN = 2000
"""Shapes of arrays that a thread remembers: those of some dozens of lengths."""

Planes = NDArray[np.float32]
"""Tiled frames (planes, B, C, tiles)."""


class _Places(threading.local):
    """Memory of each thread that is used again: fresh pages from the system took a third of the time."""

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[np.float32]] = {}
        self._known: dict[tuple[str, tuple[int, ...]], NDArray[np.float32]] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Numbers left over in a place, of any shape; what is asked for by the same name next overwrites them."""
        known = self._known.get((name, shape))
        return self._shaped(name, shape) if known is None else known

    def _shaped(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        size = math.prod(shape)
        if name not in self._memory or self._memory[name].size < size:
            memory = np.empty(size + LINE, dtype=np.float32)
            self._memory[name] = memory[-(memory.ctypes.data // memory.itemsize) % LINE :]
            self._known.clear()  # what was too small must not be kept
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[name, shape] = self._memory[name][:size].reshape(shape)
        return self._known[name, shape]


_places = _Places()


@dataclass(frozen=True, eq=False)
class _Product:
    """What one cluster of a layer reads and writes: input channels, output channels, G w as (n, 1, out, in)."""

    channels: NDArray[np.int64]
    rows: slice
    weights: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Layer:
    """A skeleton-aware convolution: its products and the bias of every output channel, (out, 1)."""

    products: tuple[_Product, ...]
    bias: NDArray[np.float32]


class NumpyGenerator:
    """G_i of a stage of a model; its graph is `near` (G, G), whose product is cut into `clusters`."""

    def __init__(self, model: Model, stage: int, near: NDArray[np.bool_], clusters: Sequence[Cluster]) -> None:
        prefix = f"stage{stage}.layer"
        self._short = minimal_filter(model.recipe.kernel)
        self._half = model.recipe.kernel // 2
        self._layers = [
            _layer(model.weights[f"{prefix}{j}.weight"], model.weights[f"{prefix}{j}.bias"], near, clusters)
            for j in range(len(model.recipe.hidden) + 1)
        ]

    def refine(self, base: Rows, noise: Rows) -> Rows:
        """x_i = G_i(base + noise) + base, with `noise` (B, 1, T) or (B, C, T) already scaled by σ_i."""
        batch, _, frames = base.shape
        half, tile, reads = self._half, self._short.tile, self._short.reads
        count = -(-(frames + 2 * half) // tile)
        # Behind each row lie zeros, one tile at least for each by which rows are shifted.
        width = -(-(count + -(-half // tile)) // LINE) * LINE
        own = slice(half, half + tile)
        seen = _places.array("seen 0", (reads, batch, base.shape[1], width))
        _cut(base, noise, half, seen[own, ..., :count])
        for number, layer in enumerate(self._layers):
            _fill_margins(seen[own], half, frames)
            _spread(seen, half, tile)
            out = _places.array(f"seen {(number + 1) % 2}", (reads, batch, len(layer.bias), width))
            _convolve(seen, layer, self._short, out[own])
            if number < len(self._layers) - 1:
                _activate(out[own])
            seen = out
        joined = seen[own, ..., :count].transpose(1, 2, 3, 0).reshape(batch, -1, count * tile)
        refined: Rows = joined[..., half : half + frames] + base
        return refined


def _layer(
    pairs: NDArray[np.float32], bias: NDArray[np.float32], near: NDArray[np.bool_], clusters: Sequence[Cluster]
) -> _Layer:
    """A layer from the weights of its P pairs of neighbouring groups, (P, outside, inside, kernel)."""
    _, outside, inside, kernel = pairs.shape
    taps = minimal_filter(kernel).taps
    products = []
    for cluster in clusters:
        blocks = cluster_blocks(pairs, near, cluster).transpose(4, 0, 2, 1, 3)
        shape = (len(taps), 1, len(cluster.outputs) * outside, len(cluster.inputs) * inside)
        channels = (np.asarray(cluster.inputs)[:, None] * inside + np.arange(inside)).reshape(-1)
        rows = slice(cluster.outputs[0] * outside, (cluster.outputs[-1] + 1) * outside)
        products.append(_Product(channels, rows, (taps @ blocks.reshape(kernel, -1)).reshape(shape)))
    return _Layer(tuple(products), bias[:, None])


def _cut(base: Rows, noise: Rows, half: int, planes: Planes) -> None:
    """Set `planes` (m, B, C, tiles) to the frames of base + noise, the margins left to be filled."""
    tile, batch, channels, count = planes.shape
    padded = _places.array("padded", (batch, channels, count * tile))
    np.add(base, noise, out=padded[..., half : half + base.shape[2]])
    planes[:] = padded.reshape(batch, channels, count, tile).transpose(3, 0, 1, 2)


def _fill_margins(planes: Planes, half: int, frames: int) -> None:
    """Reflect the inside of each sample into its margins; what comes after becomes zero."""
    tile = len(planes)

    def at(frame: int) -> NDArray[np.float32]:
        return planes[frame % tile, ..., frame // tile]

    for step in range(1, half + 1):
        at(half - step)[:] = at(half + step)
        at(half + frames - 1 + step)[:] = at(half + frames - 1 - step)
    last, phase = divmod(frames + 2 * half, tile)
    planes[phase:, ..., last : last + 1] = 0.0
    planes[..., last + 1 :] = 0.0


def _spread(seen: Planes, half: int, tile: int) -> None:
    """Set the outer ones of the n planes that tiles depend on, by frames of the tiles before and after them."""
    flat = seen.reshape(len(seen), -1)
    for shift in range(-(-half // tile), 0, -1):
        # Places that lie `shift` tiles before the tile's own, and as many after; zeros between the rows part these.
        size = min(tile, half - (shift - 1) * tile)
        low, high = half - (shift - 1) * tile - size, half + shift * tile
        flat[low : low + size, shift:] = flat[half + tile - size : half + tile, :-shift]
        flat[low : low + size, :shift] = 0.0
        flat[high : high + size, :-shift] = flat[half : half + size, shift:]
        flat[high : high + size, -shift:] = 0.0


def _convolve(seen: Planes, layer: _Layer, short: MinimalFilter, out: Planes) -> None:
    """Set `out` (m, B, outputs, tiles) to Aᵀ[(G w)(Bᵀ x)] + bias of the tiles x that are seen."""
    reads, batch, inputs, count = seen.shape
    for start in range(0, count, TOGETHER):
        part = slice(start, min(start + TOGETHER, count))
        tiles = part.stop - start
        values = _places.array("values", (reads, batch, inputs, tiles))
        transform(short.inputs, seen[..., part], values)
        results = _places.array("results", (reads, batch, len(layer.bias), tiles))
        for product in layer.products:
            source = _places.array("source", (reads, batch, len(product.channels), tiles))
            values.take(product.channels, axis=2, out=source, mode="clip")  # any other mode copies it once more
            multiply(product.weights, source, results[:, :, product.rows])
        results[short.constant] += layer.bias
        transform(short.outputs, results, out[..., part])


def _activate(planes: Planes) -> None:
    """LeakyReLU, a plane at a time for the cache's sake."""
    for plane in planes:
        np.maximum(plane, np.multiply(plane, SLOPE, out=_places.array("sloped", plane.shape)), out=plane)


def has_blas() -> bool:
    """Whether numpy multiplies with a library made for it."""
    describe: Any = np.show_config  # the stubs of numpy 1.26 lack its mode
    config = describe(mode="dicts")
    return bool(config.get("Build Dependencies", {}).get("blas", {}).get("found", True))


def _multiply_by_blas(weights: NDArray[np.float32], source: Planes, out: Planes) -> None:
    np.matmul(weights, source, out=out)


def _transform_by_blas(matrix: NDArray[np.float32], planes: Planes, out: Planes) -> None:
    # A product for each channel, whose rows stay in the cache: one of them all takes twice as long.
    np.matmul(matrix, planes.transpose(1, 2, 0, 3), out=out.transpose(1, 2, 0, 3))


def _multiply_plainly(weights: NDArray[np.float32], source: Planes, out: Planes) -> None:
    for own, samples, results in zip(weights[:, 0], source, out, strict=True):
        for sample, result in zip(samples, results, strict=True):  # one einsum of them all has a slower loop inside
            np.einsum("ij,jt->it", own, sample, out=result)


def _transform_plainly(matrix: NDArray[np.float32], planes: Planes, out: Planes) -> None:
    for row, result in zip(matrix, out, strict=True):
        np.multiply(planes[0], row[0], out=result)
        for factor, plane in zip(row[1:], planes[1:], strict=True):
            if factor:
                result += factor * plane


# Without BLAS numpy's matmul is a plain triple loop; einsum at least uses the processor's vectors.
multiply, transform = (_multiply_by_blas, _transform_by_blas) if has_blas() else (_multiply_plainly, _transform_plainly)
"""Products of weights (n, 1, out, in) with (n, B, in, tiles), and of a matrix with the planes of every channel."""
