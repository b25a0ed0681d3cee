"""Choice of a variation's first noise: of a few, the one whose motion falls least short of the bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..evaluation.shortfall import Shortfall
from ..matching.coupling import MIN_LENGTH_SHARE
from ..model.model import Model
from ..model.pyramid import Rows, StageGenerator, resize, run_stages
from ..motion.motion import RATE, Motion
from .noise import noise_code

CHOICES = 3
"""First noises of which the best is chosen."""

MAX_CHOICE_ROWS = 620
"""Rows of the longest motion for which it is chosen: the figures of a longer one are those of many moves, which differ
less from noise to noise, and it would not be made at once."""

MIN_CHOICE_ROWS = 20
"""Rows of a stage's output at least, more than a window of the figures."""

MAX_KNOWN = 256
"""Variations whose choice is remembered: a live variation asks for two again and again, a farm for thousands once."""


class NoiseChoice:
    """Choice among first noises of motions of one length: of what their first stages make at full strength, the least
    `Shortfall` counts. `lengths` are those of all stages; `decode` returns the motion of network rows (C, T).
    """

    def __init__(
        self,
        model: Model,
        generators: Sequence[StageGenerator],
        lengths: Sequence[int],
        decode: Callable[[Rows], Motion],
    ) -> None:
        enough = max(MIN_LENGTH_SHARE * lengths[-1], MIN_CHOICE_ROWS)
        last = next(k for k, length in enumerate(lengths) if length >= enough)
        self._model, self._decode = model, decode
        self._generators, self._lengths = generators[: last + 1], lengths[: last + 1]
        rows = model.lengths[last]
        self._fps = RATE * rows / model.source.frames
        clip = np.asarray(model.channels.encode(model.source.features)[None], dtype=np.float32)
        self._shortfall = Shortfall(self._motion(resize(clip, rows)[0]))
        self._known: dict[tuple[int, int], int] = {}

    def best(self, keys: Sequence[tuple[int, int]], candidates: Rows) -> list[int]:
        """Return which of `candidates` (B, K, 1, T) to take for each of B variations, given by seed and number."""
        new = [number for number, key in enumerate(keys) if key not in self._known]
        found = {key: self._known[key] for key in keys if key in self._known}
        if new:
            found |= self._chosen([keys[number] for number in new], candidates[new])
            if len(self._known) > MAX_KNOWN:
                self._known.clear()
            self._known.update(found)
        return [found[key] for key in keys]

    def _chosen(self, keys: Sequence[tuple[int, int]], candidates: Rows) -> dict[tuple[int, int], int]:
        count, choices = candidates.shape[:2]
        noises = [candidates.reshape(count * choices, 1, -1)]
        for stage, length in enumerate(self._lengths[1:], start=1):
            codes = np.stack([noise_code(seed, variation, stage, length) for seed, variation in keys])
            noises.append(np.repeat(codes, choices, axis=0))
        scaled: list[Rows | None] = [
            codes * np.float32(amplitude) for codes, amplitude in zip(noises, self._model.amplitudes, strict=False)
        ]
        base = np.zeros((len(noises[0]), len(self._model.channels.columns), self._lengths[0]), dtype=np.float32)
        rows = run_stages(self._generators, self._lengths, scaled, base)
        shortfalls = np.reshape([self._shortfall.of(self._motion(one)) for one in rows], (count, choices))
        return dict(zip(keys, shortfalls.argmin(1).tolist(), strict=True))

    def _motion(self, rows: Rows) -> Motion:
        return replace(self._decode(rows), fps=self._fps)
