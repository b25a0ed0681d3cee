"""The edition for Blender's extension platform: without the installer of PyTorch and without network permission."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

LEFT_OUT = (
    "core/torch_install",
    "operators/pytorch/install.py",
    "panels/pytorch/install.py",
    "rig/background/install_job.py",
    "state/pytorch/installation.py",
    "requirements",
)
"""The installer of PyTorch, which `core/__init__.py: HAS_INSTALLER` finds missing, and the releases that it fetches."""

NEVER_COPIED = (".*", "__pycache__", "build", "dist", "out", "shared", "tests", "bench", "docs", "pip-*.whl", "torch")
"""Names that belong to no zip, and the wheels that only the installer uses."""

FILES_REASON = 'files = "Keep models and trainings in the extension\'s user folder"'


def write_source(root: Path, target: Path) -> Path:
    """Copy the extension's source without the installer, with a manifest of this edition; return the folder."""
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(*NEVER_COPIED))
    for name in LEFT_OUT:
        path = target / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    manifest = target / "blender_manifest.toml"
    manifest.write_text(without_network(manifest.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def without_network(manifest: str) -> str:
    """Return a manifest that asks for no network, and for files without PyTorch. Raises ValueError."""
    text, networks = re.subn(r"(?m)^network = .*\n", "", manifest)
    text, files = re.subn(r"(?m)^files = .*$", FILES_REASON, text)
    if (networks, files) != (1, 1):
        raise ValueError("The manifest's permissions are not those that the edition changes.")
    return text
