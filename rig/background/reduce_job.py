"""Fitting of Bézier keys in a thread: a second or two for a long action with many bones."""

from __future__ import annotations

from typing import Any

from ..writing.reduce import Dense, Fit
from .jobs import BackgroundJob


class ReduceJob(BackgroundJob):
    """Fits curves in a thread; `done` counts them, `fits` are set once the job is DONE."""

    def __init__(self, curves: list[Dense]) -> None:
        super().__init__("Reducing keys")
        self.curves = curves
        self.fits: list[Fit] = []
        self.done = 0

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "fits":
            self.fits = value
        elif kind == "done":
            self.done = value
        super()._receive(kind, value)

    def _work(self) -> None:
        fits = []
        for number, curve in enumerate(self.curves):
            self._stop_if_asked()
            fits.append(curve.fitted())
            if number % 8 == 0:
                self._send("done", number)
        self._send("fits", fits)
