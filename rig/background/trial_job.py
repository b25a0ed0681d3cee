"""Trial of PyTorch in a thread: in Riff's own folder, or in an interpreter that the user names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...core.errors import Cancelled
from ...core.torch_trial.trial import ask_python, is_own, try_python
from .jobs import BackgroundJob


class TrialJob(BackgroundJob):
    """Runs the self-test in an interpreter, with the PyTorch of the folder `torch` alone if there is one.

    If `brief`, it only asks the interpreter for its version and packages. `facts` are set once the job is DONE.
    """

    def __init__(self, python: Path, torch: Path | None = None, *, brief: bool = False) -> None:
        super().__init__("Trying PyTorch")
        self.python, self.torch, self.brief = python, torch, brief
        self.facts: dict[str, Any] = {}

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "facts":
            self.facts = value
        super()._receive(kind, value)

    def _work(self) -> None:
        try:
            facts = {} if is_own(self.python) else ask_python(self.python, self._should_stop)
            if not self.brief:
                facts |= try_python(self.python, self._should_stop, torch=self.torch)
        except Cancelled:
            self._stop_if_asked()
            raise
        self._send("facts", facts)
