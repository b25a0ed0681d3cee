"""Pyramid of a clip: its resampled versions, noise amplitudes and reconstruction noise (Roditakis et al. 2024)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..model.recipe import Recipe
from .networks import Generator


@dataclass(frozen=True)
class Pyramid:
    """Ground truth of all stages: `clips` (1, C, T_i), `amplitudes` σ_i, and `code` z*_1 (1, C, T_1) scaled by σ_1."""

    clips: list[Tensor]
    amplitudes: list[float]
    code: Tensor

    @property
    def lengths(self) -> list[int]:
        return [clip.shape[-1] for clip in self.clips]

    def frames_per_row(self, stage: int) -> float:
        """Return T / T_i, the frames of the clip for each row of stage i."""
        return self.lengths[-1] / self.lengths[stage]


def build_pyramid(clip: Tensor, recipe: Recipe, random: torch.Generator) -> Pyramid:
    """Resample a clip (1, C, T) to every stage.

    σ_1 is the RMS of the clip at stage 1, σ_i that of its difference to the upsampled clip of stage i - 1.
    """
    clips = [resize(clip, length) for length in recipe.lengths(clip.shape[-1])]
    amplitudes = [float(clips[0].square().mean().sqrt())]
    for below, above in itertools.pairwise(clips):
        amplitudes.append(float((above - resize(below, above.shape[-1])).square().mean().sqrt()))
    code = torch.randn(clips[0].shape, generator=random).to(clip.device) * amplitudes[0]
    return Pyramid(clips, amplitudes, code)


def resize(x: Tensor, length: int) -> Tensor:
    """Resample linearly over time, (B, C, T) → (B, C, length); rows cover equal spans, as in GANimator."""
    if x.shape[-1] == length:
        return x
    return F.interpolate(x, size=length, mode="linear", align_corners=False)


@torch.no_grad()
def run_stages(
    generators: Sequence[Generator], lengths: Sequence[int], noises: Sequence[Tensor | None], base: Tensor
) -> Tensor:
    """Run consecutive stages: x_i = G_i(↑x_{i-1} + σ_i z_i) + ↑x_{i-1} (Roditakis et al. 2024).

    `base` (B, C, T) enters the first stage; `noises` are scaled (B, 1, T_i) or (B, C, T_i), or None for none.
    """
    x = base
    for generator, length, noise in zip(generators, lengths, noises, strict=True):
        x = resize(x, length)
        x = generator.refine(x, noise if noise is not None else torch.zeros_like(x[:, :1]))
    return x
