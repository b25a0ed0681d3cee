"""New motions from a trained model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..files.fields import check_finite
from ..model.model import Model
from ..model.model_file import load_model
from ..motion.feet_cleanup import clean_feet
from ..motion.flips import repair_flips
from ..motion.motion import Motion
from ..system.threads import on_all_cores, working_cores
from .backends import make_generators
from .pyramid import Rows, StageGenerator, run_stages

TOGETHER, ALONE = 2600, 650
"""Frames that a core makes together, so that threads seldom wait for Python's lock, and those that suit its cache best,
where no other thread is at work."""


class Sampler:
    """A model's generators, ready to run; make one and keep it to generate often.

    They run by numpy or, with `torch` or where it is faster (`make_generators`), by PyTorch. `generators` are those of
    the same model that were made before.
    """

    def __init__(
        self, model: Model, *, torch: bool | None = None, generators: list[StageGenerator] | None = None
    ) -> None:
        self.model = model
        self.generators: list[StageGenerator] = generators or make_generators(model, torch=torch)

    def sample(self, frames: int, count: int, seed: int) -> list[Motion]:
        """`count` motions of `frames` frames at 30 frames/s, on all cores, a few together on each."""
        lengths = self.model.recipe.lengths(frames)
        parts = on_all_cores(lambda part: self.motions(_codes(lengths, part, seed)), _parts(count, frames))
        return [motion for part in parts for motion in part]

    def motions(self, codes: Sequence[NDArray[np.float32]]) -> list[Motion]:
        """The motions that noise of variance 1 leads to, as the networks make them; `codes[i]` is (B, 1, T_i)."""
        noises: list[Rows | None] = [
            code * np.float32(amplitude) for code, amplitude in zip(codes, self.amplitudes(), strict=True)
        ]
        base = self.nothing(len(codes[0]), codes[0].shape[-1])
        rows = run_stages(self.generators, [code.shape[-1] for code in codes], noises, base)
        return [self.motion(one) for one in rows]

    def nothing(self, count: int, length: int) -> Rows:
        """What enters the first stage, (count, C, length) of zeros."""
        return np.zeros((count, len(self.model.channels.columns), length), dtype=np.float32)

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
        noises: list[Rows | None] = [model.code, *[None] * (len(self.generators) - 1)]
        return self.motion(run_stages(self.generators, model.lengths, noises, np.zeros_like(model.code))[0])

    def motion(self, rows: NDArray[np.float32]) -> Motion:
        """The motion that network rows (C, T) stand for. Raises ModelError for what are no numbers."""
        source = self.model.source
        if not check_finite(rows):
            raise ModelError(f"“{self.model.name}” makes numbers that are no motion; it is damaged, train it again.")
        return Motion(self.model.channels.decode(rows), source.skeleton, source.fps, source.origin)


def _parts(count: int, frames: int) -> list[range]:
    """`count` variations in parts of about one size, as many for each core as for the other."""
    cores = min(count, working_cores())
    together = max(1, (TOGETHER if cores > 1 else ALONE) // frames)
    number = min(count, cores * -(-count // (cores * together)))
    ends = [count * k // number for k in range(number + 1)]
    return [range(start, stop) for start, stop in itertools.pairwise(ends)]


def noise_code(seed: int, variation: int, stage: int, length: int) -> np.ndarray:
    """z_i of one variation, (1, length): the same on every machine and whatever else is generated with it."""
    random = np.random.default_rng([seed & 0xFFFFFFFF, variation, stage])
    return random.standard_normal((1, length), dtype=np.float32)


def _codes(lengths: Sequence[int], variations: Sequence[int], seed: int) -> list[NDArray[np.float32]]:
    """z_i of some variations of a seed for every stage, each (B, 1, T_i)."""
    return [
        np.stack([noise_code(seed, variation, stage, length) for variation in variations])
        for stage, length in enumerate(lengths)
    ]


def finished(motion: Motion, source: Motion, clean: bool) -> Motion:
    """A motion of a model of `source` as users get it: flips repaired and, with `clean`, standing feet standing."""
    repaired = repair_flips(motion, source)
    return clean_feet(repaired, source) if clean else repaired


def generate(
    model: Model,
    *,
    frames: int | None = None,
    count: int = 1,
    seed: int = 0,
    clean: bool = True,
    torch: bool | None = None,
    sampler: Sampler | None = None,
) -> list[Motion]:
    """New motions of a model at 30 frames/s, as long as its clip unless `frames` says otherwise.

    Flips are repaired; with `clean`, standing feet are made to stand. Variation k of a seed is the same whatever
    `count` is; `torch` as for a Sampler, or pass a `sampler` of the model to generate often. Raises ValueError for
    fewer than 30 frames or no motions.
    """
    wanted = model.source.frames if frames is None else frames
    if wanted < 30 or count < 1:
        raise ValueError("Generate at least one motion of at least 30 frames.")
    made = (sampler or Sampler(model, torch=torch)).sample(wanted, count, seed)
    return [finished(motion, model.source, clean) for motion in made]


def with_strength(model: Model, coarse: float, fine: float) -> Model:
    """A model whose samples get `coarse` times the usual noise at the first level and `fine` times above it."""
    if coarse == 1.0 and fine == 1.0:
        return model
    first, *rest = model.recipe.sampling_noise
    noise = (first * coarse, *(share * fine for share in rest))
    return replace(model, recipe=replace(model.recipe, sampling_noise=noise))


KEPT = 2
"""Models that are kept ready, some tens of megabytes each."""


def prepared_sampler(path: Path) -> Sampler:
    """A sampler of the model in a file, without PyTorch: loading that holds Blender's window up for a second.

    The model's networks are made the first time only. Raises ModelError as `load_model` does.
    """
    try:
        status = path.stat()
    except OSError:
        return Sampler(load_model(path), torch=False)  # which says what is wrong
    model, generators = _prepared(path, status.st_mtime_ns, status.st_size)
    return Sampler(model, generators=generators)


@lru_cache(maxsize=KEPT)
def _prepared(path: Path, _changed: int, _size: int) -> tuple[Model, list[StageGenerator]]:
    sampler = Sampler(load_model(path), torch=False)
    return sampler.model, sampler.generators
