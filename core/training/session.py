"""A training session: everything of one training that stays as it is while the levels are trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from ..errors import cancel_check
from ..model.channels import Channels, choose_channels
from ..model.clusters import find_clusters, one_cluster
from ..model.recipe import Recipe
from ..motion.feet_cleanup import belt_of
from ..motion.motion import RATE, Motion, with_contact_labels
from ..motion.resampling import resample
from ..networks.networks import Graph
from ..networks.pyramid import Pyramid, build_pyramid
from ..system.threads import usable_cores
from .checkpoint import Checkpoint
from .cuda_graphs import ALLOWED, Recorder, recorder_for
from .divergence import recipe_with_rate_cuts
from .losses import FootSpeed
from .stage import Stage, make_stage
from .warm_start import WarmStart
from .workers import TorchSettings, Workers


@dataclass(frozen=True, eq=False)
class Session:
    """State shared by the levels of one training. `source` is the clip at 30 frames/s. `recipe` is the recipe asked
    for, `cut_recipe` the same with the learning rates after divergence. `random` generates the random numbers on the
    CPU for samples of frozen levels. `check_cancelled` raises Cancelled to end the training. `new_recorder` makes
    recorders of CUDA graphs, None elsewhere.
    """

    source: Motion
    recipe: Recipe
    cut_recipe: Recipe
    seed: int
    device: torch.device
    channels: Channels
    pyramid: Pyramid
    graph: Graph
    feet: FootSpeed | None
    warm_start: WarmStart | None
    random: torch.Generator
    workers: Workers
    new_recorder: Callable[[], Recorder] | None
    check_cancelled: Callable[[], None]

    def new_stages(self, numbers: Iterable[int]) -> list[Stage]:
        """Stages with fresh networks, whose random numbers depend on the seed and their number only."""
        return [
            make_stage(k, self.cut_recipe, self.pyramid, self.graph, self.feet, self.seed, self.new_recorder)
            for k in numbers
        ]

    def stages_of_level(self, level: int) -> range:
        """Numbers of the stages of a level, from 0."""
        first = self.recipe.first_stage(level)
        return range(first, first + self.recipe.stages[level])


@contextmanager
def open_session(
    checkpoint: Checkpoint, device: torch.device, threads: int | None, should_stop: Callable[[], bool]
) -> Iterator[Session]:
    """Prepare a training and hold PyTorch's settings and the worker threads until it ends.

    Raises ClipError for a clip that is too short or still, ModelError for a warm start that does not fit the clip.
    """
    recipe, warm_start = checkpoint.recipe, checkpoint.start
    source = with_contact_labels(resample(checkpoint.motion, RATE))
    channels = warm_start.channels(source) if warm_start else choose_channels(source, recipe)
    random = torch.Generator().manual_seed(checkpoint.seed)
    clip = torch.from_numpy(channels.encode(source.features)[None]).to(device)
    pyramid = build_pyramid(clip, recipe, random)
    near = channels.near(recipe.distance)
    graph = Graph(near, tuple(find_clusters(near) if device.type == "cpu" else one_cluster(near)))
    feet = FootSpeed(channels, device, belt_of(source)) if source.skeleton.contacts else None
    settings = TorchSettings.now()
    workers = Workers(min(2, threads or usable_cores()) if device.type == "cpu" else 1)
    try:
        TorchSettings(1, (ALLOWED.tf32, ALLOWED.tf32)).use()
        yield Session(
            source,
            recipe,
            recipe_with_rate_cuts(recipe, checkpoint.rate_cuts),
            checkpoint.seed,
            device,
            channels,
            pyramid,
            graph,
            feet,
            warm_start,
            random,
            workers,
            recorder_for(device),
            cancel_check(should_stop),
        )
    finally:
        workers.close()
        settings.use()
