"""Generation of motions from a trained model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError, ModelError
from ..files.fields import check_finite
from ..matching.matcher import Matcher
from ..matching.orders import ORDERS
from ..model.model import Model
from ..model.model_file import load_model
from ..model.pyramid import Rows, StageGenerator, resize, run_stages
from ..model.settle_properties import settle_properties
from ..motion.feet_cleanup import calm_feet, clean_feet
from ..motion.flips import repair_flips
from ..motion.motion import RATE, Motion
from ..motion.resampling import check_size, resample, rows_at
from ..system.threads import Item, Result, on_all_cores, working_cores
from .backends import make_generators
from .noise import noise_code
from .noise_choice import CHOICES, MAX_CHOICE_ROWS, NoiseChoice

CHUNK_FRAMES, CHUNK_FRAMES_ONE_CORE = 5200, 650
"""Frames that a core processes together: so many that little of the time goes into Python itself, whose lock the cores
share; by networks on one core as many as fit its cache best."""

LEAST_MATCHED_FRAMES = 2600
"""Frames for each core from which matching on several is quicker: for fewer, they wait for Python's lock."""

DRAFT_SHARE = 0.35
"""Share of the last length up to which a draft is matched."""

MAX_KNOWN_LENGTHS = 8
"""Lengths of motions whose `NoiseChoice` is remembered."""

CACHED_MODELS = 2
"""Models that `prepared_sampler` keeps in memory, some tens of megabytes each."""


MIN_ROWS = 30
"""Rows of the shortest motion that is generated, a second."""


class Sampler:
    """Generators of a model with their weights loaded; keep one to generate often.

    `torch` chooses the backend, see `make_generators`. `generators` reuses those of a previous sampler of the model. Of
    a model with matched stages, the first noise of a short variation is the best of `choices`, see `NoiseChoice`.
    """

    def __init__(
        self,
        model: Model,
        *,
        torch: bool | None = None,
        generators: list[StageGenerator] | None = None,
        choices: int = CHOICES,
    ) -> None:
        self.model, self._most_choices = model, choices
        self.generators: list[StageGenerator] = generators or make_generators(model, torch=torch)
        self._noise_choices: dict[tuple[int, ...], NoiseChoice] = {}

    def sample(self, frames: int, count: int, seed: int) -> list[Motion]:
        """Generate `count` motions of `frames` frames at 30 fps, several together, on all cores."""
        made = self.of_parts(lambda part: self.motions(self._codes(frames, part, seed)), count, frames)
        return [motion for part in made for motion in part]

    def of_parts(self, call: Callable[[range], Result], count: int, frames: int) -> list[Result]:
        """Return the results of a call that runs stages for part of `count` samples of `frames` frames, in order."""
        cores, together = min(count, working_cores()), CHUNK_FRAMES
        if self._is_matched:
            cores = max(1, min(cores, count * frames // LEAST_MATCHED_FRAMES))
        elif cores == 1:
            together = CHUNK_FRAMES_ONE_CORE
        return on_all_cores(call, _parts(count, max(1, together // frames), cores), most=cores)

    def of_each(self, call: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Return the results of a call that runs stages for one sample, for each item in order; matched ones on one
        core.
        """
        return on_all_cores(call, items, most=1 if self._is_matched else None)

    @property
    def _is_matched(self) -> bool:
        return any(isinstance(generator, Matcher) for generator in self.generators)

    def code(self, seed: int, variation: int, stage: int, lengths: Sequence[int]) -> NDArray[np.float32]:
        """Return the noise z_i of one variation, (1, T_i), see `codes`."""
        return self.codes([(seed, variation)], stage, lengths)[0]

    def codes(self, keys: Sequence[tuple[int, int]], stage: int, lengths: Sequence[int]) -> NDArray[np.float32]:
        """Return the noise z_i (B, 1, T_i) of variations, each with its seed and number; `lengths` are those of all
        stages.

        At a matched first stage it is of ORDERS the one whose output, at full strength, is farthest from the clip's own
        order and uses the clip most evenly, see `Matcher.best_orders`; or of the best of these, or of some noises of a
        network, the one whose motion is best, see `NoiseChoice`.
        """
        first, length, choices = self.generators[0], lengths[stage], self._choices(lengths[-1])
        orders = ORDERS if isinstance(first, Matcher) else choices
        if stage or orders == 1:
            return np.stack([noise_code(seed, variation, stage, length) for seed, variation in keys])
        found = np.stack(
            [[noise_code(seed, variation, 0, length, again) for again in range(orders)] for seed, variation in keys]
        )
        each = np.arange(len(keys))
        if isinstance(first, Matcher):
            found = found[each[:, None], first.best_orders(found, self.zero_rows(1, length), choices)]
        return found[each, self._noise_choice(lengths).best(keys, found)] if choices > 1 else found[:, 0]

    def _choices(self, rows: int) -> int:
        """Return of how many first noises of a motion the best is chosen: published recipes and cycles, which only sway
        varies, have one.
        """
        chosen = self.model.matched is not None and not self.model.source.repeats and rows <= MAX_CHOICE_ROWS
        return self._most_choices if chosen else 1

    def _noise_choice(self, lengths: Sequence[int]) -> NoiseChoice:
        key = tuple(lengths)
        if key not in self._noise_choices:
            if len(self._noise_choices) >= MAX_KNOWN_LENGTHS:
                self._noise_choices.clear()
            self._noise_choices[key] = NoiseChoice(self.model, self.generators, lengths, self.motion)
        return self._noise_choices[key]

    def _codes(self, frames: int, variations: Sequence[int], seed: int) -> list[NDArray[np.float32]]:
        """Return the noise z_i (B, 1, T_i) of some variations of a seed for every stage."""
        keys = [(seed, variation) for variation in variations]
        lengths = self.model.recipe.lengths(frames)
        return [self.codes(keys, stage, lengths) for stage in range(len(lengths))]

    def motions(self, codes: Sequence[NDArray[np.float32]], *, draft: bool = False) -> list[Motion]:
        """Generate motions from noise of variance 1, without post-processing; `codes[i]` is (B, 1, T_i).

        A `draft` lacks the detail of matched stages above DRAFT_SHARE of the last length: a third of the time.
        """
        lengths = [code.shape[-1] for code in codes]
        count = self._draft_stages(lengths) if draft else len(lengths)
        noises: list[Rows | None] = [
            code * np.float32(amplitude) for code, amplitude in zip(codes, self.amplitudes(), strict=True)
        ]
        base = self.zero_rows(len(codes[0]), codes[0].shape[-1])
        rows = run_stages(self.generators[:count], lengths[:count], noises[:count], base)
        return [self.motion(one) for one in resize(rows, lengths[-1])]

    def _draft_stages(self, lengths: Sequence[int]) -> int:
        """Return the number of stages of a draft: all that are trained, and up to DRAFT_SHARE of the last length."""
        trained = sum(not isinstance(generator, Matcher) for generator in self.generators)
        enough = next(k for k, length in enumerate(lengths, start=1) if length >= DRAFT_SHARE * lengths[-1])
        return max(trained, enough)

    def zero_rows(self, count: int, length: int) -> Rows:
        """Return the input of the first stage, zeros (count, C, length)."""
        return np.zeros((count, len(self.model.channels.columns), length), dtype=np.float32)

    def amplitudes(self) -> list[float]:
        """Return σ_i times the model's `sampling_noise`."""
        recipe = self.model.recipe
        return [
            amplitude * self.model.sampling_noise[recipe.level_of(stage)]
            for stage, amplitude in enumerate(self.model.amplitudes)
        ]

    def reconstruction(self) -> Motion:
        """Generate from the reconstruction noise z*: close to the source after a successful training."""
        model = self.model
        noises: list[Rows | None] = [model.code, *[None] * (len(self.generators) - 1)]
        return self.motion(run_stages(self.generators, model.lengths, noises, np.zeros_like(model.code))[0])

    def motion(self, rows: NDArray[np.float32]) -> Motion:
        """Decode network rows (C, T) to a motion. Raises ModelError for numbers that are not finite."""
        source = self.model.source
        if not check_finite(rows):
            raise ModelError(f"“{self.model.name}” is damaged and generates invalid values; train it again.")
        return Motion(self.model.channels.decode(rows), source.skeleton, source.fps, source.origin)


def _parts(count: int, size: int, cores: int) -> list[range]:
    """Divide `count` variations into parts of about equal size, up to `size`, the same number for each core."""
    number = min(count, cores * -(-count // (cores * size)))
    ends = [count * k // number for k in range(number + 1)]
    return [range(start, stop) for start, stop in itertools.pairwise(ends)]


def finished(motion: Motion, model: Model, clean: bool) -> Motion:
    """Post-process a generated motion: repair flips, settle properties and, if `clean`, keep standing feet in place.

    Feet of matched stages are changed only as far as they slide more than the source's.
    """
    repaired = settle_properties(repair_flips(motion, model.source), model.source)
    if not clean:
        return repaired
    return clean_feet(repaired, model.source) if model.matched is None else calm_feet(repaired, model.source)


def generate(
    model: Model,
    *,
    frames: int | None = None,
    fps: float = RATE,
    count: int = 1,
    seed: int = 0,
    clean: bool = True,
    torch: bool | None = None,
    sampler: Sampler | None = None,
) -> list[Motion]:
    """Generate motions at rate `fps` with `frames` frames, or as long as the model's clip, see `Model.clip_rows`.

    Flips are repaired; if `clean`, standing feet are kept in place. Variation k of a seed does not depend on `count`.
    `torch` is as for `Sampler`; pass a `sampler` of the model to generate often. Raises ClipError for less than a
    second or no motions.
    """
    if count < 1:
        raise ClipError("Ask for at least one motion.")
    rows = rows_of_length(model, frames, fps, count)
    motions = (sampler or Sampler(model, torch=torch)).sample(rows, count, seed)
    return [resample(finished(motion, model, clean), fps, frames) for motion in motions]


def rows_of_length(model: Model, frames: int | None, fps: float, count: int = 1) -> int:
    """Rows at 30 fps of a motion of `frames` frames at `fps`, those of the clip for None.

    Raises ClipError, also for `count` motions that are too many of such a length.
    """
    channels = model.source.features.shape[1]
    if frames is None:
        check_size(model.clip_rows, channels, count)
        return model.clip_rows
    rows = rows_at(frames, fps, RATE)
    if rows < MIN_ROWS:
        least = rows_at(MIN_ROWS, RATE, fps)
        raise ClipError(
            f"{frames} frames at {round(fps, 2):g} fps last under a second; ask for at least {least} frames."
        )
    check_size(max(rows, frames), channels, count)
    return rows


def with_strength(model: Model, coarse: float, fine: float) -> Model:
    """Return the model with its sampling noise scaled by `coarse` at the first level and by `fine` at the others.

    Raises ClipError for what is no number.
    """
    if not math.isfinite(coarse + fine):
        raise ClipError("The strength of variation must be a number.")
    if coarse == 1.0 and fine == 1.0:
        return model
    first, *rest = model.sampling_noise
    noise = (first * coarse, *(share * fine for share in rest))
    return replace(model, sampling_noise=noise)


def prepared_sampler(path: Path) -> Sampler:
    """Return a numpy sampler of the model in a file; importing PyTorch would block Blender's window for a second.

    Models are cached until their files change. Raises ModelError as `load_model` does.
    """
    try:
        status = path.stat()
    except OSError:
        return Sampler(load_model(path), torch=False)  # load_model raises the error
    model, generators = _prepared(path, status.st_mtime_ns, status.st_size)
    return Sampler(model, generators=generators)


@lru_cache(maxsize=CACHED_MODELS)
def _prepared(path: Path, _changed: int, _size: int) -> tuple[Model, list[StageGenerator]]:
    sampler = Sampler(load_model(path), torch=False)
    return sampler.model, sampler.generators
