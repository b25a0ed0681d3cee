"""Random editing while Riff works, shrunk to the shortest sequence that goes wrong; `make soak` does much more."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from tests.support.editing.at_random import edit_at_random


def test_editing_while_riff_works(riff: ModuleType, trained: Path) -> None:
    edit_at_random(11, trained, examples=6, steps=25)
