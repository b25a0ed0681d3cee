"""Generation of takes with the timing and course of another body in a thread beside Blender."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...core.driving.drive import drive
from ...core.driving.roles import BonePairs
from ...core.generation.generate import prepared_sampler
from ...core.motion.motion import Motion
from ...core.motion.rig_match import match_rig, resting_joints
from .motions_job import MotionsJob


class DriveJob(MotionsJob):
    """Generates motions with the model at `model_path` that follow a `driver`, by pairs of bones of the armature and of
    the driver.

    `rig` has the armature's name, and the names and parents of its bones, since the model's may be called otherwise.
    `choices` are those of `drive`. `motions`, at the driver's rate, and `model_name` are set once the job is DONE.
    """

    def __init__(
        self,
        model_path: Path,
        driver: Motion,
        pairs: BonePairs,
        rig: tuple[str, tuple[str, ...], tuple[int, ...]],
        **choices: Any,
    ) -> None:
        super().__init__("Following the driver")
        self._model_path, self._driver, self._pairs, self._rig = model_path, driver, pairs, rig
        self._choices = choices

    def _work(self) -> None:
        model = prepared_sampler(self._model_path).model
        name, bones, parents = self._rig
        match = match_rig(model.skeleton, bones, parents, name, resting_joints(model.source))
        learned = {theirs: ours for ours, theirs in match.renamed.items()}
        pairs = [(learned.get(ours, ours), theirs) for ours, theirs in self._pairs]
        motions = drive(model, self._driver, pairs, check_cancelled=self._stop_if_asked, **self._choices)
        self._send("motions", (model.name, motions))
