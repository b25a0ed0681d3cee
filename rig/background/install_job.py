"""Installation of PyTorch, and the reading of graphics cards for it, in threads."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from ...core.errors import Cancelled
from ...core.torch_install.folder import TorchFolder
from ...core.torch_install.hardware import named_cards
from ...core.torch_install.install import install, install_from_wheels
from ...core.torch_install.nvidia import NvidiaCard, read_cards
from ...core.torch_install.plan import TorchRelease
from .jobs import BackgroundJob


class InstallJob(BackgroundJob):
    """Installs the release pinned by `plan`, or from a folder of `wheels`; `facts` are its self-test's, once the job is
    DONE.
    """

    def __init__(self, plan: TorchRelease, folder: TorchFolder, wheels: Path | None = None) -> None:
        super().__init__("Installing PyTorch")
        self.plan, self.folder, self.wheels = plan, folder, wheels
        self.phase, self.share = "", 0.0
        self.facts: dict[str, Any] = {}

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "share":
            self.phase, self.share = value
        elif kind == "facts":
            self.facts = value
        super()._receive(kind, value)

    def _work(self) -> None:
        do = partial(install, self.plan) if self.wheels is None else partial(install_from_wheels, self.wheels)
        try:
            facts = do(self.folder, lambda phase, share: self._send("share", (phase, share)), self._should_stop)
        except Cancelled:
            self._stop_if_asked()
            raise
        self._send("facts", facts)


class CardsJob(BackgroundJob):
    """Reads NVIDIA's cards and driver, which takes a second or more; `cards` are set once the job is DONE."""

    def __init__(self) -> None:
        super().__init__("Reading the graphics card")
        self.cards: list[NvidiaCard] = []

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "cards":
            self.cards = value
        super()._receive(kind, value)

    def _work(self) -> None:
        self._send("cards", read_cards(named_cards("NVIDIA")))
