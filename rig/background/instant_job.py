"""Making of an instant model in a thread beside Blender: no training, no PyTorch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.files.file_lock import FileLock
from ...core.matching.instant import instant_model
from ...core.model.model_file import save_model
from ...core.motion.motion import Motion
from ...core.runs.quality import with_quality
from .jobs import BackgroundJob


class InstantJob(BackgroundJob):
    """Makes an instant model of a motion and saves it as `path`, a new file; then measures it and saves it again.

    `saved` is True once the model can be used. The job holds the `claims` on the file until it has ended.
    """

    def __init__(self, motion: Motion, path: Path, *, rig: str = "", claims: Sequence[FileLock] = ()) -> None:
        super().__init__("Making the instant model")
        self.path, self.saved = path, False
        self._motion, self._rig, self._claims = motion, rig, claims

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "saved":
            self.saved = True
        super()._receive(kind, value)

    def _work(self) -> None:
        try:
            model = instant_model(self._motion, self.path.stem, check_cancelled=self._stop_if_asked)
            self._stop_if_asked()
            model = replace(model, rig=self._rig)
            save_model(model, self.path)
            written = os.stat(self.path)
            self._send("saved", None)
            model = with_quality(model, self._should_stop)
            if self.path.exists() and os.path.samestat(os.stat(self.path), written):  # neither deleted nor renamed
                save_model(model, self.path)
        finally:
            for held in self._claims:
                held.release()
