"""Where trained models lie: one .safetensors file each in the extension's own user folder."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import bpy

from ..core.errors import ModelError

SUFFIX = ".safetensors"


def models_folder() -> Path:
    """The folder of the models, made where it is missing. Raises ModelError where it cannot be made."""
    package = __package__.rpartition(".")[0]
    try:
        folder = bpy.utils.extension_path_user(package, path="models", create=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"Riff's folder for models cannot be made: {_reason(error)}.") from error
    if not folder:
        # 4.5 and 5.2 return an empty path, and no error, where a file stands in the folder's place.
        raise ModelError("Riff's folder for models cannot be made: a file called “models” is in its place.")
    return Path(folder)


def model_files() -> list[Path]:
    """Files of all models, by name."""
    return sorted(models_folder().glob(f"*{SUFFIX}"), key=lambda path: path.name.casefold())


def new_model_path(name: str) -> Path:
    """A path for a model of this name that no other model has: a number is added as Blender does.

    Raises ModelError where nothing can be written there, before a training rather than after it.
    """
    stem = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name).strip(" .") or "Model"
    folder = models_folder()
    path, number = folder / f"{stem}{SUFFIX}", 0
    while path.exists():
        number += 1
        path = folder / f"{stem}.{number:03}{SUFFIX}"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return path
    except OSError as error:
        raise ModelError(f"Models cannot be saved in “{folder}”: {_reason(error)}.") from error


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
