"""Blending of a source and its variation in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.blending.amount import Amount
from ...core.motion.motion import Motion
from .jobs import BackgroundJob


class AmountJob(BackgroundJob):
    """Makes the motion at an amount of a variation; `motions` holds it once the job is DONE."""

    def __init__(
        self, source: Motion, variation: Motion, amount: float, parts: Mapping[int, float], model_name: str
    ) -> None:
        """Blend by an amount, and by that times a factor for the joints in `parts`."""
        super().__init__("Blending")
        self.model_name = model_name
        self.motions: list[Motion] = []
        self._source, self._variation = source, variation
        self._amount, self._of_joints = amount, {joint: amount * factor for joint, factor in parts.items()}

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "motion":
            self.motions = [value]
        super()._receive(kind, value)

    def _work(self) -> None:
        amount = Amount.between(self._source, self._variation)
        self._stop_if_asked()
        self._send("motion", amount.at(self._amount, self._of_joints))
