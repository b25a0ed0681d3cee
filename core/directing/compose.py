"""One way to generate: run the pyramid from a level, with some of its input replaced (`paper.md`, *Applications*)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError, ModelError
from ..generation.generate import Sampler, noise_code
from ..generation.pyramid import Rows, resize, resize_circle
from ..model.model import Model
from ..motion.flips import repair_flips
from ..motion.motion import RATE, Motion
from ..motion.resampling import at_rate, rows_at
from ..system.threads import one_thread
from .composition import Composition, turn_placed
from .constraints import PyramidConstraints
from .finalise import blend_kept
from .infill import pick_windows, turns_between

WIDER = 1.5
"""How much longer the first sample is that stretches for gaps are chosen from; it is a tenth of the work."""

MARGIN = 12
"""Rows of a loop's other end that a stage sees: four layers of five see eight on either side."""


def compose(
    model: Model,
    composition: Composition,
    *,
    count: int = 1,
    seed: int = 0,
    first: int = 0,
    clean: bool = True,
    sampler: Sampler | None = None,
) -> list[Motion]:
    """New motions around what a composition keeps, as long as its target and at its rate.

    What is kept exactly comes out as it is in the target; joins go on in place, velocity and acceleration; with `clean`
    feet stand where the motion is new. Variations `first` and on of a seed are the same whatever `count` is. Pass a
    `sampler` of the model to compose often. Raises ClipError for masks without sense, a target under 8 frames or a
    route too short, ModelError for a target on another skeleton.
    """
    composition.check()
    target = composition.target
    if not model.skeleton.same_structure(target.skeleton):
        raise ModelError("The model was trained on another skeleton; choose the model of this armature.")
    if not 1 <= composition.entry <= model.recipe.levels:
        raise ClipError(f"Content can enter at levels 1 to {model.recipe.levels}.")
    sampler = sampler or Sampler(model)
    variations = range(first, first + count)
    made: list[Motion] = []
    # Where content need not face as it did, each variation turns it in its own way.
    for part in [variations] if composition.anchored else [range(k, k + 1) for k in variations]:
        rows, facing = _synthesize(_Run(sampler, part, seed, composition.loop), composition)
        made += [_finish(model, facing, one, clean) for one in rows]
    return made


def _finish(model: Model, composition: Composition, rows: NDArray[np.float32], clean: bool) -> Motion:
    target = composition.target
    made = Motion(model.channels.decode(rows), target.skeleton, RATE, target.origin)
    made = repair_flips(made, model.source)
    if composition.loop:
        made = Motion(np.concatenate([made.features, made.features[:1]]), made.skeleton, RATE, made.origin)
    return blend_kept(made, composition, model.source, clean)


def _synthesize(run: _Run, composition: Composition) -> tuple[NDArray[np.float32], Composition]:
    """Network rows (count, C, T) at 30 frames a second, and the composition with what is placed turned as it comes."""
    recipe = run.sampler.model.recipe
    frames = rows_at(composition.target.frames, composition.target.fps, RATE) - composition.loop
    if frames < 8:
        raise ClipError("The action has fewer than 8 frames; there is nothing to work around.")
    lengths = recipe.lengths(frames)
    first = max(1, recipe.first_stage(composition.entry - 1))
    with one_thread():
        entry = _entry_rows(run, composition, lengths)
        longer = max(int(WIDER * frames), int(2.5 * entry.longest_run)) if entry.longest_run else frames
        x = run.stages(range(first), recipe.lengths(longer))
        x = resize(x, recipe.lengths(longer)[first])
        if not composition.anchored:
            found = turns_between(x[0].astype(np.float64), entry.kept(first))
            composition = turn_placed(composition, [(row / lengths[first], angle) for row, angle in found])
            entry = _entry_rows(run, composition, lengths)
        x = entry.enter(pick_windows(x, entry.kept(first)), first)
        return run.stages(range(first, recipe.stage_count), lengths, x, entry), composition


def _entry_rows(run: _Run, composition: Composition, lengths: list[int]) -> PyramidConstraints:
    target = at_rate(composition.target, RATE, loop=composition.loop)
    return PyramidConstraints(
        run.sampler.model, composition, target.features[: target.frames - composition.loop], lengths
    )


@dataclass(frozen=True)
class _Run:
    """Some variations of a seed on their way through a sampler's stages, as circles if they are a `loop`."""

    sampler: Sampler
    variations: range
    seed: int
    loop: bool

    def stages(
        self, stages: range, lengths: list[int], x: Rows | None = None, entry: PyramidConstraints | None = None
    ) -> Rows:
        """Consecutive stages from zero or `x`; what is kept is put back in front of each (`paper.md`, *Pyramid*)."""
        amplitudes = self.sampler.amplitudes()
        if x is None:
            x = self.sampler.nothing(len(self.variations), lengths[0])
        for stage in stages:
            if x.shape[-1] != lengths[stage]:
                x = resize_circle(x, lengths[stage]) if self.loop else resize(x, lengths[stage])
                x = entry.keep(x, stage) if entry is not None else x
            codes = np.stack([noise_code(self.seed, k, stage, lengths[stage]) for k in self.variations])
            x = self._refine(stage, x, codes * np.float32(amplitudes[stage]))
        return x

    def _refine(self, stage: int, x: Rows, noise: Rows) -> Rows:
        generator, length = self.sampler.generators[stage], x.shape[-1]
        if not self.loop:
            return generator.refine(x, noise)
        margin = min(MARGIN, length)
        return generator.refine(_wrap(x, margin), _wrap(noise, margin))[..., margin : margin + length]


def _wrap(x: Rows, margin: int) -> Rows:
    return np.concatenate([x[..., x.shape[-1] - margin :], x, x[..., :margin]], axis=-1)
