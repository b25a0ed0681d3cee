"""Candidates for a crowd: many coarse samples, of which the chosen ones are generated in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..directing.compose import compose
from ..directing.composition import Composition, free
from ..errors import ClipError
from ..generation.generate import Sampler, finished
from ..model.model import Model
from ..model.pyramid import Rows, run_stages
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array

Key = tuple[int, int]
"""Seed and number of a variation; with model and length they determine the motion."""

COARSE_SHARE = 1.0 / 3.0
"""Smallest length of a coarse sample as a share of the motion's: later stages add detail at three times the cost."""


@dataclass(frozen=True, eq=False)
class CoarseSamples:
    """Network rows (K, C, T_i) of variations after one of the middle stages."""

    keys: tuple[Key, ...]
    rows: NDArray[np.float32]

    def pick(self, indices: Sequence[int]) -> CoarseSamples:
        """Return the samples at these indices."""
        return CoarseSamples(tuple(self.keys[index] for index in indices), self.rows[list(indices)])


class CandidatePool:
    """Generator of a model's variations of `frames` rows at `fps`, or of loops, whose last row equals the first.

    Raises ClipError for less than a second.
    """

    def __init__(self, model: Model, frames: int, fps: float, *, loop: bool = False, clean: bool = True) -> None:
        self.model, self.frames, self.fps, self.loop, self.clean = model, frames, fps, loop, clean
        exact = (frames - 1) * RATE / fps
        self.rows = (round(exact) if loop else int(np.ceil(exact - 1e-6))) + 1
        if self.rows < RATE:
            raise ClipError("Each member of a crowd needs at least one second of motion; ask for more frames.")
        self._sampler = Sampler(model, choices=1)  # of many candidates the crowd itself chooses
        self._lengths = model.recipe.lengths(self.rows)
        enough = [stage for stage, length in enumerate(self._lengths) if length >= COARSE_SHARE * self.rows]
        self._stages = min(enough[0] + 1, len(self._lengths) - 1)

    @property
    def coarse_share(self) -> float:
        """Rows of a coarse sample, as a share of the motion's."""
        return self.coarse_rate / RATE

    @property
    def coarse_rate(self) -> float:
        """Rows per second of coarse samples."""
        return self._lengths[self._stages - 1] * RATE / self.rows

    def outline(self, keys: Sequence[Key]) -> CoarseSamples:
        """Run the first stages of these variations, on all cores."""
        empty, length = self._sampler.zero_rows, self._lengths[0]

        def run(part: range) -> NDArray[np.float32]:
            return self._run([keys[index] for index in part], empty(len(part), length), 0, self._stages)

        rows = self._sampler.of_parts(run, len(keys), self._lengths[self._stages - 1])
        return CoarseSamples(tuple(keys), np.concatenate(rows))

    def coarse_rotations(self, coarse: CoarseSamples) -> Array:
        """Return the joint rotations (K, T_i, joints × 6) of coarse samples."""
        width = self.model.skeleton.joints * GROUP
        return np.stack([self.model.channels.decode(rows)[:, :width] for rows in coarse.rows])

    def finish(self, coarse: CoarseSamples, stop: Callable[[], bool] = lambda: False) -> list[Motion]:
        """Finish coarse samples to post-processed motions at `fps`; fewer if `stop` returns true meanwhile."""
        if self.loop:
            loops = self._sampler.of_each(lambda key: None if stop() else self._close(key), coarse.keys)
            return [motion for motion in loops if motion is not None]
        finished_parts = self._sampler.of_parts(
            lambda part: [] if stop() else self._finish_some(coarse.pick(part)), len(coarse.keys), self.rows
        )
        return [motion for part in finished_parts for motion in part]

    def _finish_some(self, coarse: CoarseSamples) -> list[Motion]:
        rows = self._run(coarse.keys, coarse.rows, self._stages, len(self._lengths))
        motions = [self._sampler.motion(one) for one in rows]
        return [self._at_rate(finished(motion, self.model, self.clean)) for motion in motions]

    def _at_rate(self, motion: Motion) -> Motion:
        return resample(motion, self.fps)

    def _close(self, key: Key) -> Motion:
        seed, number = key
        loops = compose(self.model, self._circle(), seed=seed, first=number, clean=self.clean, sampler=self._sampler)
        return self._at_rate(loops[0])

    def _circle(self) -> Composition:
        """Return the composition of a loop without kept content, which returns to its position."""
        source = self.model.source
        features = source.features[np.arange(self.rows) % source.frames]
        blank = Motion(features, source.skeleton, RATE, source.origin)
        return replace(free(blank), loop=True, travels=False)

    def _run(self, keys: Sequence[Key], base: Rows, first: int, last: int) -> NDArray[np.float32]:
        stages = range(first, last)
        amplitudes = self._sampler.amplitudes()
        noises: list[Rows | None] = [
            self._sampler.codes(keys, stage, self._lengths) * np.float32(amplitudes[stage]) for stage in stages
        ]
        generators = self._sampler.generators[first:last]
        return run_stages(generators, self._lengths[first:last], noises, base)
