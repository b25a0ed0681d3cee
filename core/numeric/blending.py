"""Joins: what is free bends towards what is kept, without a jump in place, velocity or acceleration.

The offset e between a generated curve and the one to keep is known where frames are kept. Elsewhere it is the sequence
that minimises |e|² + 3 L² |De|² + 3 L⁴ |D²e|² + L⁶ |D³e|²: the least jerk, dying away within a few L without swinging
back. Its third differences run across every join, so place, velocity and acceleration go on there.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .rotation import Array

DECAY = 3.5
"""L in frames at 30 a second; after six of them nothing is left of an offset."""

FIXED = 1.0 - 1e-6
"""A weight from here on is kept exactly."""

DRIFT_DECAY = 3.0
"""How many times longer a difference in speed takes to die away where offsets drift: a body is heavier than a hand."""

BLEND_FRAMES = 14.0
"""Frames at 30 a second on either side of a join in which what is new is calmed."""

PIECE = 40
"""Unknowns of a long system that are solved together."""

SHORT = (20, 40, 80)
"""Frames up to which blocks are solved side by side with others about as long."""

_STENCILS = (np.array([1.0]), np.array([-1.0, 1.0]), np.array([1.0, -2.0, 1.0]), np.array([-1.0, 3.0, -3.0, 1.0]))
_BINOMIAL = (1.0, 3.0, 3.0, 1.0)
_BAND = 3


def least_jerk_offsets(
    offsets: Array, weights: Array, decay: float = DECAY, *, drift: bool = False, loop: bool = False
) -> Array:
    """Offsets for all frames (T, C) from those at frames with a weight (T,) from 0, free, to 1, exact.

    A single frame of weight w between free ones comes w of its way. With `drift` an offset does not die away, it goes
    over evenly into the next, as a root's place must; with `loop` the frames are a circle.
    """
    if not (weights > 0).any():
        return np.zeros_like(offsets)
    if loop:
        frames = len(weights)
        tiled = least_jerk_offsets(np.tile(offsets, (3, 1)), np.tile(weights, 3), decay, drift=drift)
        return tiled[frames : 2 * frames]
    decay = DRIFT_DECAY * decay if drift else decay
    result = np.where(weights[:, None] > 0, offsets, 0.0)
    exact = weights >= FIXED
    near = _within(weights > 0, len(weights) if drift else int(np.ceil(8.0 * decay)))
    blocks: list[tuple[int, int]] = []
    for start, stop in runs_of(~exact & near):
        if blocks and start - blocks[-1][1] < _BAND:  # too few kept frames between them to part them
            start = blocks.pop()[0]
        blocks.append((start, stop))
    inner = [(a, b) for a, b in blocks if a >= _BAND and b <= len(weights) - _BAND and b - a <= SHORT[-1]]
    for start, stop in blocks:
        if (start, stop) not in inner:
            _fill(result, weights, start, stop, decay, drift)
    for shortest, longest in itertools.pairwise((0, *SHORT)):
        alike = [(a, b) for a, b in inner if shortest < b - a <= longest]
        if alike:
            _fill_inner(result, weights, np.array(alike), decay, drift)
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


def _fill_inner(result: Array, weights: Array, blocks: NDArray[np.int64], decay: float, drift: bool) -> None:
    """As `_fill`, for blocks (N, 2) away from both ends, all at once: there the energy is the same everywhere."""
    stencil = _energy(3 * _BAND, decay, drift)[:, _BAND]
    size = int((blocks[:, 1] - blocks[:, 0]).max())
    around = blocks[:, :1] + np.arange(-_BAND, size + _BAND)
    inside = (around >= blocks[:, :1]) & (around < blocks[:, 1:])
    around = around.clip(0, len(weights) - 1)
    fixed = ~inside | (weights[around] >= FIXED)
    values = result[around]
    known = np.where(fixed[:, :, None], values, 0.0)
    own = slice(_BAND, _BAND + size)
    free = ~fixed[:, own]
    pull = np.where(free, _stiffness(weights[around[:, own]], decay), 0.0)
    right = pull[:, :, None] * values[:, own] - stencil[0] * known[:, own]
    for offset in range(1, _BAND + 1):
        right -= stencil[offset] * (
            known[:, _BAND - offset : _BAND - offset + size] + known[:, _BAND + offset : _BAND + offset + size]
        )
    right = np.where(free[:, :, None], right, known[:, own])
    solved = np.linalg.solve(_matrices(stencil, free, pull + 1e-9 * drift), right)
    result[around[:, own][free]] = solved[free]


def _matrices(stencil: Array, free: NDArray[np.bool_], pull: Array) -> Array:
    """The systems (N, size, size) of blocks; frames that are not free keep what they have."""
    size = free.shape[1]
    apart = np.abs(np.arange(size)[:, None] - np.arange(size))
    full = np.where(apart <= _BAND, stencil[apart.clip(max=_BAND)], 0.0)
    matrices = full * (free[:, :, None] & free[:, None, :])
    rows = np.arange(size)
    matrices[:, rows, rows] = np.where(free, stencil[0] + pull, 1.0)
    return np.asarray(matrices)


def _fill(result: Array, weights: Array, start: int, stop: int, decay: float, drift: bool) -> None:
    """Solve for the offsets of some frames, those beside them, and exact ones among them, being known."""
    low, high = max(0, start - _BAND), min(len(weights), stop + _BAND)
    own = slice(start - low, stop - low)
    fixed = np.ones(high - low, dtype=bool)
    fixed[own] = weights[start:stop] >= FIXED
    known = np.flatnonzero(fixed | (weights[low:high] > 0))
    if 2 * len(known) < result.shape[1]:  # what each known frame does to the others, the same for all columns
        units = np.zeros((high - low, len(known)))
        units[known, np.arange(len(known))] = 1.0
        result[start:stop] = _filled(units, fixed, weights[low:high], own, decay, drift) @ result[low:high][known]
    else:
        result[start:stop] = _filled(result[low:high], fixed, weights[low:high], own, decay, drift)


def _filled(values: Array, fixed: NDArray[np.bool_], weights: Array, own: slice, decay: float, drift: bool) -> Array:
    bands = _energy(len(values), decay, drift)
    known = np.where(fixed[:, None], values, 0.0)
    pull = np.where(fixed, 0.0, _stiffness(weights, decay))
    moved = pull[:, None] * values - _product(bands, known, np.flatnonzero(fixed))
    right = np.where(fixed[:, None], known, moved)
    bands[0] += pull + 1e-9 * drift
    bands[0, fixed] = 1.0
    for offset in range(1, _BAND + 1):  # bands[o, i] joins i and i + o; what is known is on the right already
        bands[offset, fixed] = 0.0
        bands[offset, :-offset][fixed[offset:]] = 0.0
        bands[offset, own.stop - offset :] = 0.0
    return _solve(bands[:, own], right[own])


def _stiffness(weights: Array, decay: float) -> Array:
    """A pull under which one frame comes `weights` of its way: the energy of a unit offset at a point is 16 L / 3."""
    return (16.0 * decay / 3.0) * weights / (1.0 - np.minimum(weights, FIXED))


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


def _product(bands: Array, values: Array, rows: NDArray[np.int64]) -> Array:
    """The symmetric banded matrix times values (count, C), of which only some rows are not 0."""
    result = np.zeros_like(values)
    result[rows] = bands[0][rows, None] * values[rows]
    for offset in range(1, min(_BAND, len(values) - 1) + 1):
        below, above = rows[rows >= offset], rows[rows < len(values) - offset]
        result[below - offset] += bands[offset][below - offset, None] * values[below]
        result[above + offset] += bands[offset][above, None] * values[above]
    return result


def _full(bands: Array) -> Array:
    matrix = np.diag(bands[0])
    rows = np.arange(len(matrix))
    for offset in range(1, min(_BAND, len(matrix) - 1) + 1):
        matrix[rows[:-offset], rows[offset:]] = matrix[rows[offset:], rows[:-offset]] = bands[offset, :-offset]
    return matrix


def _solve(bands: Array, right: Array) -> Array:
    """Solve a symmetric positive banded system piece by piece, linear in its length."""
    count = bands.shape[1]
    pieces: list[tuple[Array, Array]] = []
    link = np.zeros((_BAND, _BAND))
    for start in range(0, count, PIECE):
        stop = min(start + PIECE, count)
        matrix, known = _full(bands[:, start:stop]), np.zeros((stop - start, right.shape[1] + _BAND))
        known[:, :-_BAND] = right[start:stop]
        if pieces:  # what the piece before says of its last rows
            before = link.T @ np.concatenate(pieces[-1], axis=1)[-_BAND:]
            width = min(_BAND, stop - start)
            known[:width, :-_BAND] -= before[:width, :-_BAND]
            matrix[:width, :width] -= before[:width, right.shape[1] :][:, :width]
        if stop < count:
            link = _link(bands, stop)
            known[-_BAND:, -_BAND:] = link
        solved = np.linalg.solve(matrix, known)
        pieces.append((solved[:, :-_BAND], solved[:, -_BAND:]))
    values = [pieces[-1][0]]
    for own, following in reversed(pieces[:-1]):
        rows = values[-1][:_BAND]
        values.append(own - following[:, : len(rows)] @ rows)
    return np.concatenate(values[::-1])


def _link(bands: Array, stop: int) -> Array:
    """How the last rows before `stop` and the first from there on are joined, (_BAND, _BAND)."""
    link = np.zeros((_BAND, _BAND))
    for i in range(_BAND):
        for j in range(min(i + 1, bands.shape[1] - stop)):
            link[i, j] = bands[_BAND - i + j, stop - _BAND + i]
    return link
