"""First script of a child process: the standard library comes before every folder of packages.

`python child_start.py SETTING ARGUMENTS` runs a module of Riff's as `python -m` does. SETTING is JSON: `module`; the
folders `first`, which come between the standard library and the interpreter's own packages; the folders `last`; and
`torch`, the only folder in which PyTorch is looked for, or null. PYTHONPATH could say none of this: it comes before the
standard library, so that a package called json would shadow it, and no folder in it can have a colon in its name.
"""

from __future__ import annotations

import sys

# A script's own folder is the first that Python looks into; its modules are not for any import.
if sys.path and sys.path[0].replace("\\", "/") == __file__.replace("\\", "/").rpartition("/")[0]:
    del sys.path[0]

import json
import os
import runpy
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any


class PinnedTorch(MetaPathFinder):
    """Finder that takes PyTorch from one folder alone: a broken one there is not replaced by another one."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname != "torch" or path is not None:
            return None
        found = PathFinder.find_spec(fullname, [self.folder])
        if found is None or found.loader is None:
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return found


def end_of_standard_library(folders: list[str]) -> int:
    """Return the place in an import path behind the standard library."""
    kinds = ("lib-dynload", "dlls")
    own = [
        index
        for index, folder in enumerate(folders)
        if os.path.basename(folder).lower() in kinds
        or folder.endswith(".zip")
        or os.path.exists(os.path.join(folder, "os.py"))
    ]
    return max(own, default=-1) + 1


def main() -> None:
    setting = json.loads(sys.argv[1])
    place = end_of_standard_library(sys.path)
    sys.path[place:place] = setting["first"]
    sys.path += setting["last"]
    if setting["torch"]:
        sys.meta_path.insert(0, PinnedTorch(setting["torch"]))
    del sys.argv[1]
    runpy.run_module(setting["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
