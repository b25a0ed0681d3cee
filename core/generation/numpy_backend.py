"""Trained generators in numpy, equal to `networks.Generator.refine`.

Rows are tiled: those numbered 0, m, 2m … of a sample form one plane, 1, m + 1 … the next (m, B, C, tiles), with
reflected margins and padded to whole tiles. A convolution over time by `winograd` is then a few products of long rows.
The samples of a batch are independent: each is equal to the bit whatever the batch.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model.clusters import Cluster, cluster_blocks
from ..model.model import Model
from ..model.pyramid import Rows
from ..numeric.matrix_product import matrix_product, products_are_fast
from .winograd import MinimalFilter, minimal_filter

SLOPE = np.float32(0.2)
"""Negative slope of the LeakyReLU between layers, as in training."""

CACHE_LINE = 16
"""Numbers in a cache line; products of rows that fill whole lines take four fifths of the time."""

CHUNK_TILES = 12 * CACHE_LINE
"""Tiles that a layer processes at a time, so that memory hardly grows with the length of a motion."""

MAX_CACHED_SHAPES = 2000
"""Shapes of scratch arrays that a thread caches: those of some dozens of lengths."""

Planes = NDArray[np.float32]
"""Tiled rows (planes, B, C, tiles)."""


class _ScratchArrays(threading.local):
    """Scratch memory of each thread, reused: allocating new pages took a third of the time."""

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[np.float32]] = {}
        self._known: dict[tuple[str, tuple[int, ...]], NDArray[np.float32]] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return an uninitialised array; the next one of the same name shares its memory."""
        known = self._known.get((name, shape))
        return self._shaped(name, shape) if known is None else known

    def _shaped(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        size = math.prod(shape)
        if name not in self._memory or self._memory[name].size < size:
            memory = np.empty(size + CACHE_LINE, dtype=np.float32)
            self._memory[name] = memory[-(memory.ctypes.data // memory.itemsize) % CACHE_LINE :]
            self._known.clear()  # views of the smaller array are stale
        if len(self._known) >= MAX_CACHED_SHAPES:
            self._known.clear()
        self._known[name, shape] = self._memory[name][:size].reshape(shape)
        return self._known[name, shape]


_scratch = _ScratchArrays()


@dataclass(frozen=True, eq=False)
class _Product:
    """Product of one cluster of a layer: input channels, output rows, weights G w (n, 1, out, in)."""

    channels: NDArray[np.int64]
    rows: slice
    weights: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Layer:
    """Skeleton-aware convolution: its products and the bias (out, 1) of every output channel."""

    products: tuple[_Product, ...]
    bias: NDArray[np.float32]


class NumpyGenerator:
    """Generator G_i of a stage of a model, for a neighbour matrix `near` (G, G) and its `clusters`."""

    def __init__(self, model: Model, stage: int, near: NDArray[np.bool_], clusters: Sequence[Cluster]) -> None:
        prefix = f"stage{stage}.layer"
        self._short = minimal_filter(model.recipe.kernel)
        self._half = model.recipe.kernel // 2
        self._layers = [
            _layer(model.weights[f"{prefix}{j}.weight"], model.weights[f"{prefix}{j}.bias"], near, clusters)
            for j in range(len(model.recipe.hidden) + 1)
        ]

    def refine(self, base: Rows, noise: Rows) -> Rows:
        """Return x_i = G_i(base + noise) + base; `noise` (B, 1, T) or (B, C, T) is scaled by σ_i already."""
        batch, _, frames = base.shape
        half, tile, reads = self._half, self._short.tile, self._short.reads
        count = -(-(frames + 2 * half) // tile)
        # Zeros follow each row: at least as many tiles as rows are shifted by.
        width = -(-(count + -(-half // tile)) // CACHE_LINE) * CACHE_LINE
        centre = slice(half, half + tile)
        seen = _scratch.array("seen 0", (reads, batch, base.shape[1], width))
        _cut(base, noise, half, seen[centre, ..., :count])
        for number, layer in enumerate(self._layers):
            _fill_margins(seen[centre], half, frames)
            _spread(seen, half, tile)
            out = _scratch.array(f"seen {(number + 1) % 2}", (reads, batch, len(layer.bias), width))
            _convolve(seen, layer, self._short, out[centre])
            if number < len(self._layers) - 1:
                _activate(out[centre])
            seen = out
        joined = seen[centre, ..., :count].transpose(1, 2, 3, 0).reshape(batch, -1, count * tile)
        refined: Rows = joined[..., half : half + frames] + base
        return refined


def _layer(
    pairs: NDArray[np.float32], bias: NDArray[np.float32], near: NDArray[np.bool_], clusters: Sequence[Cluster]
) -> _Layer:
    """Build a layer from its pair weights (P, outside, inside, kernel)."""
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
    """Set `planes` (m, B, C, tiles) to base + noise, without margins."""
    tile, batch, channels, count = planes.shape
    padded = _scratch.array("padded", (batch, channels, count * tile))
    np.add(base, noise, out=padded[..., half : half + base.shape[2]])
    planes[:] = padded.reshape(batch, channels, count, tile).transpose(3, 0, 1, 2)


def _fill_margins(planes: Planes, half: int, frames: int) -> None:
    """Fill the margins of each sample by reflection, and the rest of the last tile with zeros."""
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
    """Set the outer of the n planes that a tile depends on to rows of the tiles before and after."""
    flat = seen.reshape(len(seen), -1)
    for shift in range(-(-half // tile), 0, -1):
        # Planes `shift` tiles before and after the tile; the zeros behind each row separate the rows.
        size = min(tile, half - (shift - 1) * tile)
        low, high = half - (shift - 1) * tile - size, half + shift * tile
        flat[low : low + size, shift:] = flat[half + tile - size : half + tile, :-shift]
        flat[low : low + size, :shift] = 0.0
        flat[high : high + size, :-shift] = flat[half : half + size, shift:]
        flat[high : high + size, -shift:] = 0.0


def _convolve(seen: Planes, layer: _Layer, short: MinimalFilter, out: Planes) -> None:
    """Set `out` (m, B, outputs, tiles) to Aᵀ[(G w)(Bᵀ x)] + bias for the tiles x in `seen`."""
    reads, batch, inputs, count = seen.shape
    for start in range(0, count, CHUNK_TILES):
        part = slice(start, min(start + CHUNK_TILES, count))
        tiles = part.stop - start
        values = _scratch.array("values", (reads, batch, inputs, tiles))
        transform(short.inputs, seen[..., part], values)
        results = _scratch.array("results", (reads, batch, len(layer.bias), tiles))
        for product in layer.products:
            source = _scratch.array("source", (reads, batch, len(product.channels), tiles))
            values.take(product.channels, axis=2, out=source, mode="clip")  # other modes make a copy
            multiply(product.weights, source, results[:, :, product.rows])
        results[short.constant] += layer.bias
        transform(short.outputs, results, out[..., part])


def _activate(planes: Planes) -> None:
    """Apply the LeakyReLU in place, plane by plane to stay in the cache."""
    for plane in planes:
        np.maximum(plane, np.multiply(plane, SLOPE, out=_scratch.array("sloped", plane.shape)), out=plane)


def multiply(weights: NDArray[np.float32], source: Planes, out: Planes) -> None:
    """Multiply weights (n, 1, out, in) by (n, B, in, tiles)."""
    if products_are_fast():
        matrix_product(weights, source, out=out)
    else:
        _multiply_plainly(weights, source, out)


def transform(matrix: NDArray[np.float32], planes: Planes, out: Planes) -> None:
    """Multiply a matrix by the planes of every channel."""
    if products_are_fast():
        # One product for each channel, so that its rows stay in the cache: a single product takes twice as long.
        matrix_product(matrix, planes.transpose(1, 2, 0, 3), out=out.transpose(1, 2, 0, 3))
    else:
        _transform_plainly(matrix, planes, out)


def _multiply_plainly(weights: NDArray[np.float32], source: Planes, out: Planes) -> None:
    # Without BLAS, matmul is a plain triple loop; einsum at least uses SIMD.
    for matrix, samples, results in zip(weights[:, 0], source, out, strict=True):
        for sample, result in zip(samples, results, strict=True):  # a single einsum would use a slower inner loop
            np.einsum("ij,jt->it", matrix, sample, out=result)


def _transform_plainly(matrix: NDArray[np.float32], planes: Planes, out: Planes) -> None:
    for row, result in zip(matrix, out, strict=True):
        np.multiply(planes[0], row[0], out=result)
        for factor, plane in zip(row[1:], planes[1:], strict=True):
            if factor:
                result += factor * plane
