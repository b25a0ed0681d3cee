"""Blending of a source and its variation in a thread."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.blending.amount import Amount
from ...core.motion.motion import Motion
from .motions_job import MotionsJob


class AmountJob(MotionsJob):
    """Makes the motion at an amount of a variation; `motions` holds it once the job is DONE."""

    def __init__(
        self, source: Motion, variation: Motion, amount: float, parts: Mapping[int, float], model_name: str
    ) -> None:
        """Blend by an amount, and by that times a factor for the joints in `parts`."""
        super().__init__("Blending", model_name)
        self._source, self._variation = source, variation
        self._amount, self._of_joints = amount, {joint: amount * factor for joint, factor in parts.items()}

    def _work(self) -> None:
        amount = Amount.between(self._source, self._variation)
        self._stop_if_asked()
        self._send("motions", (self.model_name, [amount.at(self._amount, self._of_joints)]))
