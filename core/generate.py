"""New motions from a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .clean_feet import clean_feet
from .clusters import find_clusters
from .flips import repair_flips
from .model import Model
from .motion import Motion
from .networks import Generator, Graph, load_arrays
from .pyramid import run_stages
from .threads import threads, usable_cores

CHUNK = 2600
"""Frames that go through the pyramid together: what the layers keep of more falls out of a core's cache."""


class Sampler:
    """A model's generators, ready to run; make one and keep it to generate often."""

    def __init__(self, model: Model) -> None:
        self.model = model
        recipe = model.recipe
        near = model.channels.near(recipe.distance)
        graph = Graph(near, tuple(find_clusters(near)))
        self.generators = []
        for stage in range(recipe.stage_count):
            generator = Generator(graph, recipe.hidden, recipe.kernel, torch.Generator())
            load_generator(generator, model, stage)
            self.generators.append(generator.eval())

    def sample(self, frames: int, count: int, seed: int) -> list[Motion]:
        """`count` motions of `frames` frames at 30 frames/s; a few at a time go through the networks on each core."""
        lengths = self.model.recipe.lengths(frames)
        step = max(1, CHUNK // frames)
        parts = [range(start, min(start + step, count)) for start in range(0, count, step)]
        workers = min(len(parts), usable_cores())
        with threads(1), ThreadPoolExecutor(workers, "riff-sample", torch.set_num_threads, (1,)) as pool:
            run = pool.map if workers > 1 else map
            made = run(lambda part: self.motions(_codes(lengths, part, seed)), parts)
            return [motion for part in made for motion in part]

    def motions(self, codes: Sequence[NDArray[np.float32]]) -> list[Motion]:
        """The motions that noise of variance 1 leads to, as the networks make them; `codes[i]` is (B, 1, T_i)."""
        noises: list[Tensor | None] = [
            torch.from_numpy(code) * amplitude for code, amplitude in zip(codes, self.amplitudes(), strict=True)
        ]
        base = torch.zeros(len(codes[0]), len(self.model.channels.columns), codes[0].shape[-1])
        rows = run_stages(self.generators, [code.shape[-1] for code in codes], noises, base)
        return [self.motion(one) for one in rows.numpy()]

    def amplitudes(self) -> list[float]:
        """σ_i as the recipe turns them down for sampling: finer levels then have less to undo."""
        recipe = self.model.recipe
        return [
            amplitude * recipe.sampling_noise[recipe.level_of(stage)]
            for stage, amplitude in enumerate(self.model.amplitudes)
        ]

    def reconstruction(self) -> Motion:
        """What the reconstruction code leads to: close to the source when training went well."""
        model = self.model
        noises: list[Tensor | None] = [torch.from_numpy(model.code), *[None] * (len(self.generators) - 1)]
        rows = run_stages(self.generators, model.lengths, noises, torch.zeros(model.code.shape))
        return self.motion(rows[0].numpy())

    def motion(self, rows: NDArray[np.float32]) -> Motion:
        """The motion that network rows (C, T) stand for."""
        source = self.model.source
        return Motion(self.model.channels.decode(rows), source.skeleton, source.fps, source.origin)


def load_generator(generator: Generator, model: Model, stage: int) -> None:
    """Set a generator's weights from those of a stage of a model."""
    load_arrays(generator, f"stage{stage}.layer", model.weights)


def noise_code(seed: int, variation: int, stage: int, length: int) -> np.ndarray:
    """z_i of one variation, (1, length): the same on every machine and whatever else is generated with it."""
    random = np.random.default_rng([seed & 0xFFFFFFFF, variation, stage])
    return random.standard_normal((1, length), dtype=np.float32)


def _codes(lengths: Sequence[int], variations: range, seed: int) -> list[NDArray[np.float32]]:
    """z_i of some variations of a seed for every stage, each (B, 1, T_i)."""
    return [
        np.stack([noise_code(seed, k, stage, length) for k in variations]) for stage, length in enumerate(lengths)
    ]


def finished(motion: Motion, source: Motion, clean: bool) -> Motion:
    """A motion of a model of `source` as users get it: flips repaired and, with `clean`, standing feet standing."""
    repaired = repair_flips(motion, source)
    return clean_feet(repaired, source) if clean else repaired


def generate(
    model: Model, *, frames: int | None = None, count: int = 1, seed: int = 0, clean: bool = True,
) -> list[Motion]:  # fmt: skip
    """New motions of a model at 30 frames/s, as long as its clip unless `frames` says otherwise.

    Flips are repaired; with `clean`, standing feet are made to stand. Variation k of a seed is the same whatever
    `count` is. Raises ValueError for fewer than 30 frames or no motions.
    """
    wanted = model.source.frames if frames is None else frames
    if wanted < 30 or count < 1:
        raise ValueError("Generate at least one motion of at least 30 frames.")
    return [finished(motion, model.source, clean) for motion in Sampler(model).sample(wanted, count, seed)]
