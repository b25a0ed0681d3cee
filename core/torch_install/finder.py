"""Import finder for Riff's own PyTorch and its dependencies, active once torch is imported."""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class TorchFinder(importlib.abc.MetaPathFinder):
    """Finder that searches `folder` (None: nothing) after all other finders.

    sys.path does not change, so other extensions do not see these packages while PyTorch is not in use.
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
        """Search this folder from now on; None to stop."""
        self.folder = folder
        if folder is not None and self not in sys.meta_path:
            sys.meta_path.append(self)
        if folder is None and self in sys.meta_path:
            sys.meta_path.remove(self)
        PathFinder.invalidate_caches()
