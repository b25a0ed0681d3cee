"""Training of the pyramid, level by level (`paper.md`, *Losses* and *Mini-batch training and transfer*)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ModelError, TrainingStopped
from ..model.channels import choose_channels
from ..model.clusters import find_clusters, one_cluster
from ..model.model import Model
from ..model.recipe import Recipe
from ..motion.motion import RATE, Motion, with_contact_labels
from ..motion.resampling import resample
from ..networks.networks import Graph, arrays_of
from ..networks.pyramid import Pyramid, build_pyramid
from ..system.devices import pick_device
from ..system.memory import trim_malloc
from ..system.threads import usable_cores
from . import snapshot
from .calibration import calibrated
from .checkpoint import Checkpoint, begin
from .cuda_graphs import ALLOWED, recorder_for
from .divergence import Diverged, check_losses, check_weights, recipe_with_rate_cuts, roll_back
from .level import FrozenLevels, LevelRun
from .losses import FootSpeed
from .progress import Progress
from .progress_reporter import ProgressReporter, Snapshots
from .stage import Stage, make_stage, start_networks, transfer
from .stage_io import StageInputs
from .warm_start import WarmStart
from .workers import TorchSettings, Workers


def train(
    motion: Motion,
    recipe: Recipe,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    on_snapshot: Callable[[Checkpoint], None] | None = None,
    start_from: Model | None = None,
) -> Model:
    """Train a model on one motion of any rate.

    `on_progress` is called a few times a second; when `should_stop`, asked from several threads, says so,
    TrainingStopped is raised within the time of one optimiser step. The same seed gives the same model on the same
    machine. `on_snapshot` gets the state every few seconds, from which `resume` goes on. A training that starts from a
    model of the same skeleton does `recipe.warmed()`. Raises ClipError for a clip that is too short or still,
    ModelError for a model that cannot be started from.
    """
    begun = begin(motion, recipe, seed, start_from)
    return resume(begun, on_progress, should_stop, device=device, threads=threads, on_snapshot=on_snapshot)


def resume(
    checkpoint: Checkpoint,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    device: str = "auto",
    threads: int | None = None,
    on_snapshot: Callable[[Checkpoint], None] | None = None,
) -> Model:
    """Go on with a training where its checkpoint left it, or begin one that has no state yet; otherwise like `train`.

    On the same machine the model equals, to the bit, that of a training which was never stopped. One whose numbers grow
    beyond all bounds is taken back to a state of some seconds before, with lower rates. Raises ModelError for a
    checkpoint that does not fit its recipe or clip, RiffError where lower rates did not help.
    """
    while True:
        # The latest state may be on its way to infinity already: it is taken back to the one before.
        good = deque([checkpoint], maxlen=2)
        try:
            return _resume(checkpoint, on_progress, should_stop or (lambda: False), device, threads, on_snapshot, good)
        except Diverged:
            checkpoint = roll_back(good[0])


def _resume(
    checkpoint: Checkpoint,
    on_progress: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool],
    device: str,
    threads: int | None,
    on_snapshot: Callable[[Checkpoint], None] | None,
    good: deque[Checkpoint],
) -> Model:
    """`resume` as long as all numbers are finite; `good` gets the states. Raises Diverged too."""
    started = time.perf_counter() - checkpoint.seconds
    motion, recipe = checkpoint.motion, checkpoint.recipe
    training = Training(
        motion,
        recipe,
        checkpoint.seed,
        pick_device(device),
        threads,
        should_stop,
        checkpoint.start,
        checkpoint.rate_cuts,
    )
    clock = ProgressReporter(training, on_progress or (lambda _: None), started)
    clock.rate_cuts = checkpoint.rate_cuts
    snapshots = Snapshots(checkpoint, clock, on_snapshot, good)
    try:
        level = 0
        if checkpoint.state:
            level = clock.go_on(checkpoint)
            training.finish_level(snapshot.put_back(training, checkpoint.state, checkpoint.arrays), clock, snapshots)
            level += 1
        for upper in range(level, recipe.levels):
            training.finish_level(training.start_level(upper), clock, snapshots)
    finally:
        training.close()
    model = training.model(motion.fps, time.perf_counter() - started, clock.history)
    try:
        return calibrated(model, training.check_cancelled) if recipe.calibrate else model
    except ModelError as error:  # its weights are finite, and so large that what they make is not
        raise Diverged from error


class Training:
    """The state of one training: the pyramid, the finished generators, the stages at work."""

    def __init__(
        self,
        motion: Motion,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        threads: int | None,
        should_stop: Callable[[], bool],
        start: WarmStart | None = None,
        rate_cuts: int = 0,
    ) -> None:
        self.recipe, self.seed, self.device, self.should_stop = recipe, seed, device, should_stop
        self.rate_cuts = recipe_with_rate_cuts(recipe, rate_cuts)
        self.source = with_contact_labels(resample(motion, RATE))
        self.start = start
        self.channels = start.channels(self.source) if start else choose_channels(self.source, recipe)
        self.random = torch.Generator().manual_seed(seed)
        clip = torch.from_numpy(self.channels.encode(self.source.features)[None]).to(device)
        self.pyramid: Pyramid = build_pyramid(clip, recipe, self.random)
        near = self.channels.near(recipe.distance)
        self.graph = Graph(near, tuple(find_clusters(near) if device.type == "cpu" else one_cluster(near)))
        self.feet = self._foot_speed()
        self.stages: list[Stage] = []
        self.new_recorder = recorder_for(device)
        self.before = TorchSettings.now()
        TorchSettings(1, (ALLOWED.tf32, ALLOWED.tf32)).use()
        self.workers = Workers(min(2, threads or usable_cores()) if device.type == "cpu" else 1)

    def _foot_speed(self) -> FootSpeed | None:
        return FootSpeed(self.channels, self.device) if self.source.skeleton.contacts else None

    def check_cancelled(self) -> None:
        """Raise TrainingStopped where the caller wants to stop; asked before every step and every batch of a bank."""
        if self.should_stop():
            raise TrainingStopped("Training was cancelled.")

    def close(self) -> None:
        self.workers.close()
        self.before.use()

    def finish_level(self, run: LevelRun, clock: ProgressReporter, snapshots: Snapshots) -> None:
        """Train the stages of a level together, each on what those below make; lower levels are frozen."""
        level = run.supply.level
        self.workers.forget()
        for _ in range(clock.left_of(level)):
            run.iterate()
            if self.device.type == "cpu":  # a GPU would be waited for: its losses are looked at when they are told
                check_losses(run.stages)
            clock.tick(level, run.stages)
            snapshots.offer(self, run)
        check_weights(run.stages)
        for stage in run.stages:
            stage.finish()
        self.stages += run.stages
        trim_malloc()

    def start_level(self, level: int) -> LevelRun:
        """Fresh stages for a level and what feeds them."""
        return LevelRun(self, self._new_stages(level), FrozenLevels(self, level))

    def restored_level(
        self, level: int, stages: list[Stage], bank: Tensor | None, feeds: list[StageInputs]
    ) -> LevelRun:
        """Stages of a level that have been at work before, with what fed them."""
        return LevelRun(self, stages, FrozenLevels(self, level, bank), feeds)

    def fresh_stages(self, numbers: Iterable[int]) -> list[Stage]:
        shared = (self.rate_cuts, self.pyramid, self.graph, self.feet, self.seed, self.new_recorder)
        return [make_stage(k, *shared) for k in numbers]

    def _new_stages(self, level: int) -> list[Stage]:
        first = self.recipe.first_stage(level)
        stages = self.fresh_stages(range(first, first + self.recipe.stages[level]))
        if self.start:
            for stage in stages:
                start_networks(stage, self.start)
        elif level and self.recipe.transfer:
            below = self.stages[-self.recipe.stages[level - 1] :]
            for old, new in zip(below, stages, strict=False):
                transfer(old.averaged, new.generator, self.recipe.transfer)
                transfer(old.averaged, new.averaged, self.recipe.transfer)
        return stages

    def model(self, source_fps: float, seconds: float, history: list[dict[str, float]]) -> Model:
        """The finished model, on the CPU."""
        weights: dict[str, NDArray[np.float32]] = {}
        critics: dict[str, NDArray[np.float32]] = {}
        for stage in self.stages:
            weights |= arrays_of(stage.averaged, f"stage{stage.index}.layer")
            critics |= arrays_of(stage.critic, f"stage{stage.index}.critic")
        return Model(
            "",
            self.channels,
            self.recipe,
            self.source,
            source_fps,
            tuple(self.pyramid.amplitudes),
            self.pyramid.code.cpu().numpy(),
            weights,
            self.seed,
            seconds,
            str(self.device),
            history,
            critics={name: value.astype(np.float16) for name, value in critics.items()},
        )
