"""Generation of motions from a model in a thread beside Blender."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.directing.takes import generate_takes
from ...core.generation.generate import prepared_sampler, with_strength
from .motions_job import MotionsJob


class GenerationJob(MotionsJob):
    """Generates `count` motions of `frames` rows at `fps` (None: as long as the source) from the model at `model_path`.

    `strength` scales the noise of the first level and of the levels above. `like` holds the origin of another
    variation; the motions are then similar to it. `loop` None makes loops if the source is a cycle. `root` is one of
    `root_paths.ROOT_PATHS`. `motions`, `model_name` and `looped` are set once the job is DONE.
    """

    def __init__(
        self,
        model_path: Path,
        *,
        count: int,
        frames: int | None,
        fps: float,
        seed: int,
        strength: tuple[float, float] = (1.0, 1.0),
        clean: bool = True,
        like: Sequence[tuple[float, int]] = (),
        loop: bool | None = False,
        root: str = "auto",
    ) -> None:
        super().__init__("Generating")
        self.looped = False
        self._model_path = model_path
        self._count = count
        self._frames = frames
        self._fps = fps
        self._seed = seed
        self._strength, self._clean, self._like, self._loop, self._root = strength, clean, like, loop, root

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "looped":
            self.looped = value
        super()._receive(kind, value)

    def _work(self) -> None:
        sampler = prepared_sampler(self._model_path)
        model = sampler.model = with_strength(sampler.model, *self._strength)
        looped = model.source.cycle_seconds > 0.0 if self._loop is None else self._loop
        motions = generate_takes(
            model,
            root=self._root,
            loop=looped,
            like=self._like,
            frames=self._frames,
            fps=self._fps,
            count=self._count,
            seed=self._seed,
            clean=self._clean,
            sampler=sampler,
        )
        self._stop_if_asked()
        self._send("looped", looped)
        self._send("motions", (model.name, motions))
