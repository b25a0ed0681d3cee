"""The actions of a file or of an asset library, and which armature each of them is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import bpy

from ...core.errors import ClipError, RiffError
from ..compat import channelbag_of
from ..reading.actions import split_bone_path


def open_file(path: Path) -> None:
    """Open a .blend file without its window layout and without running its scripts. Raises ClipError."""
    if not path.is_file():
        raise ClipError(f"There is no file “{path}”.")
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path.resolve()), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise ClipError(f"“{path}” cannot be opened: {str(error).strip()}") from error


def save_file(path: Path) -> None:
    """Save the open file under another name, which is not opened then. Raises ClipError where the disk refuses."""
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path.resolve()), copy=True, check_existing=False)
    except RuntimeError as error:
        raise ClipError(f"“{path}” cannot be saved: {str(error).strip()}") from error


def source_actions(patterns: Sequence[str] = ()) -> list[bpy.types.Action]:
    """Actions of the file that move bones and were not made by Riff, of any of these names or patterns.

    Raises ClipError for a pattern that fits none.
    """
    learnable = [action for action in bpy.data.actions if action.get("riff_model") is None and keyed_bones(action)]
    if not patterns:
        return learnable
    chosen: dict[str, bpy.types.Action] = {}
    for pattern in patterns:
        # a name is taken as it is first: it may hold the characters of a pattern
        found = [a for a in learnable if a.name == pattern] or [a for a in learnable if fnmatchcase(a.name, pattern)]
        if not found:
            raise ClipError(f"No action that moves bones is called “{pattern}”.")
        chosen |= {action.name: action for action in found}
    return list(chosen.values())


def keyed_bones(action: bpy.types.Action) -> set[str]:
    """Names of the bones that an action keys."""
    bags = [channelbag_of(action, slot) for slot in action.slots]
    paths = [split_bone_path(curve.data_path) for bag in bags if bag for curve in bag.fcurves]
    return {path[0] for path in paths if path}


def armature_for(action: bpy.types.Action, name: str = "") -> bpy.types.Object:
    """The armature that an action is for: the one of this name, one that plays it, or the one with most of its bones.

    Raises ClipError where there is none.
    """
    armatures = [ob for ob in bpy.data.objects if ob.type == "ARMATURE" and len(ob.users_scene)]
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
    """The .blend files of an asset library of the preferences. Raises ClipError where there is no such library."""
    library = bpy.context.preferences.filepaths.asset_libraries.get(name)
    if library is None:
        raise ClipError(f"The preferences have no asset library “{name}”.")
    files = sorted(Path(library.path).rglob("*.blend"))
    if not files:
        raise ClipError(f"The asset library “{name}” has no .blend files in “{library.path}”.")
    return files


@contextmanager
def borrowed_actions(path: Path) -> Iterator[list[bpy.types.Action]]:
    """The action assets of another file, for as long as the block lasts. Raises ClipError where it cannot be read."""
    try:
        loading: Any = bpy.data.libraries.load(str(path), link=False, assets_only=True)
        with loading as (there, here):
            here.actions = list(there.actions)
    except (OSError, RuntimeError) as error:
        raise ClipError(f"“{path}” cannot be read: {str(error).strip()}") from error
    loaded = [action for action in here.actions if action]
    for action in loaded:
        action.use_fake_user = False  # a file that is saved meanwhile does not get them
    try:
        yield [action for action in loaded if action.get("riff_model") is None and keyed_bones(action)]
    finally:
        for action in loaded:
            with suppress(ReferenceError):  # another file was opened meanwhile
                bpy.data.actions.remove(action)


def sentence(error: RiffError) -> str:
    """An error without its full stop, to be put into another sentence."""
    return str(error).rstrip(".")
