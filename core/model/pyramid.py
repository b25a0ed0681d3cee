"""Pyramid of stages on numpy arrays: resampling, also of circles, and running generators in sequence."""

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


MARGIN_ROWS = 12
"""Rows of the other end by which a circle is extended for a network: four layers of kernel size five reach eight rows
on either side."""


@dataclass(frozen=True, eq=False)
class Around:
    """Constraints on rows (B, C, T) of a stage.

    The ends of a `circle` are joined. `target` (C, T) are kept rows and `weights` (C, T), from 0 to 1, their weights;
    both are None if no rows are kept.
    """

    circle: bool = False
    target: NDArray[np.float32] | None = None
    weights: NDArray[np.float32] | None = None


@runtime_checkable
class SurroundedStageGenerator(StageGenerator, Protocol):
    """Generator of a stage that itself takes account of circles and kept rows."""

    def refine_around(self, base: Rows, noise: Rows, around: Around) -> Rows:
        """Return the stage's output with kept rows held and the ends of a circle joined."""


def refine_around(generator: StageGenerator, base: Rows, noise: Rows, around: Around) -> Rows:
    """Run a stage of any backend on rows of a circle, or of which some are kept.

    For a network, a circle is extended by its other end on either side; kept rows enter by the base alone.
    """
    if isinstance(generator, SurroundedStageGenerator):
        return generator.refine_around(base, noise, around)
    if not around.circle:
        return generator.refine(base, noise)
    length = base.shape[-1]
    margin = min(MARGIN_ROWS, length)
    return generator.refine(_wrap(base, margin), _wrap(noise, margin))[..., margin : margin + length]


def _wrap(x: Rows, margin: int) -> Rows:
    return np.concatenate([x[..., x.shape[-1] - margin :], x, x[..., :margin]], axis=-1)


def resize(rows: Rows, length: int) -> Rows:
    """Resample linearly over time, (B, C, T) → (B, C, length); rows cover equal spans, as in GANimator."""
    frames = rows.shape[-1]
    if frames == length:
        return rows
    times = np.maximum((np.arange(length) + 0.5) * (frames / length) - 0.5, 0.0)
    low = np.minimum(times.astype(int), frames - 1)
    return _between(rows, low, np.minimum(low + 1, frames - 1), times - low)


def resize_circle(rows: Rows, length: int) -> Rows:
    """Resample the rows of a circle linearly, (B, C, T) → (B, C, length); rows cover equal spans as in `resize`."""
    frames = rows.shape[-1]
    times = (np.arange(length) + 0.5) * (frames / length) - 0.5
    low = np.floor(times).astype(int)
    return _between(rows, low % frames, (low + 1) % frames, times - low)


def _between(rows: Rows, low: NDArray[np.int64], high: NDArray[np.int64], share: NDArray[np.float64]) -> Rows:
    weights = share.astype(np.float32)
    mixed: Rows = rows.take(low, axis=-1, mode="clip")
    mixed *= np.float32(1.0) - weights
    above = rows.take(high, axis=-1, mode="clip")
    above *= weights
    mixed += above
    return mixed


def run_stages(
    generators: Sequence[StageGenerator], lengths: Sequence[int], noises: Sequence[Rows | None], base: Rows
) -> Rows:
    """Run consecutive stages: x_i = G_i(↑x_{i-1} + σ_i z_i) + ↑x_{i-1} (Roditakis et al. 2024).

    `base` (B, C, T) enters the first stage; `noises` are scaled (B, 1, T_i) or (B, C, T_i), or None for zeros.
    """
    x = base
    for generator, length, noise in zip(generators, lengths, noises, strict=True):
        x = resize(x, length)
        x = generator.refine(x, noise if noise is not None else np.zeros_like(x[:, :1]))
    return x
