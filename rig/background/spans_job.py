"""Generation of takes with timed clips in a thread beside Blender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.directing.model_spans import ENTRY, generate_model_spans
from ...core.directing.span_models import span_models
from ...core.directing.timed_clips import ClipSpan, generate_spans
from ...core.generation.generate import prepared_sampler
from ...core.motion.motion import Motion
from .motions_job import MotionsJob


class SpansJob(MotionsJob):
    """Generates `count` motions at rate `fps` in which clips play in `spans`.

    They are those that the model at `model_path` learned together and enter it at level `entry`; without one, an
    instant model is made of each of `clips`. `motions` and `model_name` are set once the job is DONE.
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
        model_path: Path | None = None,
        entry: int = ENTRY,
    ) -> None:
        super().__init__("Making the instant models", " + ".join(clips))
        self._clips, self._spans, self._model_path, self._entry = clips, spans, model_path, entry
        self._choices: dict[str, Any] = {
            "fps": fps,
            "count": count,
            "seed": seed,
            "variation": variation,
            "clean": clean,
        }

    def _work(self) -> None:
        name = self.model_name
        if self._model_path is None:
            models = span_models(self._clips, self._spans, self._stop_if_asked)
            motions = generate_spans(models, self._spans, **self._choices)
        else:
            sampler = prepared_sampler(self._model_path)
            name = sampler.model.name
            motions = generate_model_spans(
                sampler, self._spans, entry=self._entry, check_cancelled=self._stop_if_asked, **self._choices
            )
        self._send("motions", (name, motions))
