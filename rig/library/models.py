"""Folders and names of trained models: one .safetensors file each in the extension's user folder."""

from __future__ import annotations

import filecmp
import re
import tempfile
from collections.abc import Collection
from pathlib import Path

import bpy

from ...core.errors import ModelError
from ...core.files.file_lock import FileLock, is_locked, try_lock
from ...core.files.held_open import reason_of
from ...core.files.paths import RESERVED, copy_whole, remove_parts
from ...core.model.model_file import read_info
from ..compat import EXTENSION

MODEL_SUFFIX = ".safetensors"
"""File name suffix of models and of training checkpoints."""


def models_folder() -> Path:
    """Return the folder of models and create it if needed. Raises ModelError if that fails."""
    return _user_folder("models")


def _user_folder(name: str) -> Path:
    try:
        folder = bpy.utils.extension_path_user(EXTENSION, path=name, create=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"Cannot create Riff's folder “{name}”: {reason_of(error)}.") from error
    if not folder:
        # 4.5 and 5.2 return an empty path instead of raising if a file has the folder's name
        raise ModelError(f"Cannot create Riff's folder “{name}”: a file of that name is in its place.")
    return Path(folder)


def trainings_folder() -> Path:
    """Return the folder of unfinished trainings and create it if needed. Raises ModelError if that fails."""
    return _user_folder("trainings")


def torch_root() -> Path:
    """Return the folder of Riff's own PyTorch and create it if needed. Raises ModelError if that fails."""
    return _user_folder("torch")


def log_path() -> Path:
    """Return the path of Riff's log. Raises ModelError if its folder cannot be created."""
    return _user_folder("log") / "riff.log"


def model_files() -> list[Path]:
    """Return the files of all models, sorted by name."""
    folder = models_folder()
    remove_parts(folder)
    return _files(folder)


def unfinished_trainings() -> list[Path]:
    """Return the checkpoints of unfinished trainings that no process works on, the latest first."""
    folder = trainings_folder()
    remove_parts(folder)
    return sorted((path for path in _files(folder) if not is_locked(path)), key=_changed, reverse=True)


def _changed(path: Path) -> float:
    """Return the time when a file was written; 0 if another Blender has just deleted it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def checkpoint_path(model_path: Path) -> Path:
    """Return the path of a model's training checkpoint."""
    return trainings_folder() / model_path.name


def new_model_path(name: str, taken: Collection[Path] = ()) -> Path:
    """Return a path for a new model of this name; if it is taken, a number is added as Blender does.

    `taken` are the paths of models still to come. Raises ModelError if the folder cannot be written to: better before a
    training than after it.
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
        raise ModelError(f"Models cannot be saved in “{folder}”: {reason_of(error)}.") from error


def claim_new_model(name: str, taken: Collection[Path] = ()) -> tuple[Path, FileLock]:
    """Return a path for a new model and a lock on its name: no other Blender takes the name until it is released."""
    while True:
        path = new_model_path(name, taken)
        held = try_lock(checkpoint_path(path))
        if held is not None and not path.exists() and not checkpoint_path(path).exists():
            return path, held
        if held is not None:
            held.release()
        taken = {*taken, path}


def add_model(source: Path) -> Path:
    """Copy a model's file to the folder of models and return its path there; if it is there already, it stays.

    Raises ModelError, OSError.
    """
    for path in model_files():
        if path.stat().st_size == source.stat().st_size and filecmp.cmp(path, source, shallow=False):
            return path
    name = str(read_info(source)["name"])
    path, held = claim_new_model(name)
    try:
        copy_whole(source, path)
    finally:
        held.release()
    return path


def file_name_for(name: str) -> str:
    """Return a name that every file system takes and that shells and patterns take literally."""
    # 200 bytes leave room for number and suffix in the 255 that file systems allow.
    plain = re.sub(r'[<>:"/\\|?*\[\]\x00-\x1f\x7f]', "_", name).strip(" .").encode(errors="replace")[:200]
    stem = plain.decode(errors="ignore").strip(" .") or "Model"
    return f"_{stem}" if RESERVED.fullmatch(stem) else stem


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{MODEL_SUFFIX}"), key=lambda path: path.name.casefold())
