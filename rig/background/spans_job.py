"""Generation of takes with timed clips in a thread beside Blender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.directing.span_models import span_models
from ...core.directing.timed_clips import ClipSpan, generate_spans
from ...core.motion.motion import Motion
from .motions_job import MotionsJob


class SpansJob(MotionsJob):
    """Makes an instant model of each of `clips` and generates `count` motions at rate `fps` in which they play in
    `spans`.

    `motions` and `model_name` are set once the job is DONE.
    """

    def __init__(
        self,
        clips: Mapping[str, Motion],
        spans: Sequence[ClipSpan],
        *,
        fps: float,
        count: int,
        seed: int,
        variation: float,
        clean: bool,
    ) -> None:
        super().__init__("Making the instant models", " + ".join(clips))
        self._clips, self._spans, self._fps = clips, spans, fps
        self._choices: dict[str, Any] = {"count": count, "seed": seed, "variation": variation, "clean": clean}

    def _work(self) -> None:
        models = span_models(self._clips, self._spans, self._stop_if_asked)
        motions = generate_spans(models, self._spans, fps=self._fps, **self._choices)
        self._send("motions", (self.model_name, motions))
