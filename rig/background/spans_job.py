"""Generation of takes with timed clips in a thread beside Blender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.directing.concatenate import on_one_skeleton
from ...core.directing.timed_clips import ClipSpan, generate_spans
from ...core.errors import ClipError
from ...core.matching.instant import instant_model
from ...core.motion.motion import Motion
from .jobs import BackgroundJob


class SpansJob(BackgroundJob):
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
        super().__init__("Making the instant models")
        self.model_name, self.motions = " + ".join(clips), list[Motion]()
        self._clips, self._spans, self._fps = clips, spans, fps
        self._choices: dict[str, Any] = {"count": count, "seed": seed, "variation": variation, "clean": clean}

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "motions":
            self.motions = value
        super()._receive(kind, value)

    def _work(self) -> None:
        models = {}
        for name, motion in zip(self._clips, on_one_skeleton(list(self._clips.values())), strict=True):
            try:
                models[name] = instant_model(motion, name, check_cancelled=self._stop_if_asked)
            except ClipError as error:
                raise ClipError(f"“{name}”: {error}") from error
        motions = generate_spans(models, self._spans, fps=self._fps, **self._choices)
        self._send("motions", motions)
