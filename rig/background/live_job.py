"""Motions from noise codes, one after the other as they are asked for, in a thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.generation.generate import with_strength
from ...core.motion.motion import RATE, Motion
from ...core.motion.resampling import resample
from .jobs import BackgroundJob

SETTLE_SECONDS = 0.15
"""Seconds without another wish after which feet are cleaned and flips repaired, as they will be when it is kept."""


@dataclass(frozen=True)
class LiveRequest:
    """A place between seeds, and how strongly the motion there varies."""

    position: float
    coarse: float = 1.0
    fine: float = 1.0
    clean_feet: bool = True


class LiveJob(BackgroundJob):
    """Answers the latest wish with a motion at `fps`; earlier ones that were not begun are forgotten.

    `motion` is the latest answer, `answered` its wish, `answers` how many there were; `finished` says whether feet and
    flips were seen to.
    """

    def __init__(self, model_path: Path, *, frames: int | None, fps: float) -> None:
        super().__init__("Live variation")
        self.motion: Motion | None = None
        self.answered: LiveRequest | None = None
        self.finished = False
        self.answers = 0
        self.model_name = ""
        self._model_path, self._frames, self._fps = model_path, frames, fps
        self._wish: LiveRequest | None = None
        self._wished = threading.Condition()

    def ask(self, wish: LiveRequest) -> None:
        """Wish for a motion; the answer comes with a later tick."""
        with self._wished:
            self._wish = wish
            self._wished.notify()

    def cancel(self) -> None:
        super().cancel()
        with self._wished:
            self._wished.notify()

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "answer":
            self.answered, self.motion, self.finished = value
            self.answers += 1
        elif kind == "name":
            self.model_name = value
        super()._receive(kind, value)

    def _work(self) -> None:
        from ...core.generation.generate import finished, prepared_sampler
        from ...core.generation.latents import interpolate_seeds, motions_of

        sampler = prepared_sampler(self._model_path)
        model = sampler.model
        self._send("name", model.name)
        wanted = None if self._frames is None else max(30, round((self._frames - 1) * RATE / self._fps) + 1)
        count = wanted or model.source.frames
        raw: Motion | None = None
        last: LiveRequest | None = None
        while not self._should_stop():
            wish = self._next(SETTLE_SECONDS if raw is not None else 0.5)
            if wish is not None:
                last = wish
                sampler.model = with_strength(model, wish.coarse, wish.fine)
                raw = motions_of(sampler, [interpolate_seeds(model, count, wish.position)])[0]
                self._send("answer", (wish, resample(raw, self._fps), False))
            elif raw is not None and last is not None:
                done = finished(raw, model.source, last.clean_feet)
                self._send("answer", (last, resample(done, self._fps), True))
                raw = None

    def _next(self, patience: float) -> LiveRequest | None:
        with self._wished:
            if self._wish is None and not self._stop.is_set():
                self._wished.wait(patience)
            wish, self._wish = self._wish, None
            return wish
