"""All names in the open file and in Riff's folder, which a report must not contain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy

from ...core.errors import ModelError
from .models import model_files, unfinished_trainings

NAMED_DATA = (
    "objects",
    "actions",
    "armatures",
    "meshes",
    "scenes",
    "collections",
    "materials",
    "shape_keys",
    "texts",
    "images",
    "cameras",
    "lights",
    "worlds",
    "node_groups",
    "libraries",
)
"""Collections of `bpy.data` whose names may identify a person or a project."""


def names_of_file() -> set[str]:
    """Return the names of data-blocks, bones, shape keys, slots, parts of paths, models and trainings."""
    names = {block.name for kind in NAMED_DATA for block in getattr(bpy.data, kind)}
    names |= {bone.name for armature in bpy.data.armatures for bone in armature.bones}
    names |= {block.name for keys in bpy.data.shape_keys for block in keys.key_blocks}
    names |= {slot.name_display for action in bpy.data.actions for slot in action.slots}
    paths = [bpy.data.filepath, *(library.filepath for library in bpy.data.libraries)]
    return names | set(_parts(paths)) | set(_files())


def _parts(paths: list[str]) -> Iterator[str]:
    for path in paths:
        yield from (part for part in Path(path).parts[1:] if path)


def _files() -> Iterator[str]:
    try:
        yield from (path.stem for path in (*model_files(), *unfinished_trainings()))
    except ModelError:
        return  # without a folder there are no names of files in it
