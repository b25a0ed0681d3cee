"""Lets Python find Riff's own PyTorch, and what belongs to it, once something asks for torch; nothing before."""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class TorchFinder(importlib.abc.MetaPathFinder):
    """Looks into `folder` (None for nowhere) after everything else has been looked into.

    sys.path stays as it is: other extensions never meet these packages while PyTorch is not in use.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if self.folder is None or path is not None or (fullname != "torch" and "torch" not in sys.modules):
            return None
        return PathFinder.find_spec(fullname, [str(self.folder)])

    def use(self, folder: Path | None) -> None:
        """Look into this folder from now on."""
        self.folder = folder
        if folder is not None and self not in sys.meta_path:
            sys.meta_path.append(self)
        if folder is None and self in sys.meta_path:
            sys.meta_path.remove(self)
        PathFinder.invalidate_caches()
