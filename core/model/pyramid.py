"""Pyramid of stages on numpy arrays: resampling, also of loops, and running generators in sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
"""Network rows (B, C, T) of a batch."""


class StageGenerator(Protocol):
    """Generator of a stage, of any backend."""

    def refine(self, base: Rows, noise: Rows) -> Rows:
        """Return x_i = G_i(base + noise) + base; `noise` (B, 1, T) or (B, C, T) is scaled by σ_i already."""


MARGIN = 12
"""Rows of a circle's other end that a network sees: four layers of five see eight on either side."""


@dataclass(frozen=True, eq=False)
class Around:
    """Surroundings of rows (B, C, T) of a stage: a `circle`, or what is kept.

    `target` (C, T) is kept as far as `weights` (C, T) say, from 0 to 1; None where nothing is.
    """

    circle: bool = False
    target: NDArray[np.float32] | None = None
    weights: NDArray[np.float32] | None = None


@runtime_checkable
class SurroundedStageGenerator(StageGenerator, Protocol):
    """A stage's generator that itself minds what its rows are part of."""

    def refine_around(self, base: Rows, noise: Rows, around: Around) -> Rows:
        """Refine, with kept rows held and the ends of a circle joined."""


def refine_around(generator: StageGenerator, base: Rows, noise: Rows, around: Around) -> Rows:
    """Run a stage on rows that are part of something, whatever computes it.

    A network is shown the other end of a circle on either side, and what is kept by its base alone.
    """
    if isinstance(generator, SurroundedStageGenerator):
        return generator.refine_around(base, noise, around)
    if not around.circle:
        return generator.refine(base, noise)
    length = base.shape[-1]
    margin = min(MARGIN, length)
    return generator.refine(_wrap(base, margin), _wrap(noise, margin))[..., margin : margin + length]


def _wrap(x: Rows, margin: int) -> Rows:
    return np.concatenate([x[..., x.shape[-1] - margin :], x, x[..., :margin]], axis=-1)


def resize(rows: Rows, length: int) -> Rows:
    """Resample linearly over time, (B, C, T) → (B, C, length); rows cover equal spans, as in GANimator."""
    frames = rows.shape[-1]
    if frames == length:
        return rows
    at = np.maximum((np.arange(length) + 0.5) * (frames / length) - 0.5, 0.0)
    low = np.minimum(at.astype(int), frames - 1)
    return _between(rows, low, np.minimum(low + 1, frames - 1), at - low)


def resize_circle(rows: Rows, length: int) -> Rows:
    """Resample the rows of a loop linearly; rows cover equal spans as in `resize`."""
    frames = rows.shape[-1]
    at = (np.arange(length) + 0.5) * (frames / length) - 0.5
    low = np.floor(at).astype(int)
    return _between(rows, low % frames, (low + 1) % frames, at - low)


def _between(rows: Rows, low: NDArray[np.int64], high: NDArray[np.int64], share: NDArray[np.float64]) -> Rows:
    part = share.astype(np.float32)
    mixed: Rows = rows.take(low, axis=-1, mode="clip")
    mixed *= np.float32(1.0) - part
    above = rows.take(high, axis=-1, mode="clip")
    above *= part
    mixed += above
    return mixed


def run_stages(
    generators: Sequence[StageGenerator], lengths: Sequence[int], noises: Sequence[Rows | None], base: Rows
) -> Rows:
    """Run consecutive stages: x_i = G_i(↑x_{i-1} + σ_i z_i) + ↑x_{i-1} (Roditakis et al. 2024).

    `base` (B, C, T) enters the first stage; `noises` are scaled (B, 1, T_i) or (B, C, T_i), or None for none.
    """
    x = base
    for generator, length, noise in zip(generators, lengths, noises, strict=True):
        x = resize(x, length)
        x = generator.refine(x, noise if noise is not None else np.zeros_like(x[:, :1]))
    return x
