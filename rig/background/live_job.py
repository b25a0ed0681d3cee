"""Motions for a live variation: generated in a thread as they are requested."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.directing.takes import with_root_path
from ...core.generation.generate import finished, prepared_sampler, rows_of_length, with_strength
from ...core.generation.latents import Latents, interpolate_seeds, motions_of
from ...core.model.settle_properties import settle_properties
from ...core.motion.motion import Motion
from ...core.motion.resampling import resample
from .jobs import BackgroundJob

SETTLE_SECONDS = 0.15
"""Seconds without a new request until the motion is finished: with all its detail, feet cleaned and flips repaired, as
when it is kept."""


@dataclass(frozen=True)
class LiveRequest:
    """A position on the line of seeds, and how strongly the motion there varies."""

    position: float
    coarse: float = 1.0
    fine: float = 1.0
    clean_feet: bool = True
    root: str = "free"
    """Path of the root, one of `root_paths.ROOT_PATHS`."""


class LiveJob(BackgroundJob):
    """Answers the latest request with a motion at `fps`; older requests that were not begun are dropped.

    `motion` is the latest answer, `answered` its request, `answers` the number of answers. `finished` is True if feet
    and flips were cleaned.
    """

    def __init__(self, model_path: Path, *, frames: int | None, fps: float) -> None:
        super().__init__("Live variation")
        self.motion: Motion | None = None
        self.answered: LiveRequest | None = None
        self.finished = False
        self.answers = 0
        self.model_name = ""
        self._model_path, self._frames, self._fps = model_path, frames, fps
        self._request: LiveRequest | None = None
        self._requested = threading.Condition()

    def ask(self, request: LiveRequest) -> None:
        """Request a motion; the answer comes with a later tick."""
        with self._requested:
            self._request = request
            self._requested.notify()

    def cancel(self) -> None:
        super().cancel()
        with self._requested:
            self._requested.notify()

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "answer":
            self.answered, self.motion, self.finished = value
            self.answers += 1
        elif kind == "name":
            self.model_name = value
        super()._receive(kind, value)

    def _work(self) -> None:
        sampler = prepared_sampler(self._model_path)
        model = sampler.model
        self._send("name", model.name)
        count = rows_of_length(model, self._frames, self._fps)
        drafted: tuple[LiveRequest, Latents] | None = None
        while not self._should_stop():
            request = self._next(SETTLE_SECONDS if drafted is not None else 0.5)
            if request is not None:
                sampler.model = with_strength(model, request.coarse, request.fine)
                code = interpolate_seeds(sampler, count, request.position)
                shown = motions_of(sampler, [code], draft=True)[0]
                shown = settle_properties(shown, model.source)  # a switch in between would fold limbs
                shown = resample(shown, self._fps, self._frames)
                shown = with_root_path(shown, model.source, request.root, clean=False)
                self._send("answer", (request, shown, False))
                drafted = request, code
            elif drafted is not None:
                last, code = drafted
                done = finished(motions_of(sampler, [code])[0], model, last.clean_feet)
                done = resample(done, self._fps, self._frames)
                done = with_root_path(done, model.source, last.root, clean=last.clean_feet)
                self._send("answer", (last, done, True))
                drafted = None

    def _next(self, timeout: float) -> LiveRequest | None:
        with self._requested:
            if self._request is None and not self._stop.is_set():
                self._requested.wait(timeout)
            request, self._request = self._request, None
            return request
