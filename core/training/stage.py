"""One stage in training: its generator, its critic, and one iteration of both."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..model.recipe import Recipe
from ..networks.networks import Critic, Generator, Graph, load_arrays
from ..networks.pyramid import Pyramid, resize
from .cuda_graphs import RecordedStep, Recorder, Step
from .losses import FootSpeed, contact_loss
from .optimiser import adam, set_rate, step
from .sample_pool import SamplePool
from .stage_io import Runner, StageInputs, StageOutputs, StepNoise, Task
from .warm_start import WarmStart

PART_ROWS = 650
"""Frames that a part of a batch has at most on a CPU: what the layers keep of more falls out of a core's cache."""


class Stage:
    """Networks, optimisers and random numbers of one stage; deterministic for a seed."""

    def __init__(
        self,
        index: int,
        recipe: Recipe,
        pyramid: Pyramid,
        generator: Generator,
        critic: Critic,
        feet: FootSpeed | None,
        random: torch.Generator,
        new_recorder: Callable[[], Recorder] | None = None,
    ) -> None:
        self.index, self.recipe, self.pyramid, self.feet, self.random = index, recipe, pyramid, feet, random
        self.generator, self.critic = generator, critic
        self.level = recipe.level_of(index)
        self.feeds_above = index + 1 < recipe.first_stage(self.level) + recipe.stages[self.level]
        self.real = pyramid.clips[index]
        self.averaged = copy.deepcopy(generator) if recipe.average else generator
        betas = (recipe.beta1, 0.99 if recipe.beta1 < 0.9 else 0.999)
        self.generator_optimiser = adam(generator, recipe.generator_rate, betas)
        self.critic_optimiser = adam(critic, recipe.critic_rate, betas)
        self.pool = SamplePool(recipe.pool, self.real[0, :, : self.rows], random) if recipe.pool else None
        self.latest: dict[str, Tensor] = {}
        self.rebuilt = self.real
        self.steps = 0
        self.new_recorder = new_recorder
        self.part_rows = PART_ROWS
        self._recorded: dict[bool, RecordedStep] = {}

    @property
    def losses(self) -> dict[str, float]:
        """The latest loss of each kind."""
        return {name: float(value) for name, value in self.latest.items()}

    @losses.setter
    def losses(self, values: dict[str, float]) -> None:
        self.latest = {name: torch.tensor(value) for name, value in values.items()}

    @property
    def rows(self) -> int:
        """Rows of the samples that this stage is trained on."""
        return self.recipe.rows(self.pyramid.lengths, self.index)

    def draw_noises(self, inputs: StageInputs) -> list[StepNoise]:
        """The random numbers of an iteration: one for each critic step, the last for the generator's."""
        *critic, generator = inputs.random
        return [self._noise_of_critic_step(base) for base in critic] + [self._noise_of_generator_step(generator)]

    def recorded_step(self, due: bool, step: Step) -> RecordedStep | None:
        """The iteration with or without a reconstruction `due`, as a CUDA device plays it back; None elsewhere."""
        if self.new_recorder is None:
            return None
        if due not in self._recorded:
            self._recorded[due] = RecordedStep(step, self.new_recorder)
        return self._recorded[due]

    def keep(self, outputs: StageOutputs) -> None:
        """Remember the losses and the reconstruction of an iteration and count it."""
        self.latest |= outputs.losses
        self.rebuilt = self.rebuilt if outputs.rebuilt is None else outputs.rebuilt
        self.steps += 1

    def fit(self, below: Tensor) -> Tensor:
        """Samples of the stage below, as many rows as it trains on, at this stage's rate and cut to its own rows."""
        lengths, rows = self.pyramid.lengths, self.rows
        length = max(rows, round(below.shape[-1] * lengths[self.index] / lengths[self.index - 1]))
        spare = length - rows
        start = int(torch.randint(0, spare + 1, (), generator=self.random)) if spare else 0
        return resize(below, length)[..., start : start + rows].contiguous()

    def finish(self) -> None:
        """Let go of what only training needs: past samples, gradients, moments and recordings."""
        self._recorded, self.pool = {}, None
        for optimiser in (self.generator_optimiser, self.critic_optimiser):
            optimiser.zero_grad()
            optimiser.state.clear()

    def generate(self, base: Tensor, noise: Tensor, run: Runner) -> Tensor:
        """Samples (B, C, T) of the generator for a batch, without gradients."""

        def task(part: slice) -> Task:
            def refine() -> tuple[list[Tensor], Tensor]:
                with torch.no_grad():  # which each thread has a setting of its own for
                    return [], self.generator.refine(base[part], noise[part])

            return refine

        return torch.cat([samples for _, samples in run([task(part) for part in self._parts(base)])])

    def noise(self, base: Tensor) -> Tensor:
        """σ_i z_i, one value per frame shared by all channels (B, 1, T)."""
        z = torch.randn((base.shape[0], 1, base.shape[2]), generator=self.random)
        return z.to(base.device) * self.pyramid.amplitudes[self.index]

    def _noise_of_generator_step(self, base: Tensor) -> StepNoise:
        none = base.new_empty(0)
        return StepNoise(self.noise(base), none, none, none)

    def _noise_of_critic_step(self, base: Tensor) -> StepNoise:
        count, device = len(base), base.device
        noise, none = self.noise(base), base.new_empty(0)
        buffer_plan = self.pool.draw(count).to(device) if self.pool else none
        rows = self._window_rows(count, base.shape[-1]).to(device)
        return StepNoise(noise, rows, torch.rand((count, 1, 1), generator=self.random).to(device), buffer_plan)

    def _window_rows(self, count: int, length: int) -> Tensor:
        """Rows of random windows of the clip, one window after the other (count · length,)."""
        spare = self.real.shape[-1] - length
        starts = (
            torch.randint(0, spare + 1, (count, 1), generator=self.random)
            if spare > 0
            else (torch.zeros(count, 1, dtype=torch.long))
        )
        return (starts + torch.arange(length)).reshape(-1)

    def real_windows(self, rows: Tensor, count: int) -> Tensor:
        """The windows of the clip (count, C, T) with these rows."""
        clip = self.real[0]
        return clip.index_select(1, rows).view(len(clip), count, -1).transpose(0, 1)

    def critic_step(self, fake: Tensor, noise: StepNoise, run: Runner) -> Tensor:
        """One step of the critic on samples (B, C, T), some of them replaced by past ones; returns the gap (eq. 1)."""
        shown = self.pool.exchange(fake, noise.buffer_plan) if self.pool else fake
        count = len(shown)
        real = self.real_windows(noise.rows, count)
        parts = self._parts(shown)
        # Of a stage that two cores share, each half judges a sample at least: the other core would wait for it anyway.
        judged = -(-max(1, round(self.recipe.penalty_share * count)) // len(parts))

        def task(part: slice) -> Task:
            def gradients() -> tuple[list[Tensor], Tensor]:
                share = (part.stop - part.start) / count
                points = noise.mix[part][:judged]
                grads, gap = self.critic.gradients(real[part], shown[part], points, self.recipe.gradient_penalty)
                return [grad * share for grad in grads], gap * share

            return gradients

        results = run([task(part) for part in parts])
        step(self.critic, self.critic_optimiser, [grads for grads, _ in results])
        return _total([value for _, value in results])

    def generator_step(self, inputs: StageInputs, noise: Tensor, due: bool, run: Runner) -> StageOutputs:
        """One step of the generator for the critic and the feet, and for the reconstruction where it is `due`.

        Both share one optimiser step or take one each, as the recipe says (eqs. 2 to 4).
        """
        base = inputs.random[-1]
        parts = self._parts(base)
        samples: list[Tensor] = [base] * len(parts)
        contacts = [base.new_zeros(())] * len(parts)
        adversarial = [self._adversarial(base, noise, part, k, samples, contacts) for k, part in enumerate(parts)]
        spans = _spans(self.real.shape[-1], self.part_rows if base.device.type == "cpu" else self.real.shape[-1])
        rebuilt: list[Tensor] = [base] * len(spans)
        rebuild = [self._reconstruction(inputs.code, span, k, rebuilt) for k, span in enumerate(spans)] if due else []
        results = []
        for tasks in [[*adversarial, *rebuild]] if self.recipe.joint_steps else [adversarial, rebuild]:
            if tasks:
                results += run(tasks)
                step(self.generator, self.generator_optimiser, [grads for grads, _ in results[-len(tasks) :]])
        losses = {"adversarial": _total([value for _, value in results[: len(parts)]]), "contact": _total(contacts)}
        if due:
            losses["reconstruction"] = _total([value for _, value in results[len(parts) :]])
        return StageOutputs([torch.cat(samples)], losses, torch.cat(rebuilt, -1) if due else None)

    def _adversarial(
        self, base: Tensor, noise: Tensor, part: slice, number: int, samples: list[Tensor], contacts: list[Tensor]
    ) -> Task:
        """Gradients of what a part of the batch earns from the critic and the feet; its samples go into `samples`."""
        share = (part.stop - part.start) / len(base)

        def gradients() -> tuple[list[Tensor], Tensor]:
            fake = self.generator.refine(base[part], noise[part])
            samples[number] = fake.detach()
            score = -self.critic(fake, frozen=True).mean()
            loss = self.recipe.adversarial[self.level] * score
            if self.feet is not None and self.recipe.contact:
                contact = self._contact(self.feet, fake)
                contacts[number] = contact.detach() * share
                loss = loss + self.recipe.contact * contact
            return list(torch.autograd.grad(loss * share, list(self.generator.parameters()))), score.detach() * share

        return gradients

    def _reconstruction(self, code: Tensor, span: tuple[int, int], number: int, rebuilt: list[Tensor]) -> Task:
        """Gradients of L_rec on a span of the clip; what is rebuilt of it goes into `rebuilt`."""
        start, stop = span
        length, reach = code.shape[-1], self.generator.reach
        low, high = max(0, start - reach), min(length, stop + reach)
        share = (stop - start) / length

        def gradients() -> tuple[list[Tensor], Tensor]:
            base = code[..., low:high]
            still = torch.zeros_like(base)
            made = self.generator.refine(*((still, base) if self.index == 0 else (base, still)))
            inner = made[..., start - low : stop - low]
            rebuilt[number] = inner.detach()
            error = (inner - self.real[..., start:stop]).abs().mean()
            weight = self.recipe.reconstruction[self.level] * self.recipe.reconstruct_every * share
            grads = torch.autograd.grad(weight * error, list(self.generator.parameters()))
            return list(grads), error.detach() * share

        return gradients

    def _contact(self, feet: FootSpeed, fake: Tensor) -> Tensor:
        apart = self.pyramid.frames_per_row(self.index) if self.recipe.timed_root else 1.0
        return contact_loss(feet(fake, apart), feet.contact_labels(fake), self.recipe.contact_squared)

    def _parts(self, batch: Tensor) -> list[slice]:
        """A batch (B, C, T) cut into parts of about one size: two at least where two cores share the stage."""
        count, least = len(batch), 2 if self.recipe.stages[self.level] == 1 else 1
        together = max(1, self.part_rows // batch.shape[-1]) if self.real.device.type == "cpu" else count
        number = min(count, max(least, -(-count // together)))
        ends = [-(-count * k // number) for k in range(number + 1)]
        return [slice(start, stop) for start, stop in itertools.pairwise(ends)]

    def follow_schedule(self) -> None:
        if self.recipe.final_rate == 1.0:
            return
        done = min(self.steps / self.recipe.iterations[self.level], 1.0)
        share = self.recipe.final_rate + (1.0 - self.recipe.final_rate) * (1.0 + math.cos(math.pi * done)) / 2.0
        set_rate(self.generator_optimiser, self.recipe.generator_rate * share)
        set_rate(self.critic_optimiser, self.recipe.critic_rate * share)

    @torch.no_grad()
    def follow_average(self) -> None:
        if not self.recipe.average:
            return
        decay = min(self.recipe.average, (1 + self.steps) / (10 + self.steps))
        mine = [parameter.data for parameter in self.averaged.parameters()]
        theirs = [parameter.data for parameter in self.generator.parameters()]
        torch._foreach_lerp_(mine, theirs, 1 - decay)


def make_stage(
    index: int,
    recipe: Recipe,
    pyramid: Pyramid,
    graph: Graph,
    feet: FootSpeed | None,
    seed: int,
    new_recorder: Callable[[], Recorder] | None = None,
) -> Stage:
    """A stage with fresh networks, its own random numbers, on the device of the pyramid."""
    random = torch.Generator().manual_seed(seed * 1009 + index)
    device = pyramid.clips[0].device
    generator = Generator(graph, recipe.hidden, recipe.kernel, random).to(device)
    critic = Critic(graph, recipe.hidden, recipe.kernel, random).to(device)
    return Stage(index, recipe, pyramid, generator, critic, feet, random, new_recorder)


def transfer(below: Generator, above: Generator, layers: int) -> None:
    """Start the first layers of a generator from the one a level below (Roditakis et al. 2024)."""
    for source, target in zip(below.layers[:layers], above.layers[:layers], strict=True):
        target.load_state_dict(source.state_dict())


def warm_start_networks(stage: Stage, start: WarmStart) -> None:
    """Start a stage from the same stage of a model; one that was saved without critics leaves the critic fresh."""
    for generator in (stage.generator, stage.averaged):
        load_arrays(generator, f"stage{stage.index}.layer", start.weights)
    if f"stage{stage.index}.critic0.weight" in start.weights:
        load_arrays(stage.critic, f"stage{stage.index}.critic", start.weights)


def _spans(length: int, most: int) -> list[tuple[int, int]]:
    """Consecutive spans of about one size, none longer than `most`."""
    number = -(-length // most)
    ends = [length * k // number for k in range(number + 1)]
    return list(itertools.pairwise(ends))


def _total(values: Sequence[Tensor]) -> Tensor:
    """Their sum; a single one as it is."""
    return torch.stack(list(values)).sum() if len(values) > 1 else values[0]
