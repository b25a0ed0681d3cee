"""Least-jerk blending of generated frames with kept ones, continuous in position, velocity and acceleration.

The offset e between the generated curve and the kept one is known in kept frames. In free frames it minimises
|e|² + 3 L² |De|² + 3 L⁴ |D²e|² + L⁶ |D³e|², with D the difference in time and L the decay in frames: it fades within a
few L without overshoot. The third differences extend across every join, hence the continuity. The symmetric banded
systems are solved here, since Blender has no scipy.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .rotation import Array
from .smoothing import runs_of

DECAY_FRAMES = 3.5
"""Decay L in frames at 30 fps; an offset is negligible after 6 L."""

FIXED = 1.0 - 1e-6
"""Weight from which a frame is kept exactly."""

DRIFT_DECAY = 3.0
"""Factor of the decay for drifting offsets, such as the root's: a body accelerates more slowly than a hand."""

BLEND_FRAMES = 14.0
"""Frames at 30 fps on either side of a join in which generated frames are smoothed."""

SOLVER_BLOCK = 40
"""Unknowns of a dense block of a long banded system."""

BLOCK_SIZES = (20, 40, 80)
"""Upper limits in frames of the size classes of free runs; those of one class are solved in one batch."""

_STENCILS = (np.array([1.0]), np.array([-1.0, 1.0]), np.array([1.0, -2.0, 1.0]), np.array([-1.0, 3.0, -3.0, 1.0]))
_BINOMIAL = (1.0, 3.0, 3.0, 1.0)
_BAND = 3
"""Bands above the diagonal: the order of the highest difference."""


def least_jerk_offsets(
    offsets: Array, weights: Array, decay: float = DECAY_FRAMES, *, drift: bool = False, loop: bool = False
) -> Array:
    """Extend offsets (T, C), known where `weights` (T,) are above 0, to all frames; weight 0 is free, 1 exact.

    A single frame of weight w between free frames moves by w times its offset. With `drift` offsets do not fade but
    change evenly from one known frame to the next, as a root position must; with `loop` the frames form a circle.
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
        if blocks and start - blocks[-1][1] < _BAND:  # fewer kept frames between them than bands: one system
            start = blocks.pop()[0]
        blocks.append((start, stop))
    inner = [(a, b) for a, b in blocks if a >= _BAND and b <= len(weights) - _BAND and b - a <= BLOCK_SIZES[-1]]
    for start, stop in blocks:
        if (start, stop) not in inner:
            _fill(result, weights, start, stop, decay, drift)
    for shortest, longest in itertools.pairwise((0, *BLOCK_SIZES)):
        alike = [(a, b) for a, b in inner if shortest < b - a <= longest]
        if alike:
            _fill_inner(result, weights, np.array(alike), decay, drift)
    return result


def patterns_of(weights: Array) -> list[tuple[NDArray[np.int64], Array]]:
    """Group equal columns of weights (T, N): column indices and their values (T,); columns of zeros are left out."""
    indices: dict[bytes, list[int]] = {}
    columns = np.ascontiguousarray(weights.T)
    for number, column in enumerate(columns):
        indices.setdefault(column.tobytes(), []).append(number)
    return [(np.array(equal), columns[equal[0]]) for equal in indices.values() if columns[equal[0]].any()]


def near_joins(kept: NDArray[np.bool_], reach: float) -> Array:
    """Return the nearness (T,) of each frame to a border of kept frames: 1 there, smoothly 0 beyond `reach` frames."""
    edges = np.flatnonzero(np.diff(kept.astype(int))) + 0.5
    if not len(edges):
        return np.zeros(len(kept))
    distance = np.abs(np.arange(len(kept))[:, None] - edges).min(axis=1)
    return ease(1.0 - distance / reach)


def ease(share: Array) -> Array:
    """Return weights from 0 to 1 for shares, clipped to that, without velocity and acceleration at both ends."""
    x = np.clip(share, 0.0, 1.0)
    return np.asarray(x**3 * (10.0 - 15.0 * x + 6.0 * x**2))


def _within(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Dilate a mask (T,) by `reach` frames to both sides."""
    count = np.cumsum(np.concatenate([[0], mask]))
    at = np.arange(len(mask))
    return count[np.minimum(at + reach + 1, len(mask))] > count[np.maximum(at - reach, 0)]


def _fill_inner(result: Array, weights: Array, blocks: NDArray[np.int64], decay: float, drift: bool) -> None:
    """Solve `_fill` for runs (N, 2) away from both ends in one batch: there all rows of the energy matrix are equal."""
    stencil = _energy(3 * _BAND, decay, drift)[:, _BAND]
    size = int((blocks[:, 1] - blocks[:, 0]).max())
    around = blocks[:, :1] + np.arange(-_BAND, size + _BAND)
    inside = (around >= blocks[:, :1]) & (around < blocks[:, 1:])
    around = around.clip(0, len(weights) - 1)
    fixed = ~inside | (weights[around] >= FIXED)
    values = result[around]
    known = np.where(fixed[:, :, None], values, 0.0)
    middle = slice(_BAND, _BAND + size)
    free = ~fixed[:, middle]
    pull = np.where(free, _stiffness(weights[around[:, middle]], decay), 0.0)
    right = pull[:, :, None] * values[:, middle] - stencil[0] * known[:, middle]
    for offset in range(1, _BAND + 1):
        right -= stencil[offset] * (
            known[:, _BAND - offset : _BAND - offset + size] + known[:, _BAND + offset : _BAND + offset + size]
        )
    right = np.where(free[:, :, None], right, known[:, middle])
    solved = np.linalg.solve(_matrices(stencil, free, pull + 1e-9 * drift), right)
    result[around[:, middle][free]] = solved[free]


def _matrices(stencil: Array, free: NDArray[np.bool_], pull: Array) -> Array:
    """Build the systems (N, size, size) of a batch of runs; rows of fixed frames are those of the identity."""
    size = free.shape[1]
    apart = np.abs(np.arange(size)[:, None] - np.arange(size))
    full = np.where(apart <= _BAND, stencil[apart.clip(max=_BAND)], 0.0)
    matrices = full * (free[:, :, None] & free[:, None, :])
    rows = np.arange(size)
    matrices[:, rows, rows] = np.where(free, stencil[0] + pull, 1.0)
    return np.asarray(matrices)


def _fill(result: Array, weights: Array, start: int, stop: int, decay: float, drift: bool) -> None:
    """Solve for the offsets of frames [start, stop), in place; frames beside them and exact frames are known."""
    low, high = max(0, start - _BAND), min(len(weights), stop + _BAND)
    own = slice(start - low, stop - low)
    fixed = np.ones(high - low, dtype=bool)
    fixed[own] = weights[start:stop] >= FIXED
    known = np.flatnonzero(fixed | (weights[low:high] > 0))
    if 2 * len(known) < result.shape[1]:  # solve for the effect of each known frame, shared by all columns
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
    for offset in range(
        1, _BAND + 1
    ):  # bands[o, i] couples i and i + o; known values are on the right-hand side already
        bands[offset, fixed] = 0.0
        bands[offset, :-offset][fixed[offset:]] = 0.0
        bands[offset, own.stop - offset :] = 0.0
    return _solve(bands[:, own], right[own])


def _stiffness(weights: Array, decay: float) -> Array:
    """Return the stiffness that moves a single frame by `weights` of its offset; a unit offset has energy 16 L / 3."""
    return (16.0 * decay / 3.0) * weights / (1.0 - np.minimum(weights, FIXED))


def _energy(count: int, decay: float, drift: bool) -> Array:
    """Return the quadratic form of the energy as bands (4, count): bands[o, i] is the entry of rows i and i + o."""
    bands = np.zeros((_BAND + 1, count))
    for order, (stencil, factor) in enumerate(zip(_STENCILS, _BINOMIAL, strict=True)):
        if (drift and order == 0) or count <= order:
            continue
        scale = factor * decay ** (2 * order)
        for i, one in enumerate(stencil):
            for j in range(i, len(stencil)):
                bands[j - i, i : i + count - order] += scale * one * stencil[j]
    return bands


def _product(bands: Array, values: Array, rows: NDArray[np.int64]) -> Array:
    """Multiply the symmetric banded matrix by values (count, C) that are 0 except in `rows`."""
    result = np.zeros_like(values)
    result[rows] = bands[0][rows, None] * values[rows]
    for offset in range(1, min(_BAND, len(values) - 1) + 1):
        below, above = rows[rows >= offset], rows[rows < len(values) - offset]
        result[below - offset] += bands[offset][below - offset, None] * values[below]
        result[above + offset] += bands[offset][above, None] * values[above]
    return result


def _full(bands: Array) -> Array:
    """Expand bands to the dense symmetric matrix."""
    matrix = np.diag(bands[0])
    rows = np.arange(len(matrix))
    for offset in range(1, min(_BAND, len(matrix) - 1) + 1):
        matrix[rows[:-offset], rows[offset:]] = matrix[rows[offset:], rows[:-offset]] = bands[offset, :-offset]
    return matrix


def _solve(bands: Array, right: Array) -> Array:
    """Solve a symmetric positive definite banded system block by block, in time linear in its size."""
    count = bands.shape[1]
    pieces: list[tuple[Array, Array]] = []
    link = np.zeros((_BAND, _BAND))
    for start in range(0, count, SOLVER_BLOCK):
        stop = min(start + SOLVER_BLOCK, count)
        matrix, known = _full(bands[:, start:stop]), np.zeros((stop - start, right.shape[1] + _BAND))
        known[:, :-_BAND] = right[start:stop]
        if pieces:  # eliminate the last rows of the block before
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
    for block, coupling in reversed(pieces[:-1]):
        rows = values[-1][:_BAND]
        values.append(block - coupling[:, : len(rows)] @ rows)
    return np.concatenate(values[::-1])


def _link(bands: Array, stop: int) -> Array:
    """Return the entries (_BAND, _BAND) that couple the last rows before `stop` with the rows from there on."""
    link = np.zeros((_BAND, _BAND))
    for i in range(_BAND):
        for j in range(min(i + 1, bands.shape[1] - stop)):
            link[i, j] = bands[_BAND - i + j, stop - _BAND + i]
    return link
