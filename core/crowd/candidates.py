"""Candidates for a crowd: many motions as far as their course shows, and the chosen ones in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..directing.compose import compose
from ..directing.composition import Composition, free
from ..errors import ClipError
from ..generation.generate import Sampler, finished, noise_code
from ..generation.pyramid import Rows, run_stages
from ..model.model import Model
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array
from ..system.threads import on_all_cores

Key = tuple[int, int]
"""Seed and number of a variation: with the model and the length, all that it takes to make it again."""

CHUNK = 1300
"""Frames that go through the pyramid together: what the layers keep of more falls out of a core's cache."""

COURSE = 1.0 / 3.0
"""Share of a motion's rows from which on its course shows: the stages above add detail at three times the cost."""


@dataclass(frozen=True, eq=False)
class CoarseSamples:
    """Unfinished motions: network rows (K, C, T_i) of some variations as one of the middle stages leaves them."""

    keys: tuple[Key, ...]
    rows: NDArray[np.float32]

    def pick(self, positions: Sequence[int]) -> CoarseSamples:
        return CoarseSamples(tuple(self.keys[place] for place in positions), self.rows[list(positions)])


class CandidatePool:
    """A model's variations of `frames` rows at `fps`, or loops whose last row equals their first.

    Raises ClipError for less than a second.
    """

    def __init__(self, model: Model, frames: int, fps: float, *, loop: bool = False, clean: bool = True) -> None:
        self.model, self.frames, self.fps, self.loop, self.clean = model, frames, fps, loop, clean
        exact = (frames - 1) * RATE / fps
        self.rows = (round(exact) if loop else int(np.ceil(exact - 1e-6))) + 1
        if self.rows < RATE:
            raise ClipError("Each member of a crowd needs at least one second of motion; ask for more frames.")
        self._sampler = Sampler(model)
        self._lengths = model.recipe.lengths(self.rows)
        enough = [stage for stage, length in enumerate(self._lengths) if length >= COURSE * self.rows]
        self._stages = min(enough[0] + 1, len(self._lengths) - 1)

    @property
    def course_rate(self) -> float:
        """Rows a second of outlines."""
        return self._lengths[self._stages - 1] * RATE / self.rows

    def outline(self, keys: Sequence[Key]) -> CoarseSamples:
        """The first stages of these variations; a few at a time on each core."""
        step = max(1, CHUNK // self._lengths[self._stages - 1])
        parts = [keys[start : start + step] for start in range(0, len(keys), step)]
        empty, length = self._sampler.nothing, self._lengths[0]
        rows = on_all_cores(lambda part: self._run(part, empty(len(part), length), 0, self._stages), parts)
        return CoarseSamples(tuple(keys), np.concatenate(rows))

    def courses(self, outlines: CoarseSamples) -> Array:
        """Joint rotations of outlines as features (K, T_i, joints × 6)."""
        width = self.model.skeleton.joints * GROUP
        return np.stack([self.model.channels.decode(rows)[:, :width] for rows in outlines.rows])

    def finish(self, outlines: CoarseSamples, stop: Callable[[], bool] = lambda: False) -> list[Motion]:
        """The motions that outlines lead to, cleaned and at `fps`; fewer where `stop` says so meanwhile."""
        if self.loop:
            made = on_all_cores(lambda key: None if stop() else self._close(key), outlines.keys)
            return [motion for motion in made if motion is not None]
        step = max(1, CHUNK // self.rows)
        parts = [range(start, min(start + step, len(outlines.keys))) for start in range(0, len(outlines.keys), step)]
        done = on_all_cores(lambda part: [] if stop() else self._finish_some(outlines.pick(part)), parts)
        return [motion for part in done for motion in part]

    def _finish_some(self, outlines: CoarseSamples) -> list[Motion]:
        rows = self._run(outlines.keys, outlines.rows, self._stages, len(self._lengths))
        made = [self._sampler.motion(one) for one in rows]
        return [self._at_rate(finished(motion, self.model.source, self.clean)) for motion in made]

    def _at_rate(self, motion: Motion) -> Motion:
        return resample(motion, self.fps)

    def _close(self, key: Key) -> Motion:
        seed, number = key
        made = compose(self.model, self._circle(), seed=seed, first=number, clean=self.clean, sampler=self._sampler)
        return self._at_rate(made[0])

    def _circle(self) -> Composition:
        """A loop of nothing but new motion, in one place."""
        source = self.model.source
        features = source.features[np.arange(self.rows) % source.frames]
        blank = Motion(features, source.skeleton, RATE, source.origin)
        return replace(free(blank), loop=True, travels=False)

    def _run(self, keys: Sequence[Key], base: Rows, first: int, last: int) -> NDArray[np.float32]:
        stages = range(first, last)
        amplitudes = self._sampler.amplitudes()
        noises: list[Rows | None] = [
            np.stack([noise_code(seed, k, stage, self._lengths[stage]) for seed, k in keys])
            * np.float32(amplitudes[stage])
            for stage in stages
        ]
        generators = self._sampler.generators[first:last]
        return run_stages(generators, self._lengths[first:last], noises, base)
