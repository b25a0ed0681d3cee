"""Jobs that make motions, as the operators that write actions wait for them."""

from __future__ import annotations

from typing import Any

from ...core.motion.motion import Motion
from .jobs import BackgroundJob


class MotionsJob(BackgroundJob):
    """A job whose work sends “motions”: the name of a model, and motions.

    `model_name` and `motions` are set once it is DONE.
    """

    def __init__(self, title: str, model_name: str = "") -> None:
        super().__init__(title)
        self.model_name, self.motions = model_name, list[Motion]()

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "motions":
            self.model_name, self.motions = value
        super()._receive(kind, value)
