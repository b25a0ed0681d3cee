"""Baseline of the speed measurements: a plain re-implementation of GANimator's training (Li et al. 2022).

Batch 1, whole sequences; every skeleton-aware convolution is a dense one with a masked weight; the gradient penalty is
differentiated twice by autograd; an iteration is five critic steps, one generator step and one reconstruction step;
every pass starts at stage 1, and its graph includes the frozen stages, without detaching.

Shared with core are only parts that are the same in any implementation: the clip's channels, the pyramid's lengths and
amplitudes, the foot speed of the contact loss, and the numbers of the recipe `ganimator`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from core.model.channels import choose_channels
from core.model.recipe import GANIMATOR, Recipe
from core.motion.motion import RATE, Motion, with_contact_labels
from core.motion.resampling import resample
from core.motion.skeleton import GROUP
from core.networks.pyramid import build_pyramid, resize
from core.training.losses import FootSpeed, contact_loss


class MaskedConvolution(nn.Module):
    """Dense convolution over time with reflected ends, its weight masked where two groups are no neighbours."""

    def __init__(self, near: NDArray[np.bool_], inside: int, outside: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        mask = torch.from_numpy(np.kron(near, np.ones((outside, inside)))).float()[..., None]
        bound = (mask.sum((1, 2), keepdim=True) * kernel).rsqrt()
        self.register_buffer("mask", mask, persistent=False)
        self.weight = nn.Parameter((torch.rand(*mask.shape[:2], kernel) * 2 - 1) * bound)
        self.bias = nn.Parameter((torch.rand(len(mask)) * 2 - 1) * bound.flatten())

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (self.kernel // 2, self.kernel // 2), mode="reflect")
        return F.conv1d(padded, self.weight * self.get_buffer("mask"), self.bias)


def widths(groups: int, recipe: Recipe) -> list[int]:
    """Return the channels of a group in the input and in each hidden layer, rounded up to whole groups."""
    return [GROUP, *(-(-channels // groups) for channels in recipe.hidden)]


def hidden_layers(near: NDArray[np.bool_], each: Sequence[int], kernel: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inside, outside in itertools.pairwise(each):
        layers += [MaskedConvolution(near, inside, outside, kernel), nn.LeakyReLU(0.2)]
    return layers


def make_generator(near: NDArray[np.bool_], recipe: Recipe) -> nn.Sequential:
    """Build a generator of four masked convolutions (B, C, T) → (B, C, T), LeakyReLU between them."""
    each = widths(len(near), recipe)
    last = MaskedConvolution(near, each[-1], GROUP, recipe.kernel)
    return nn.Sequential(*hidden_layers(near, each, recipe.kernel), last)


def make_critic(near: NDArray[np.bool_], recipe: Recipe) -> nn.Sequential:
    """Build a critic of three masked convolutions and a plain one, (B, C, T) → (B, 1, T)."""
    each = widths(len(near), recipe)
    score = nn.Conv1d(len(near) * each[-1], 1, recipe.kernel, padding=recipe.kernel // 2, padding_mode="reflect")
    return nn.Sequential(*hidden_layers(near, each, recipe.kernel), score)


def critic_loss(critic: nn.Module, real: Tensor, fake: Tensor, mix: Tensor, penalty: float) -> Tensor:
    """Return the WGAN-GP loss (Roditakis et al. 2024, eq. 1) of real and fake (B, C, T), with the gradient penalty at
    mix · real + (1 - mix) · fake."""
    between = (mix * real + (1 - mix) * fake).requires_grad_()
    scores = critic(between)
    (slope,) = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True)
    held = (slope.norm(dim=1) - 1).square().mean()
    return critic(fake).mean() - critic(real).mean() + penalty * held


class Pool:
    """Replay buffer of up to `size` past fakes; half of the time a fake is exchanged for one of them."""

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.random = size, random.Random(seed)
        self.past: list[Tensor] = []

    def swap(self, fake: Tensor) -> Tensor:
        if len(self.past) < self.size:
            self.past.append(fake)
            return fake
        if self.random.random() < 0.5:
            return fake
        place = self.random.randrange(self.size)
        shown, self.past[place] = self.past[place], fake
        return shown


class Baseline:
    """Training of the baseline on one clip, one iteration at a time; call `start_level(0)` first."""

    def __init__(
        self, motion: Motion, recipe: Recipe = GANIMATOR, *, seed: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        torch.manual_seed(seed)
        self.recipe, self.seed, self.device = recipe, seed, torch.device(device)
        source = with_contact_labels(resample(motion, RATE))
        channels = choose_channels(source, recipe)
        clip = torch.from_numpy(channels.encode(source.features)[None]).to(self.device)
        self.near = channels.near(recipe.distance)
        self.pyramid = build_pyramid(clip, recipe, torch.Generator().manual_seed(seed))
        self.feet = FootSpeed(channels, self.device) if source.skeleton.contacts else None
        self.generators: list[nn.Sequential] = []
        self.level, self.first = 0, 0

    def start_level(self, level: int) -> None:
        """Create the networks of a level; those of the levels below, trained or not, are not updated any more."""
        while len(self.generators) < self.recipe.first_stage(level):
            self.generators.append(make_generator(self.near, self.recipe).to(self.device))
        self.level, self.first = level, len(self.generators)
        own = range(self.recipe.stages[level])
        self.generators += [make_generator(self.near, self.recipe).to(self.device) for _ in own]
        self.critics = [make_critic(self.near, self.recipe).to(self.device) for _ in own]
        self.pools = [Pool(self.recipe.pool, self.seed + k) for k in own]
        self.generator_steps = [self._adam(g, self.recipe.generator_rate) for g in self.generators[self.first :]]
        self.critic_steps = [self._adam(critic, self.recipe.critic_rate) for critic in self.critics]

    def _adam(self, module: nn.Module, rate: float) -> torch.optim.Adam:
        return torch.optim.Adam(module.parameters(), lr=rate, betas=(self.recipe.beta1, 0.999))

    def iterate(self) -> dict[str, float]:
        """Run the critic steps, one generator step and one reconstruction step; return losses averaged over stages."""
        for _ in range(self.recipe.critic_steps):
            critic = self.critic_step()
        return {"critic": critic, **self.generator_step(), "reconstruction": self.reconstruction_step()}

    def run(self, noises: Sequence[Tensor | None]) -> list[Tensor]:
        """Run every stage from the first: x_i = G_i(↑x_{i-1} + σ_i z_i) + ↑x_{i-1} (Roditakis et al. 2024)."""
        outputs: list[Tensor] = []
        x = torch.zeros_like(self.pyramid.code)
        for generator, noise, length in zip(self.generators, noises, self.pyramid.lengths, strict=False):
            x = resize(x, length)
            x = generator(x if noise is None else x + noise) + x
            outputs.append(x)
        return outputs

    def fakes(self) -> list[Tensor]:
        """Generate random samples of the level's stages from noise through all stages below."""
        pyramid = self.pyramid
        noises = [
            amplitude * torch.randn(1, 1, length, device=self.device)
            for amplitude, length in zip(pyramid.amplitudes, pyramid.lengths, strict=True)
        ]
        return self.run(noises)[self.first :]

    def critic_step(self) -> float:
        """Update every critic of the level once; return their mean loss."""
        total = 0.0
        for k, fake in enumerate(self.fakes()):
            real, mix = self.pyramid.clips[self.first + k], torch.rand(1, 1, 1, device=self.device)
            shown = self.pools[k].swap(fake.detach())
            loss = critic_loss(self.critics[k], real, shown, mix, self.recipe.gradient_penalty)
            self.critic_steps[k].zero_grad()
            loss.backward()
            self.critic_steps[k].step()
            total += float(loss.detach())
        return total / len(self.critics)

    def generator_step(self) -> dict[str, float]:
        """Update every generator of the level once on adversarial and contact loss (Roditakis et al. 2024, eqs. 2 and
        4)."""
        losses = {"adversarial": 0.0, "contact": 0.0}
        fakes = self.fakes()
        total = torch.zeros((), device=self.device)
        for critic, fake in zip(self.critics, fakes, strict=True):
            adversarial = -critic(fake).mean()
            total = total + self.recipe.adversarial[self.level] * adversarial
            losses["adversarial"] += float(adversarial.detach()) / len(fakes)
            if self.feet is not None:
                labels = self.feet.contact_labels(fake)
                contact = contact_loss(self.feet(fake, 1.0), labels, self.recipe.contact_squared)
                total = total + self.recipe.contact * contact
                losses["contact"] += float(contact.detach()) / len(fakes)
        self._step_generators(total)
        return losses

    def reconstruction_step(self) -> float:
        """Update every generator of the level once on the L1 reconstruction loss (Roditakis et al. 2024, eq. 3)."""
        rebuilt = self.run([self.pyramid.code, *[None] * (len(self.generators) - 1)])[self.first :]
        reals = self.pyramid.clips[self.first :]
        errors = [(made - real).abs().mean() for made, real in zip(rebuilt, reals, strict=False)]
        self._step_generators(self.recipe.reconstruction[self.level] * torch.stack(errors).sum())
        return float(torch.stack(errors).mean().detach())

    def _step_generators(self, loss: Tensor) -> None:
        for optimiser in self.generator_steps:
            optimiser.zero_grad()
        loss.backward()
        for optimiser in self.generator_steps:
            optimiser.step()
