"""Where trained models lie: one .safetensors file each in the extension's own user folder."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection
from pathlib import Path

import bpy

from ...core.errors import ModelError
from ...core.files.claims import FileLock, is_locked, try_lock
from ...core.files.paths import RESERVED, remove_parts
from ..compat import EXTENSION

MODEL_SUFFIX = ".safetensors"


def models_folder() -> Path:
    """The folder of the models, made where it is missing. Raises ModelError where it cannot be made."""
    return _user_folder("models")


def _user_folder(name: str) -> Path:
    try:
        folder = bpy.utils.extension_path_user(EXTENSION, path=name, create=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"Riff's folder for {name} cannot be made: {_reason(error)}.") from error
    if not folder:
        # 4.5 and 5.2 return an empty path, and no error, where a file stands in the folder's place.
        raise ModelError(f"Riff's folder for {name} cannot be made: a file called “{name}” is in its place.")
    return Path(folder)


def trainings_folder() -> Path:
    """The folder of trainings that are not finished, made where it is missing. Raises ModelError like the other."""
    return _user_folder("trainings")


def torch_root() -> Path:
    """The folder of Riff's own PyTorch, made where it is missing. Raises ModelError like the other."""
    return _user_folder("torch")


def log_path() -> Path:
    """The file of Riff's log. Raises ModelError like the others."""
    return _user_folder("log") / "riff.log"


def model_files() -> list[Path]:
    """Files of all models, by name."""
    folder = models_folder()
    remove_parts(folder)
    return _files(folder)


def unfinished_trainings() -> list[Path]:
    """Checkpoints of all trainings that were begun, are not finished and at which nobody works, the latest first."""
    folder = trainings_folder()
    remove_parts(folder)
    return sorted((path for path in _files(folder) if not is_locked(path)), key=_changed, reverse=True)


def _changed(path: Path) -> float:
    """When a file was written; 0 where another Blender has just deleted it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def checkpoint_path(model_path: Path) -> Path:
    """Where the state of the training of a model is kept."""
    return trainings_folder() / model_path.name


def new_model_path(name: str, taken: Collection[Path] = ()) -> Path:
    """A path for a model of this name that no other model or training has: a number is added as Blender does.

    `taken` are the paths of models that are to come.

    Raises ModelError where nothing can be written there, before a training rather than after it.
    """
    stem = file_name_for(name)
    folder = models_folder()
    path, number = folder / f"{stem}{MODEL_SUFFIX}", 0
    while path in taken or path.exists() or checkpoint_path(path).exists():
        number += 1
        path = folder / f"{stem}.{number:03}{MODEL_SUFFIX}"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return path
    except OSError as error:
        raise ModelError(f"Models cannot be saved in “{folder}”: {_reason(error)}.") from error


def claim_new_model(name: str, taken: Collection[Path] = ()) -> tuple[Path, FileLock]:
    """The same, and the right to make it: no other Blender takes that name until the claim is released."""
    while True:
        path = new_model_path(name, taken)
        held = try_lock(checkpoint_path(path))
        if held is not None and not path.exists() and not checkpoint_path(path).exists():
            return path, held
        if held is not None:
            held.release()
        taken = {*taken, path}


def file_name_for(name: str) -> str:
    """A name that every file system takes, and no shell or pattern takes for more than a name."""
    # 200 bytes leave room for number and suffix in the 255 that file systems allow.
    plain = re.sub(r'[<>:"/\\|?*\[\]\x00-\x1f\x7f]', "_", name).strip(" .").encode(errors="replace")[:200]
    stem = plain.decode(errors="ignore").strip(" .") or "Model"
    return f"_{stem}" if RESERVED.fullmatch(stem) else stem


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{MODEL_SUFFIX}"), key=lambda path: path.name.casefold())


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
