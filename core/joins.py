"""Joins: what is free bends towards what is kept, without a jump in place, velocity or acceleration.

The offset e between a generated curve and the one to keep is known where frames are kept. Elsewhere it is the sequence
that minimises |e|² + 3 L² |De|² + 3 L⁴ |D²e|² + L⁶ |D³e|²: the least jerk, dying away within a few L without swinging
back. Its third differences run across every join, so place, velocity and acceleration go on there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rotation import Array

DECAY = 3.5
"""L in frames at 30 a second; after six of them nothing is left of an offset."""

EXACT = 1.0 - 1e-6
"""A weight from here on is kept exactly."""

GENTLER = 3.0
"""How many times longer a difference in speed takes to die away where offsets drift: a body is heavier than a hand."""

JOIN = 14.0
"""Frames at 30 a second on either side of a join in which what is new is calmed."""

SHORT = 160
"""Unknowns up to which a full matrix is faster than a loop in Python."""

_STENCILS = (np.array([1.0]), np.array([-1.0, 1.0]), np.array([1.0, -2.0, 1.0]), np.array([-1.0, 3.0, -3.0, 1.0]))
_BINOMIAL = (1.0, 3.0, 3.0, 1.0)
_BAND = 3


def spread_offsets(
    offsets: Array, weights: Array, decay: float = DECAY, *, drift: bool = False, loop: bool = False,
) -> Array:  # fmt: skip
    """Offsets for all frames (T, C) from those at frames with a weight (T,) from 0, free, to 1, exact.

    A single frame of weight w between free ones comes w of its way. With `drift` an offset does not die away, it goes
    over evenly into the next, as a root's place must; with `loop` the frames are a circle.
    """
    if not (weights > 0).any():
        return np.zeros_like(offsets)
    if loop:
        frames = len(weights)
        tiled = spread_offsets(np.tile(offsets, (3, 1)), np.tile(weights, 3), decay, drift=drift)
        return tiled[frames : 2 * frames]
    decay = GENTLER * decay if drift else decay
    result = np.where(weights[:, None] > 0, offsets, 0.0)
    exact = weights >= EXACT
    near = _within(weights > 0, len(weights) if drift else int(np.ceil(8.0 * decay)))
    blocks: list[tuple[int, int]] = []
    for start, stop in runs_of(~exact & near):
        if blocks and start - blocks[-1][1] < _BAND:  # too few kept frames between them to part them
            start = blocks.pop()[0]
        blocks.append((start, stop))
    for alike in _alike(blocks, weights):
        _fill_alike(result, weights, alike, decay, drift)
    return result


def runs_of(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs [start, stop) of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def patterns_of(weights: Array) -> list[tuple[NDArray[np.int64], Array]]:
    """Columns of weights (T, N) that are alike, with what they hold (T,); those that are all zero left out."""
    alike: dict[bytes, list[int]] = {}
    columns = np.ascontiguousarray(weights.T)
    for number, column in enumerate(columns):
        alike.setdefault(column.tobytes(), []).append(number)
    return [(np.array(own), columns[own[0]]) for own in alike.values() if columns[own[0]].any()]


def near_joins(kept: NDArray[np.bool_], reach: float) -> Array:
    """How near each frame (T,) is to where kept frames end: 1 there, falling smoothly to 0 within `reach` frames."""
    edges = np.flatnonzero(np.diff(kept.astype(int))) + 0.5
    if not len(edges):
        return np.zeros(len(kept))
    distance = np.abs(np.arange(len(kept))[:, None] - edges).min(axis=1)
    share = np.clip(1.0 - distance / reach, 0.0, 1.0)
    near: Array = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
    return near


def _within(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """True up to `reach` frames from a true one."""
    count = np.cumsum(np.concatenate([[0], mask]))
    at = np.arange(len(mask))
    return count[np.minimum(at + reach + 1, len(mask))] > count[np.maximum(at - reach, 0)]


def _alike(blocks: list[tuple[int, int]], weights: Array) -> list[list[tuple[int, int]]]:
    """Blocks of frames that are as long and have the same weights in and beside them, as between even keys."""
    found: dict[tuple[int, bytes], list[tuple[int, int]]] = {}
    for start, stop in blocks:
        low, high = max(0, start - _BAND), stop + _BAND
        found.setdefault((start - low, weights[low:high].tobytes()), []).append((start, stop))
    return list(found.values())


def _fill_alike(result: Array, weights: Array, blocks: list[tuple[int, int]], decay: float, drift: bool) -> None:
    """Solve for blocks that are alike at once, their columns side by side."""
    if len(blocks) == 1:
        _fill(result, weights, *blocks[0], decay, drift)
        return
    start, stop = blocks[0]
    low, high = max(0, start - _BAND), min(len(weights), stop + _BAND)
    shifts = [begin - start for begin, _ in blocks]
    rows = np.concatenate([result[low + shift : high + shift] for shift in shifts], axis=1)
    _fill(rows, weights[low:high], start - low, stop - low, decay, drift)
    for shift, part in zip(shifts, np.split(rows, len(blocks), axis=1), strict=True):
        result[start + shift : stop + shift] = part[start - low : stop - low]


def _fill(result: Array, weights: Array, start: int, stop: int, decay: float, drift: bool) -> None:
    """Solve for the offsets of some frames, those beside them, and exact ones among them, being known."""
    low, high = max(0, start - _BAND), min(len(weights), stop + _BAND)
    own = slice(start - low, stop - low)
    fixed = np.ones(high - low, dtype=bool)
    fixed[own] = weights[start:stop] >= EXACT
    bands = _energy(high - low, decay, drift)
    known = np.where(fixed[:, None], result[low:high], 0.0)
    pull = np.where(fixed, 0.0, _stiffness(weights[low:high], decay))
    right = np.where(fixed[:, None], known, pull[:, None] * result[low:high] - _product(bands, known))
    bands[0] += pull + 1e-9 * drift
    bands[0, fixed] = 1.0
    for offset in range(1, _BAND + 1):  # bands[o, i] joins i and i + o; what is known is on the right already
        bands[offset, fixed] = 0.0
        bands[offset, :-offset][fixed[offset:]] = 0.0
        bands[offset, own.stop - offset :] = 0.0
    result[start:stop] = _solve(bands[:, own], right[own])


def _stiffness(weights: Array, decay: float) -> Array:
    """A pull under which one frame comes `weights` of its way: the energy of a unit offset at a point is 16 L / 3."""
    return (16.0 * decay / 3.0) * weights / (1.0 - np.minimum(weights, EXACT))


def _energy(count: int, decay: float, drift: bool) -> Array:
    """The quadratic form of the energy as bands (4, count): bands[o, i] is the entry of rows i and i + o."""
    bands = np.zeros((_BAND + 1, count))
    for order, (stencil, times) in enumerate(zip(_STENCILS, _BINOMIAL, strict=True)):
        if (drift and order == 0) or count <= order:
            continue
        scale = times * decay ** (2 * order)
        for i, one in enumerate(stencil):
            for j in range(i, len(stencil)):
                bands[j - i, i : i + count - order] += scale * one * stencil[j]
    return bands


def _product(bands: Array, values: Array) -> Array:
    """The symmetric banded matrix times values (count, C)."""
    result = bands[0][:, None] * values
    for offset in range(1, min(_BAND, len(values) - 1) + 1):
        band = bands[offset, :-offset][:, None]
        result[:-offset] += band * values[offset:]
        result[offset:] += band * values[:-offset]
    return result


def _full(bands: Array) -> Array:
    matrix = np.diag(bands[0])
    rows = np.arange(len(matrix))
    for offset in range(1, min(_BAND, len(matrix) - 1) + 1):
        matrix[rows[:-offset], rows[offset:]] = matrix[rows[offset:], rows[:-offset]] = bands[offset, :-offset]
    return matrix


def _solve(bands: Array, right: Array) -> Array:
    """Solve a symmetric positive banded system by L D Lᵀ, linear in its length; short ones as a full matrix."""
    count = bands.shape[1]
    if count <= SHORT:
        return np.asarray(np.linalg.solve(_full(bands), right))
    lower = np.zeros((_BAND + 1, count + _BAND))
    diagonal, first, second, third = ([*row.tolist(), *([0.0] * _BAND)] for row in bands)
    for k in range(count):
        pivot = diagonal[k]
        a, b, c = first[k] / pivot, second[k] / pivot, third[k] / pivot
        lower[0, k], lower[1, k], lower[2, k], lower[3, k] = pivot, a, b, c
        diagonal[k + 1] -= a * first[k]
        first[k + 1] -= a * second[k]
        second[k + 1] -= a * third[k]
        diagonal[k + 2] -= b * second[k]
        first[k + 2] -= b * third[k]
        diagonal[k + 3] -= c * third[k]
    values = np.concatenate([right, np.zeros((_BAND, right.shape[1]))])
    below = np.ascontiguousarray(lower[1:].T)
    for k in range(count):
        values[k + 1 : k + 4] -= below[k, :, None] * values[k]
    values[:count] /= lower[0, :count, None]
    for k in range(count - 1, -1, -1):
        values[k] -= below[k] @ values[k + 1 : k + 4]
    return values[:count]
