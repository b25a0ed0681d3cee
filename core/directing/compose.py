"""Generation from a composition: the pyramid with part of a level's input replaced (Roditakis et al. 2024, eq. 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError, ModelError
from ..generation.generate import Sampler
from ..generation.latents import code_like
from ..model.model import Model
from ..model.pyramid import Around, Rows, refine_around, resize, resize_circle
from ..model.settle_properties import hold_switches, run_one_way
from ..motion.flips import repair_flips
from ..motion.motion import RATE, Motion
from ..motion.resampling import check_size, resample, rows_at
from ..motion.skeleton import GROUP
from ..numeric.blending import FIXED
from ..placing.course import led_to_places
from ..system.threads import one_thread
from .composition import Composition, turn_placed
from .constraints import PyramidConstraints
from .finalise import blend_kept
from .infill import pick_windows, turns_between

COARSE_LENGTH_FACTOR = 1.5
"""Length factor of the coarse sample from which gap fillers are cut. Coarse stages cost about a tenth of the work."""

CANDIDATES = 6
"""Takes of which a variation with pins or waypoints takes the one that is nearest to them."""

TRIED = 3
"""Candidates that are tried where the nearest does not reach its pins."""

LEAST_GAIN = 0.01
"""Cost that another candidate must save, see `led_to_places`: the first is the variation as it is without places."""

NEXT_CANDIDATE = 100_003
"""Step between the numbers of the variations that are candidates of one."""


def compose(
    model: Model,
    composition: Composition,
    *,
    count: int = 1,
    seed: int = 0,
    first: int = 0,
    like: Sequence[tuple[float, int]] = (),
    clean: bool = True,
    sampler: Sampler | None = None,
) -> list[Motion]:
    """Generate motions that satisfy a composition, with the length and rate of its target.

    Exactly kept channels equal those of the target; joins are continuous in position, velocity and acceleration. If
    `clean`, standing feet of new frames are kept in place. Variations are numbered from `first`; each depends on seed
    and number only, and on the variation that it is `like`, see `generate_like`. Pass a `sampler` of the model to
    compose often. Raises ClipError for contradictory masks, a target under 8 frames, too short a route or a pin out
    of reach, ModelError for a target on another skeleton.
    """
    composition.check()
    target = composition.target
    if not model.skeleton.same_structure(target.skeleton):
        raise ModelError("The model was trained on another skeleton; choose the model of this armature.")
    if not 1 <= composition.entry <= model.recipe.levels:
        raise ClipError(f"Content can enter at levels 1 to {model.recipe.levels}.")
    check_size(target.frames, target.skeleton.channels, count)
    sampler = sampler or Sampler(model)
    run = _Run(sampler, range(first, first + count), seed, composition.loop, like)
    if composition.places is not None:
        return [_best_placed(one, composition, clean) for one in run.one_by_one()]
    return [_finish(model, turned, rows, clean) for rows, turned in _each(run, composition)]


def _best_placed(run: _Run, composition: Composition, clean: bool) -> Motion:
    """Return the one of CANDIDATES of a variation that comes nearest to the composition's places by itself.

    Raises ClipError where none of the nearest TRIED reaches its pins.
    """
    first, places = run.variations[0], composition.places
    candidates = replace(run, variations=range(first, first + CANDIDATES * NEXT_CANDIDATE, NEXT_CANDIDATE))
    model, target = run.sampler.model, composition.target

    def cost(one: tuple[NDArray[np.float32], Composition]) -> float:
        motion = Motion(model.channels.decode(one[0]), target.skeleton, RATE, target.origin)
        motion = resample(motion, target.fps, target.frames)
        return led_to_places(motion, places, one[1].keep, model.source).cost if places is not None else 0.0

    made = list(_each(candidates, composition))
    costs = [cost(one) + (LEAST_GAIN if number else 0.0) for number, one in enumerate(made)]
    ranked = [made[number] for number in np.argsort(costs, kind="stable")]
    for rows, turned in ranked[: TRIED - 1]:
        with suppress(ClipError):
            return _finish(model, turned, rows, clean)
    rows, turned = ranked[TRIED - 1]
    return _finish(model, turned, rows, clean)


def _each(run: _Run, composition: Composition) -> Iterator[tuple[NDArray[np.float32], Composition]]:
    """Yield the network rows (C, T) of each variation, and the composition with its placed content turned."""
    # Where content is not anchored, each variation turns it by other angles.
    for part in [run] if composition.anchored else run.one_by_one():
        rows, turned = _synthesize(part, composition)
        for one in rows:
            yield one, turned


def _finish(model: Model, composition: Composition, rows: NDArray[np.float32], clean: bool) -> Motion:
    target = composition.target
    motion = Motion(model.channels.decode(rows), target.skeleton, RATE, target.origin)
    motion = repair_flips(motion, model.source)
    if not composition.loop and not composition.retimed:
        motion = hold_switches(motion, resample(target, RATE))
    if composition.loop:
        motion = Motion(np.concatenate([motion.features, motion.features[:1]]), motion.skeleton, RATE, motion.origin)
    blended = blend_kept(motion, composition, model.source, clean)
    if composition.loop or not target.skeleton.properties:
        return blended
    groups = [channel // GROUP for channel in target.skeleton.property_channels]
    return run_one_way(blended, model.source, composition.keep[:, groups] >= FIXED)


def _synthesize(run: _Run, composition: Composition) -> tuple[NDArray[np.float32], Composition]:
    """Generate network rows (count, C, T) at 30 fps; also return the composition with its placed content turned."""
    recipe = run.sampler.model.recipe
    frames = rows_at(composition.target.frames, composition.target.fps, RATE) - composition.loop
    if frames < 8:
        raise ClipError("The action has fewer than 8 frames; there is nothing to work around.")
    lengths = recipe.lengths(frames)
    first = max(1, recipe.first_stage(composition.entry - 1))
    with one_thread():
        entry = _entry_rows(run, composition, lengths)
        longer = max(int(COARSE_LENGTH_FACTOR * frames), int(2.5 * entry.longest_run)) if entry.longest_run else frames
        x = run.stages(range(first), recipe.lengths(longer))
        x = resize(x, recipe.lengths(longer)[first])
        if not composition.anchored:
            turns = turns_between(x[0].astype(np.float64), entry.kept(first))
            composition = turn_placed(composition, [(row / lengths[first], angle) for row, angle in turns])
            entry = _entry_rows(run, composition, lengths)
        x = entry.enter(pick_windows(x, entry.kept(first)), first)
        return run.stages(range(first, recipe.stage_count), lengths, x, entry), composition


def _entry_rows(run: _Run, composition: Composition, lengths: list[int]) -> PyramidConstraints:
    target = resample(composition.target, RATE, loop=composition.loop)
    return PyramidConstraints(
        run.sampler.model, composition, target.features[: target.frames - composition.loop], lengths
    )


@dataclass(frozen=True)
class _Run:
    """Variations of a seed and the sampler that generates them, as circles for a `loop`; `like` another variation."""

    sampler: Sampler
    variations: range
    seed: int
    loop: bool
    like: Sequence[tuple[float, int]] = ()

    def one_by_one(self) -> list[_Run]:
        """Return a run for each variation."""
        return [replace(self, variations=range(k, k + 1)) for k in self.variations]

    def stages(
        self, stages: range, lengths: list[int], x: Rows | None = None, entry: PyramidConstraints | None = None
    ) -> Rows:
        """Run consecutive stages from zeros or `x`, with the kept content of `entry` restored before each."""
        amplitudes = self.sampler.amplitudes()
        if x is None:
            x = self.sampler.zero_rows(len(self.variations), lengths[0])
        for stage in stages:
            if x.shape[-1] != lengths[stage]:
                x = resize_circle(x, lengths[stage]) if self.loop else resize(x, lengths[stage])
                x = entry.keep(x, stage) if entry is not None else x
            codes = self._codes(stage, lengths)
            around = Around(self.loop) if entry is None else entry.around(stage)
            x = refine_around(self.sampler.generators[stage], x, codes * np.float32(amplitudes[stage]), around)
        return x

    def _codes(self, stage: int, lengths: Sequence[int]) -> NDArray[np.float32]:
        """Return the latents (B, 1, length) of the variations."""
        if not self.like:
            return self.sampler.codes([(self.seed, k) for k in self.variations], stage, lengths)
        return np.stack([code_like(self.sampler, self.like, self.seed, k, stage, lengths) for k in self.variations])
