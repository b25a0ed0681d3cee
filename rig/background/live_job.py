"""Motions for a live variation: generated in a thread as they are requested."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.directing.takes import with_root_path
from ...core.generation.generate import Sampler, finished, prepared_sampler, rows_of_length, with_strength
from ...core.generation.latents import Latents, interpolate_seeds, motions_of
from ...core.model.model import Model
from ...core.model.settle_properties import settle_properties
from ...core.motion.motion import Motion
from ...core.motion.resampling import resample
from .jobs import BackgroundJob
from .motions_job import MotionsJob

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


def _code_of(sampler: Sampler, model: Model, count: int, request: LiveRequest) -> Latents:
    """Return the latents of a request, of `count` rows, and give the sampler its strengths."""
    sampler.model = with_strength(model, request.coarse, request.fine)
    return interpolate_seeds(sampler, count, request.position)


def _finished(
    sampler: Sampler, code: Latents, model: Model, request: LiveRequest, frames: int | None, fps: float
) -> Motion:
    """Generate the whole motion of a request, with clean feet and repaired flips, at the wanted rate."""
    done = finished(motions_of(sampler, [code])[0], model, request.clean_feet)
    done = resample(done, fps, frames)
    return with_root_path(done, model.source, request.root, clean=request.clean_feet)


class PositionJob(MotionsJob):
    """Generates the finished motion of one request, as a kept live variation has it.

    `motions` holds it, and `model_name` is set, once the job is DONE.
    """

    def __init__(self, model_path: Path, request: LiveRequest, *, frames: int | None, fps: float) -> None:
        super().__init__("Generating")
        self._model_path, self._request, self._frames, self._fps = model_path, request, frames, fps

    def _work(self) -> None:
        sampler = prepared_sampler(self._model_path)
        model = sampler.model
        code = _code_of(sampler, model, rows_of_length(model, self._frames, self._fps), self._request)
        self._stop_if_asked()
        motion = _finished(sampler, code, model, self._request, self._frames, self._fps)
        self._send("motions", (model.name, [motion]))


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
        self.model_path, self.frames, self.fps = model_path, frames, fps
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
        sampler = prepared_sampler(self.model_path)
        model = sampler.model
        self._send("name", model.name)
        count = rows_of_length(model, self.frames, self.fps)
        drafted: tuple[LiveRequest, Latents] | None = None
        while not self._should_stop():
            request = self._next(SETTLE_SECONDS if drafted is not None else 0.5)
            if request is not None:
                code = _code_of(sampler, model, count, request)
                shown = motions_of(sampler, [code], draft=True)[0]
                shown = settle_properties(shown, model.source)  # a switch in between would fold limbs
                shown = resample(shown, self.fps, self.frames)
                shown = with_root_path(shown, model.source, request.root, clean=False)
                self._send("answer", (request, shown, False))
                drafted = request, code
            elif drafted is not None:
                last, code = drafted
                self._send("answer", (last, _finished(sampler, code, model, last, self.frames, self.fps), True))
                drafted = None

    def _next(self, timeout: float) -> LiveRequest | None:
        with self._requested:
            if self._request is None and not self._stop.is_set():
                self._requested.wait(timeout)
            request, self._request = self._request, None
            return request
