"""One stage in training: its generator, its critic, and one iteration of both."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .losses import FootSpeed, contact_loss
from .networks import Critic, Generator, Graph, load_arrays, mask_gradients
from .pyramid import Pyramid
from .recipe import Recipe
from .start import Start

Task = Callable[[], tuple[list[Tensor], float]]
Runner = Callable[[Sequence[Task]], list[tuple[list[Tensor], float]]]
"""Computes gradients of independent tasks, one after the other or side by side."""


@dataclass
class Bases:
    """What a stage starts from in one iteration: random ones (B, C, T) for each critic step and one for the generator.

    `code` (1, C, T) leads to the reconstruction; at stage 1 it is the code itself and the base is zero.
    """

    random: list[Tensor]
    code: Tensor


@dataclass
class Stage:
    """Networks, optimisers and random numbers of one stage; `iterate` is deterministic for a seed."""

    index: int
    recipe: Recipe
    pyramid: Pyramid
    generator: Generator
    critic: Critic
    feet: FootSpeed | None
    random: torch.Generator
    losses: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.level = recipe.level_of(self.index)
        self.real = self.pyramid.clips[self.index]
        self.averaged = copy.deepcopy(self.generator) if recipe.average else self.generator
        betas = (recipe.beta1, 0.99 if recipe.beta1 < 0.9 else 0.999)
        self.generator_optimiser = _adam(self.generator, recipe.generator_rate, betas)
        self.critic_optimiser = _adam(self.critic, recipe.critic_rate, betas)
        self.past: list[Tensor] = []
        self.rebuilt = self.real
        self.steps = 0

    @property
    def rows(self) -> int:
        """Rows of the samples that this stage is trained on."""
        lengths = self.pyramid.lengths
        first = lengths[self.recipe.first_stage(self.level)]
        crop = min(self.recipe.crop[self.level] or first, first)
        return round(crop * lengths[self.index] / first)

    def iterate(self, bases: Bases, run: Runner) -> tuple[list[Tensor], Tensor]:
        """Critic steps, one generator step, one reconstruction step; returns what the generator made on the way.

        The samples (B, C, T) and the reconstruction (1, C, T) are detached, to feed the stage above.
        """
        self._follow_schedule()
        made: list[Tensor] = []
        for base in bases.random[:-1]:
            with torch.no_grad():
                fake = self.generator.refine(base, self.noise(base))
            made.append(fake)
            self._critic_step(self._mix_with_past(fake), run)
        base = bases.random[-1]
        last, self.rebuilt = self._generator_step(base, bases.code, run)
        self.steps += 1
        self._follow_average()
        return [*made, last], self.rebuilt

    def noise(self, base: Tensor) -> Tensor:
        """σ_i z_i, one value per frame shared by all channels (B, 1, T)."""
        z = torch.randn((base.shape[0], 1, base.shape[2]), generator=self.random)
        return z.to(base.device) * self.pyramid.amplitudes[self.index]

    def real_crops(self, count: int, rows: int) -> Tensor:
        """Random windows of the clip (count, C, rows)."""
        spare = self.real.shape[-1] - rows
        if spare <= 0:
            return self.real.expand(count, -1, -1)
        starts = torch.randint(0, spare + 1, (count,), generator=self.random).tolist()
        return torch.cat([self.real[..., start : start + rows] for start in starts])

    def _critic_step(self, fake: Tensor, run: Runner) -> None:
        real = self.real_crops(len(fake), fake.shape[-1])
        judged = max(1, round(self.recipe.penalty_share * len(fake)))
        mix = torch.rand((len(fake), 1, 1), generator=self.random).to(fake.device)
        alone = self.recipe.stages[self.level] == 1
        parts = _halves(len(fake)) if alone else [slice(0, len(fake))]
        judged_each = -(-judged // len(parts))

        def task(part: slice) -> Task:
            def gradients() -> tuple[list[Tensor], float]:
                share = (part.stop - part.start) / len(fake)
                points = mix[part][:judged_each]
                grads, gap = self.critic.gradients(real[part], fake[part], points, self.recipe.gradient_penalty)
                return [grad * share for grad in grads], float(gap) * share

            return gradients

        results = run([task(part) for part in parts])
        self.losses["critic"] = sum(value for _, value in results)
        _step(self.critic, self.critic_optimiser, [grads for grads, _ in results])

    def _generator_step(self, base: Tensor, code: Tensor, run: Runner) -> tuple[Tensor, Tensor]:
        kept: dict[str, Tensor] = {}
        noise = self.noise(base)
        weights = list(self.generator.parameters())

        def adversarial() -> tuple[list[Tensor], float]:
            fake = self.generator.refine(base, noise)
            kept["fake"] = fake.detach()
            score = -self.critic(fake, frozen=True).mean()
            loss = self.recipe.adversarial[self.level] * score
            if self.feet is not None and self.recipe.contact:
                loss = loss + self.recipe.contact * self._contact(fake)
            return list(torch.autograd.grad(loss, weights)), float(score.detach())

        def reconstruction() -> tuple[list[Tensor], float]:
            still = torch.zeros_like(code)
            rebuilt = self.generator.refine(*((still, code) if self.index == 0 else (code, still)))
            kept["rebuilt"] = rebuilt.detach()
            error = (rebuilt - self.real).abs().mean()
            weight = self.recipe.reconstruction[self.level] * self.recipe.reconstruct_every
            grads = torch.autograd.grad(weight * error, weights)
            return list(grads), float(error.detach())

        due = self.steps % self.recipe.reconstruct_every == 0
        tasks = [adversarial, reconstruction] if due else [adversarial]
        if self.recipe.joint_steps:
            results = run(tasks)
            _step(self.generator, self.generator_optimiser, [grads for grads, _ in results])
        else:
            results = []
            for task in tasks:
                results += run([task])
                _step(self.generator, self.generator_optimiser, [results[-1][0]])
        self.losses.update(zip(("adversarial", "reconstruction"), (value for _, value in results), strict=False))
        return kept["fake"], kept.get("rebuilt", self.rebuilt)

    def _contact(self, fake: Tensor) -> Tensor:
        assert self.feet is not None
        apart = self.pyramid.frames_per_row(self.index) if self.recipe.timed_root else 1.0
        loss = contact_loss(self.feet(fake, apart), self.feet.contact_labels(fake), self.recipe.contact_squared)
        self.losses["contact"] = float(loss.detach())
        return loss

    def _mix_with_past(self, fake: Tensor) -> Tensor:
        """Half of the time show the critic a sample of an earlier iteration instead, as GANimator's pool does."""
        size = self.recipe.pool
        if not size:
            return fake
        shown = []
        for sample in fake.split(1):
            if len(self.past) < size:
                self.past.append(sample)
            elif torch.rand((), generator=self.random) < 0.5:
                place = int(torch.randint(0, size, (), generator=self.random))
                sample, self.past[place] = self.past[place], sample
            shown.append(sample)
        return torch.cat(shown)

    def _follow_schedule(self) -> None:
        if self.recipe.final_rate == 1.0:
            return
        done = min(self.steps / self.recipe.iterations[self.level], 1.0)
        share = self.recipe.final_rate + (1.0 - self.recipe.final_rate) * (1.0 + math.cos(math.pi * done)) / 2.0
        self.generator_optimiser.param_groups[0]["lr"] = self.recipe.generator_rate * share
        self.critic_optimiser.param_groups[0]["lr"] = self.recipe.critic_rate * share

    @torch.no_grad()
    def _follow_average(self) -> None:
        if not self.recipe.average:
            return
        decay = min(self.recipe.average, (1 + self.steps) / (10 + self.steps))
        mine = [parameter.data for parameter in self.averaged.parameters()]
        theirs = [parameter.data for parameter in self.generator.parameters()]
        torch._foreach_lerp_(mine, theirs, 1 - decay)


def make_stage(
    index: int, recipe: Recipe, pyramid: Pyramid, graph: Graph, feet: FootSpeed | None, seed: int,
) -> Stage:  # fmt: skip
    """A stage with fresh networks, its own random numbers, on the device of the pyramid."""
    random = torch.Generator().manual_seed(seed * 1009 + index)
    device = pyramid.clips[0].device
    generator = Generator(graph, recipe.hidden, recipe.kernel, random).to(device)
    critic = Critic(graph, recipe.hidden, recipe.kernel, random).to(device)
    return Stage(index, recipe, pyramid, generator, critic, feet, random)


def transfer(below: Generator, above: Generator, layers: int) -> None:
    """Start the first layers of a generator from those of the one a level below (`paper.md`, *transfer*)."""
    for source, target in zip(below.layers[:layers], above.layers[:layers], strict=True):
        target.load_state_dict(source.state_dict())


def start_networks(stage: Stage, start: Start) -> None:
    """Start a stage from the same stage of a model; one that was saved without critics leaves the critic fresh."""
    for generator in (stage.generator, stage.averaged):
        load_arrays(generator, f"stage{stage.index}.layer", start.weights)
    if f"stage{stage.index}.critic0.weight" in start.weights:
        load_arrays(stage.critic, f"stage{stage.index}.critic", start.weights)


def _halves(count: int) -> list[slice]:
    middle = (count + 1) // 2
    return [slice(0, middle), slice(middle, count)] if count > 1 else [slice(0, count)]


def _adam(module: torch.nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Adam:
    return torch.optim.Adam(module.parameters(), lr=rate, betas=betas, fused=True)


def _step(module: torch.nn.Module, optimiser: torch.optim.Adam, parts: list[list[Tensor]]) -> None:
    """Add up the gradients of the parts, in a fixed order, and take one optimiser step."""
    for parameter, *grads in zip(module.parameters(), *parts, strict=True):
        known = [grad for grad in grads if grad is not None]
        parameter.grad = sum(known[1:], start=known[0]) if known else None
    mask_gradients(module)
    optimiser.step()
