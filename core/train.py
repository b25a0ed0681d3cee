"""Training of the pyramid, level by level (`paper.md`, *Losses* and *Mini-batch training and transfer*)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch's OpenMP otherwise spins and starves every other thread

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from .channels import channel_gain, to_network  # noqa: E402
from .clusters import cluster_order, find_clusters, one_cluster  # noqa: E402
from .errors import TrainingStopped  # noqa: E402
from .losses import FootSpeed  # noqa: E402
from .model import Model  # noqa: E402
from .motion import RATE, Motion, learned_groups, resample, with_contact_labels  # noqa: E402
from .networks import Graph  # noqa: E402
from .progress import Progress  # noqa: E402
from .pyramid import Pyramid, build_pyramid, resize, run_stages  # noqa: E402
from .recipe import Recipe, rows_an_iteration  # noqa: E402
from .skeleton import Skeleton, group_neighbours  # noqa: E402
from .stage import Bases, Stage, Task, make_stage, one_by_one, transfer  # noqa: E402

REPORT_EVERY = 0.2
"""Seconds between progress messages."""


def train(
    motion: Motion, recipe: Recipe, on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None, *, seed: int = 0, device: str = "auto", threads: int | None = None,
) -> Model:  # fmt: skip
    """Train a model on one motion of any rate.

    `on_progress` is called a few times a second; when `should_stop` says so, TrainingStopped is raised within an
    iteration's time. The same seed gives the same model on the same machine. Raises ClipError for a clip that is too
    short or still.
    """
    started = time.perf_counter()
    training = Training(motion, recipe, seed, pick_device(device), threads, should_stop or (lambda: False))
    clock = Clock(training, on_progress or (lambda _: None), started)
    try:
        for level in range(recipe.levels):
            training.run_level(level, clock)
    finally:
        training.close()
    return training.model(motion.fps, time.perf_counter() - started, clock.history)


def order_for_clusters(skeleton: Skeleton, learned: list[int], distance: int) -> list[int]:
    """Learned groups in the order that makes their clusters consecutive."""
    return [learned[group] for group in cluster_order(group_neighbours(skeleton, learned, distance))]


def pick_device(wanted: str) -> torch.device:
    """The device asked for; “auto” takes CUDA where there is one, else the CPU."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)


class Training:
    """The state of one training: the pyramid, the finished generators, the stages at work."""

    def __init__(
        self, motion: Motion, recipe: Recipe, seed: int, device: torch.device, threads: int | None,
        should_stop: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.recipe, self.seed, self.device, self.should_stop = recipe, seed, device, should_stop
        self.source = with_contact_labels(resample(motion, RATE))
        skeleton = self.source.skeleton
        self.learned = order_for_clusters(skeleton, learned_groups(self.source), recipe.distance)
        self.gain = channel_gain(skeleton, self.learned, recipe.root_gain)
        self.random = torch.Generator().manual_seed(seed)
        clip = torch.from_numpy(to_network(self.source, self.learned, self.gain)).to(device)
        self.pyramid: Pyramid = build_pyramid(clip, recipe, self.random)
        near = group_neighbours(skeleton, self.learned, recipe.distance)
        self.graph = Graph(near, tuple(find_clusters(near) if device.type == "cpu" else one_cluster(near)))
        self.feet = self._foot_speed()
        self.stages: list[Stage] = []
        cores = threads or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))
        side_by_side = device.type == "cpu" and cores > 1
        self.pool = ThreadPoolExecutor(2, "riff-train", _one_core, (max(1, cores // 2),)) if side_by_side else None

    def _foot_speed(self) -> FootSpeed | None:
        if not self.source.skeleton.contacts:
            return None
        from .channels import learned_channels

        gain = torch.from_numpy(self.gain).float().to(self.device)
        return FootSpeed(self.source, learned_channels(self.learned), gain)

    def close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=True)

    def run_level(self, level: int, clock: Clock) -> None:
        """Train the stages of a level together, each on what those below make; lower levels are frozen."""
        stages = self._new_stages(level)
        supply = Supply(self, level)
        feeds = self._first_feeds(stages, supply)
        for _ in range(self.recipe.iterations[level]):
            feeds[0] = supply.draw(self.recipe.critic_steps + 1)
            results = self._iterate(stages, feeds)
            for number, (made, rebuilt) in enumerate(results[:-1]):
                feeds[number + 1] = _lift(stages[number + 1], made, rebuilt)
            clock.tick(level, stages)
        self.stages += stages

    def _new_stages(self, level: int) -> list[Stage]:
        first = self.recipe.first_stage(level)
        stages = [
            make_stage(first + k, self.recipe, self.pyramid, self.graph, self.feet, self.seed)
            for k in range(self.recipe.stages[level])
        ]
        if level and self.recipe.transfer:
            below = self.stages[-self.recipe.stages[level - 1] :]
            for old, new in zip(below, stages, strict=False):
                transfer(old.averaged, new.generator, self.recipe.transfer)
                transfer(old.averaged, new.averaged, self.recipe.transfer)
        return stages

    def _first_feeds(self, stages: list[Stage], supply: Supply) -> list[Bases]:
        feeds = [supply.draw(self.recipe.critic_steps + 1)]
        for here, above in zip(stages, stages[1:], strict=False):
            with torch.no_grad():
                made = [here.generator.refine(base, here.noise(base)) for base in feeds[-1].random]
            feeds.append(_lift(above, made, here.real))
        return feeds

    def _iterate(self, stages: list[Stage], feeds: list[Bases]) -> list[tuple[list[Tensor], Tensor]]:
        """One iteration of every stage; two stages, or the parts of a single one, run on one core each."""
        if self.pool is None:
            return [stage.iterate(feed, self._in_turn) for stage, feed in zip(stages, feeds, strict=True)]
        if len(stages) == 1:
            return [stages[0].iterate(feeds[0], self._side_by_side)]
        return list(self.pool.map(lambda pair: pair[0].iterate(pair[1], one_by_one), zip(stages, feeds, strict=True)))

    def _in_turn(self, tasks: list[Task]) -> list[tuple[list[Tensor], float]]:
        return one_by_one(tasks)

    def _side_by_side(self, tasks: list[Task]) -> list[tuple[list[Tensor], float]]:
        assert self.pool is not None
        return list(self.pool.map(lambda task: task(), tasks))

    def model(self, source_fps: float, seconds: float, history: list[dict[str, float]]) -> Model:
        """The finished model, on the CPU."""
        weights = {}
        for stage in self.stages:
            for number, layer in enumerate(stage.averaged.layers):
                weights[f"stage{stage.index}.layer{number}.weight"] = layer.pairs()
                weights[f"stage{stage.index}.layer{number}.bias"] = layer.bias.detach().cpu().numpy().copy()
        return Model(
            "", self.source.skeleton, self.recipe, self.source, source_fps, tuple(self.learned),
            tuple(self.pyramid.amplitudes), self.pyramid.code.cpu().numpy(), weights, self.seed, seconds,
            str(self.device), history,
        )  # fmt: skip


class Supply:
    """Samples of the frozen levels for a level's first stage, from a bank made in advance or fresh each time."""

    def __init__(self, training: Training, level: int) -> None:
        self.training, self.recipe = training, training.recipe
        self.batch = self.recipe.batch[level]
        self.first = self.recipe.first_stage(level)
        pyramid = training.pyramid
        self.length = pyramid.lengths[self.first]
        self.rows = min(self.recipe.crop[level] or self.length, self.length)
        self.bank: Tensor | None = None
        self.code = pyramid.code
        if level:
            noises: list[Tensor | None] = [pyramid.code, *[None] * (self.first - 1)]
            self.code = resize(self._run(torch.zeros_like(pyramid.code), noises), self.length)
            if self.recipe.bank:
                made = [self._fresh(8) for _ in range(-(-self.recipe.bank // 8))]
                self.bank = torch.cat(made)

    def draw(self, times: int) -> Bases:
        return Bases([self._batch() for _ in range(times)], self.code)

    def _batch(self) -> Tensor:
        if not self.first:
            return self.training.pyramid.clips[0].new_zeros(self.batch, self.code.shape[1], self.rows)
        random, spare = self.training.random, self.length - self.rows
        starts = torch.randint(0, spare + 1, (self.batch,), generator=random).tolist()
        if self.bank is None:
            whole = self._fresh(self.batch)
        else:
            whole = self.bank[torch.randint(0, len(self.bank), (self.batch,), generator=random)]
        return torch.stack([row[:, start : start + self.rows] for row, start in zip(whole, starts, strict=True)])

    def _fresh(self, count: int) -> Tensor:
        stages, pyramid = self.training.stages[: self.first], self.training.pyramid
        noises: list[Tensor | None] = [
            stage.noise(pyramid.clips[stage.index].expand(count, -1, -1)) for stage in stages
        ]
        base = pyramid.clips[0].new_zeros(count, self.code.shape[1], pyramid.lengths[0])
        return resize(self._run(base, noises), self.length)

    def _run(self, base: Tensor, noises: list[Tensor | None]) -> Tensor:
        stages = self.training.stages[: self.first]
        return run_stages([stage.averaged for stage in stages], self.training.pyramid.lengths[: self.first], noises, base)


@dataclass
class _Mark:
    seconds: float
    cost: float


class Clock:
    """Counts iterations, reports progress and estimates the time left from what the last ones cost."""

    def __init__(self, training: Training, on_progress: Callable[[Progress], None], started: float) -> None:
        recipe, lengths = training.recipe, training.pyramid.lengths
        self.training, self.on_progress, self.started = training, on_progress, started
        self.costs = [
            sum(rows_an_iteration(recipe, lengths, recipe.first_stage(level) + k) for k in range(recipe.stages[level]))
            for level in range(recipe.levels)
        ]
        self.iterations = recipe.iterations
        self.total = sum(cost * count for cost, count in zip(self.costs, self.iterations, strict=True))
        self.step, self.done, self.reported = 0, 0.0, 0.0
        self.begun = time.perf_counter()
        self.history: list[dict[str, float]] = []

    def tick(self, level: int, stages: list[Stage]) -> None:
        """Count one iteration; report when a report is due; raise TrainingStopped when asked to stop."""
        self.step += 1
        self.done += self.costs[level]
        if self.training.should_stop():
            raise TrainingStopped("Training was cancelled.")
        now = time.perf_counter()
        last = self.step == sum(self.iterations)
        if now - self.reported < REPORT_EVERY and not last:
            return
        self.reported = now
        losses = {key: sum(stage.losses.get(key, 0.0) for stage in stages) / len(stages)
                  for key in ("critic", "adversarial", "reconstruction", "contact")}  # fmt: skip
        self.history.append({"step": self.step, "level": level + 1, **losses})
        running = max(now - self.begun, 1e-6)
        self.on_progress(Progress(
            level + 1, len(self.iterations), self.step, sum(self.iterations), self.done / self.total,
            now - self.started, running * (self.total - self.done) / self.done, self.step / running, losses,
        ))  # fmt: skip


def _lift(above: Stage, made: list[Tensor], rebuilt: Tensor) -> Bases:
    return Bases([resize(sample, above.rows) for sample in made], resize(rebuilt, above.real.shape[-1]))


def _one_core(threads: int) -> None:
    torch.set_num_threads(threads)
