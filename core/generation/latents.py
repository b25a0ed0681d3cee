"""Noise codes as places to be: between two variations, near one, and the motion that a place leads to."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..model.model import Model
from ..motion.motion import Motion
from ..system.threads import one_thread
from .generate import Sampler, finished, noise_code

Latents = list[NDArray[np.float32]]
"""The noise of one motion: for each stage (1, frames of the stage), of variance 1."""

SIMILARITY = 0.35
"""How far *more like this* moves the coarse noise towards another variation's, from 0 to 1."""


def latents_of_seed(model: Model, frames: int, seed: int, variation: int = 0) -> Latents:
    """The code from which `generate` makes this variation of a seed."""
    return [noise_code(seed, variation, stage, length) for stage, length in enumerate(model.recipe.lengths(frames))]


def between(one: Latents, other: Latents, share: float) -> Latents:
    """The code `share` of the way (0 to 1) along the great circle from one to another.

    A straight line would lead through codes that are shorter than any noise, to motions that hardly move.
    """
    return [_slerp(a, b, share) for a, b in zip(one, other, strict=True)]


def interpolate_seeds(model: Model, frames: int, position: float) -> Latents:
    """The code at a place on the line of all seeds: at 3 that of seed 3, at 3.5 half-way to that of seed 4."""
    seed = math.floor(position)
    share = position - seed
    here = latents_of_seed(model, frames, seed)
    return here if share == 0.0 else between(here, latents_of_seed(model, frames, seed + 1), share)


def generate_like(
    model: Model,
    *,
    like: Sequence[tuple[float, int]],
    frames: int | None = None,
    count: int = 1,
    seed: int = 0,
    clean: bool = True,
    torch: bool | None = None,
    sampler: Sampler | None = None,
) -> list[Motion]:
    """New motions near a variation; otherwise as `generate`.

    `like` gives its seed (or place between seeds) and number, then those of each variation that was made near it.
    """
    wanted = model.source.frames if frames is None else frames
    (place, variation), *steps = like
    start = (
        interpolate_seeds(model, wanted, place)
        if place % 1.0
        else latents_of_seed(model, wanted, int(place), variation)
    )
    for step_seed, step_variation in steps:
        start = perturb(model, start, int(step_seed), step_variation)
    codes = [perturb(model, start, seed, k) for k in range(count)]
    made = motions_of(sampler or Sampler(model, torch=torch), codes)
    return [finished(motion, model.source, clean) for motion in made]


def perturb(model: Model, code: Latents, seed: int, variation: int, distance: float = SIMILARITY) -> Latents:
    """A code near another: the first level goes a part of the way to a new one, finer levels are new."""
    fresh = [noise_code(seed, variation, stage, part.shape[-1]) for stage, part in enumerate(code)]
    coarse = model.recipe.stages[0]
    return [*between(code[:coarse], fresh[:coarse], distance), *fresh[coarse:]]


def motions_of(sampler: Sampler, codes: Sequence[Latents]) -> list[Motion]:
    """The motions that codes of one length lead to, at 30 frames/s, as the networks make them."""
    with one_thread():
        return sampler.motions([np.stack(parts) for parts in zip(*codes, strict=True)])


def _slerp(one: NDArray[np.float32], other: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    cosine = float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12))
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    if angle < 1e-4:
        return one
    mixed = (math.sin((1.0 - share) * angle) * one + math.sin(share * angle) * other) / math.sin(angle)
    return np.asarray(mixed, dtype=np.float32)
