"""Generation of loops: whole variations whose last frame is the first again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..generation.generate import Sampler, rows_of_length
from ..model.model import Model
from ..motion.motion import RATE, Motion
from ..motion.resampling import rows_at
from ..motion.skeleton import BODY, GROUP
from ..numeric.rotation import Array
from .compose import compose
from .composition import Composition, free

MIN_TRAVEL = 0.1 * BODY
"""Distance of a source's ends on the ground, in core units, from which on its loops travel too."""


def generate_loops(
    model: Model,
    *,
    frames: int | None = None,
    fps: float = RATE,
    count: int = 1,
    seed: int = 0,
    like: Sequence[tuple[float, int]] = (),
    clean: bool = True,
    sampler: Sampler | None = None,
) -> list[Motion]:
    """Generate loops; arguments are those of `generate` and `generate_like`.

    A loop of a cycle has the cycle's length unless `frames` are given, and begins in the phase in which the cycle does.
    It travels if the cycle does; any other loop ends at its start. Raises ClipError as `generate` does.
    """
    source = model.source
    if frames is None:
        seconds = source.cycle_seconds if source.repeats else source.duration
        frames = rows_at(round(seconds * RATE) + 1, RATE, fps)
    else:
        rows_of_length(model, frames, fps)
    composition = loop_of(source, frames, fps)
    loops = compose(model, composition, count=count, seed=seed, like=like, clean=clean, sampler=sampler)
    return [in_phase(loop, source) for loop in loops] if source.repeats else loops


def loop_of(source: Motion, frames: int, fps: float) -> Composition:
    """Return the composition of a free loop of `frames` frames at `fps`."""
    still = np.repeat(source.features[:1], frames, axis=0)
    path = source.root_positions()[:, :2]
    travels = source.cycle_seconds > 0.0 and float(np.linalg.norm(path[-1] - path[0])) > MIN_TRAVEL
    return replace(free(Motion(still, source.skeleton, fps, source.origin)), loop=True, travels=travels)


def in_phase(loop: Motion, source: Motion) -> Motion:
    """Return a loop that begins where it is most like the source's first cycle, over all of its rows."""
    period = loop.frames - 1
    width = loop.skeleton.joints * GROUP
    rows = loop.features[:period, :width]
    times = np.arange(period) * (source.fps / loop.fps)
    wanted = source.features[np.rint(times).astype(int) % source.frames, :width]
    start = int(_products(rows, wanted).argmax())
    features = np.concatenate([np.roll(loop.features[:period], -start, axis=0), loop.features[[start]]])
    return replace(loop, features=features)


def _products(rows: Array, wanted: Array) -> Array:
    """Return the inner product (T,) of rows (T, C), begun at each row in turn, with `wanted` (T, C)."""
    spectra = np.fft.rfft(rows, axis=0) * np.conj(np.fft.rfft(wanted, axis=0))
    return np.asarray(np.fft.irfft(spectra.sum(1), n=len(rows)))
