"""Composition of motions in a thread beside Blender."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.directing.compose import compose
from ...core.directing.direction import Direction, direct
from ...core.errors import Cancelled
from ...core.generation.generate import prepared_sampler
from ...core.motion.motion import Motion
from ...core.motion.resampling import check_size
from ...core.motion.retarget import match_skeletons, onto_skeleton
from .motions_job import MotionsJob


class CompositionJob(MotionsJob):
    """Composes `count` motions from `source` as `direction` asks, with the model at `model_path`.

    `bones` maps the model's bones to those of the source if it comes from another rig. `motions` (at the source's rate)
    and `model_name` are set once the job is DONE; `done` counts them before.
    """

    def __init__(
        self,
        model_path: Path,
        source: Motion,
        direction: Direction,
        *,
        count: int,
        seed: int,
        clean: bool = True,
        bones: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("Composing")
        self.done = 0
        self._model_path, self._source, self._direction = model_path, source, direction
        self._count, self._seed, self._clean, self._bones = count, seed, clean, bones

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "done":
            self.done = value
        super()._receive(kind, value)

    def _work(self) -> None:
        sampler = prepared_sampler(self._model_path)
        model = sampler.model
        source = onto_skeleton(self._source, model.skeleton, self._bones)
        match = None if self._bones else match_skeletons(model.skeleton, self._source.skeleton)
        composition = direct(source, self._direction.renamed(match.renamed) if match else self._direction)
        check_size(composition.target.frames, model.skeleton.channels, self._count)
        motions = []
        for number in range(self._count):
            if self._should_stop():
                raise Cancelled
            motions += compose(model, composition, seed=self._seed, first=number, clean=self._clean, sampler=sampler)
            self._send("done", number + 1)
        self._send("motions", (model.name, motions))
