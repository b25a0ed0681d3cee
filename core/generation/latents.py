"""Latent noise of motions: interpolation between seeds, generation from latents."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..model.model import Model
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample
from ..system.threads import one_thread
from .generate import Sampler, finished, rows_of_length

Latents = list[NDArray[np.float32]]
"""Noise of one motion: for each stage (1, frames of the stage), of variance 1."""

SIMILARITY = 0.35
"""Default distance, from 0 to 1, by which *More Like This* moves the coarse noise towards another variation's."""


def latents_of_seed(sampler: Sampler, frames: int, seed: int, variation: int = 0) -> Latents:
    """Return the latents from which `generate` makes this variation of a seed."""
    lengths = sampler.model.recipe.lengths(frames)
    return [sampler.code(seed, variation, stage, lengths) for stage in range(len(lengths))]


def interpolate(one: Latents, other: Latents, share: float) -> Latents:
    """Interpolate between two latents along the great circle, by `share` from 0 to 1.

    Linear interpolation would lead to noise of too small variance, and so to motions that hardly move.
    """
    return [_slerp(a, b, share) for a, b in zip(one, other, strict=True)]


def interpolate_seeds(sampler: Sampler, frames: int, position: float) -> Latents:
    """Return the latents at a position between seeds: 3 is seed 3, 3.5 is half-way from seed 3 to seed 4."""
    seed = math.floor(position)
    share = position - seed
    latents = latents_of_seed(sampler, frames, seed)
    return latents if share == 0.0 else interpolate(latents, latents_of_seed(sampler, frames, seed + 1), share)


def generate_like(
    model: Model,
    *,
    like: Sequence[tuple[float, int]],
    frames: int | None = None,
    fps: float = RATE,
    count: int = 1,
    seed: int = 0,
    clean: bool = True,
    torch: bool | None = None,
    sampler: Sampler | None = None,
) -> list[Motion]:
    """Generate motions similar to a variation; arguments are those of `generate`.

    `like` begins with the seed (or position between seeds) and number of a variation. Each further pair is a variation
    that was generated like the one before.
    """
    sampler = sampler or Sampler(model, torch=torch)
    lengths = model.recipe.lengths(rows_of_length(model, frames, fps, count))
    codes = [[code_like(sampler, like, seed, k, stage, lengths) for stage in range(len(lengths))] for k in range(count)]
    motions = motions_of(sampler, codes)
    return [resample(finished(motion, model, clean), fps, frames) for motion in motions]


def code_like(
    sampler: Sampler, like: Sequence[tuple[float, int]], seed: int, variation: int, stage: int, lengths: Sequence[int]
) -> NDArray[np.float32]:
    """Return the latent (1, T_i) of a stage for a variation generated like another, see `generate_like`."""
    (position, number), *steps = like
    first, share = math.floor(position), position % 1.0
    if share:
        code = _slerp(sampler.code(first, 0, stage, lengths), sampler.code(first + 1, 0, stage, lengths), share)
    else:
        code = sampler.code(first, number, stage, lengths)
    for step_seed, step_variation in [*steps, (seed, variation)]:
        fresh = sampler.code(int(step_seed), step_variation, stage, lengths)
        code = _slerp(code, fresh, SIMILARITY) if stage < sampler.model.recipe.stages[0] else fresh
    return code


def motions_of(sampler: Sampler, codes: Sequence[Latents], *, draft: bool = False) -> list[Motion]:
    """Generate motions at 30 fps from latents of equal length, without post-processing; see `Sampler.motions`."""
    with one_thread():
        return sampler.motions([np.stack(parts) for parts in zip(*codes, strict=True)], draft=draft)


def _slerp(one: NDArray[np.float32], other: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    cosine = float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12))
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    if angle < 1e-4:
        return one
    mixed = (math.sin((1.0 - share) * angle) * one + math.sin(share * angle) * other) / math.sin(angle)
    return np.asarray(mixed, dtype=np.float32)
