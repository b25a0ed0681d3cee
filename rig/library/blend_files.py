"""Actions of a .blend file or an asset library, and the armature that each is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import bpy

from ...core.errors import ClipError, RiffError
from ..compat import channelbag_of
from ..ownership import GHOST_KEY
from ..reading.actions import split_bone_path
from ..unseen import handlers_at_rest


def open_file(path: Path) -> None:
    """Open a .blend file without its window layout and without running its scripts. Raises ClipError."""
    if not path.is_file():
        raise ClipError(f"There is no file “{path}”.")
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path.resolve()), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise ClipError(f"“{path}” cannot be opened: {str(error).strip()}") from error


def save_file(path: Path) -> None:
    """Save a copy of the open file; the open file stays the same. Raises ClipError if the disk refuses."""
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path.resolve()), copy=True, check_existing=False)
    except RuntimeError as error:
        raise ClipError(f"“{path}” cannot be saved: {str(error).strip()}") from error


def source_actions(patterns: Sequence[str] = ()) -> list[bpy.types.Action]:
    """Return the file's actions that move bones and are not Riff's, filtered by names or patterns if there are any.

    Raises ClipError for a pattern without a match.
    """
    learnable = [action for action in bpy.data.actions if action.get("riff_model") is None and keyed_bones(action)]
    if not patterns:
        return learnable
    chosen: dict[str, bpy.types.Action] = {}
    for pattern in patterns:
        # an exact name comes first: it may contain the characters of a pattern
        found = [a for a in learnable if a.name == pattern] or [a for a in learnable if fnmatchcase(a.name, pattern)]
        if not found:
            raise ClipError(f"No action that moves bones is called “{pattern}”.")
        chosen |= {action.name: action for action in found}
    return list(chosen.values())


def keyed_bones(action: bpy.types.Action) -> set[str]:
    """Return the names of the bones that an action keys."""
    bags = [channelbag_of(action, slot) for slot in action.slots]
    paths = [split_bone_path(curve.data_path) for bag in bags if bag for curve in bag.fcurves]
    return {path[0] for path in paths if path}


def check_bones(ob: bpy.types.Object, action: bpy.types.Action, frame: int) -> None:
    """Raise ClipError for an action, played from a frame on, that keys bones which an armature does not have."""
    data: Any = ob.data
    if not keyed_bones(action).issubset(data.bones.keys()):
        raise ClipError(f"The action “{action.name}” at frame {frame} is of another rig; choose one of this armature.")


def armature_for(action: bpy.types.Action, name: str = "") -> bpy.types.Object:
    """Return the armature of this name; without a name, one that plays the action or else has most of its bones.

    Raises ClipError if there is none.
    """
    armatures = [
        ob for ob in bpy.data.objects if ob.type == "ARMATURE" and len(ob.users_scene) and ob.get(GHOST_KEY) is None
    ]
    if name:
        named = [ob for ob in armatures if ob.name == name]
        if not named:
            raise ClipError(f"The file has no armature “{name}” in a scene.")
        return named[0]
    bones = keyed_bones(action)
    fitting = [(sum(bone in ob.data.bones for bone in bones), ob) for ob in armatures]
    playing = [ob for _, ob in fitting if ob.animation_data and ob.animation_data.action == action]
    best = playing or [ob for count, ob in sorted(fitting, key=lambda pair: -pair[0]) if count]
    if not best:
        raise ClipError(f"No armature of the file has the bones that “{action.name}” keys.")
    return best[0]


def asset_files(name: str) -> list[Path]:
    """Return the .blend files of an asset library of the preferences. Raises ClipError if there are none."""
    library = bpy.context.preferences.filepaths.asset_libraries.get(name)
    if library is None:
        raise ClipError(f"The preferences have no asset library “{name}”.")
    files = sorted(Path(library.path).rglob("*.blend"))
    if not files:
        raise ClipError(f"The asset library “{name}” has no .blend files in “{library.path}”.")
    return files


@contextmanager
def borrowed_actions(path: Path) -> Iterator[list[bpy.types.Action]]:
    """Load the action assets of another file for as long as the block lasts. Raises ClipError if it cannot be read."""
    try:
        loading: Any = bpy.data.libraries.load(str(path), link=False, assets_only=True)
        with handlers_at_rest(), loading as (library, current):
            current.actions = list(library.actions)
    except (OSError, RuntimeError) as error:
        raise ClipError(f"“{path}” cannot be read: {str(error).strip()}") from error
    loaded = [action for action in current.actions if action]
    for action in loaded:
        action.use_fake_user = False  # keep them out of a file that is saved meanwhile
    try:
        yield [action for action in loaded if action.get("riff_model") is None and keyed_bones(action)]
    finally:
        for action in loaded:
            with suppress(ReferenceError):  # gone if another file was opened meanwhile
                bpy.data.actions.remove(action)


def sentence(error: RiffError) -> str:
    """Return an error's text without its full stop, for use inside another sentence."""
    return str(error).rstrip(".")
